/** /metrics, /healthz and /readyz for the machine's own monitoring. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv4 } from 'node:net';
import { Exit, UserError } from '../base/exit.ts';
import { checkMetrics, METRICS_TYPE, type MetricSpec, renderMetrics } from '../base/metrics.ts';

export interface StatusAddress {
  readonly host: string;
  readonly port: number;
}

export interface StatusSource {
  readonly metrics: readonly MetricSpec[];
  /** Why the program is degraded, one line each; none when it is ready. */
  readonly complaints: () => readonly string[];
}

/** Nobody on this machine needs more, and a forgotten connection must not add up. */
const MAX_CONNECTIONS = 32;
const REQUEST_MILLIS = 5_000;

/** Reads `HOST:PORT` with a loopback host. */
export function parseStatusAddress(text: string): StatusAddress {
  const match = /^(?:\[([0-9a-f:]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new UserError(`--status ${text}: expected HOST:PORT or off, e.g. 127.0.0.1:9477`, Exit.usage);
  }
  if (!isLoopback(host)) {
    throw new UserError(
      `--status ${text}: only loopback addresses (127.0.0.1, ::1); put a proxy in front to serve other machines`,
      Exit.usage,
    );
  }
  return { host, port };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** Serves `source` until the server is closed. Rejects with the operating system's error when the address is taken. */
export function serveStatus(address: StatusAddress, source: StatusSource): Promise<Server> {
  checkMetrics(source.metrics);
  const server = createServer({ requestTimeout: REQUEST_MILLIS, headersTimeout: REQUEST_MILLIS }, (request, response) =>
    answer(request, response, source),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.keepAliveTimeout = REQUEST_MILLIS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      server.on('error', () => {}); // one connection's failure is that connection's
      resolve(server);
    });
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

function answer(request: IncomingMessage, response: ServerResponse, source: StatusSource): void {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const { status, text, type } = isRead ? page(request.url ?? '', source) : ONLY_READ;
  request.resume();
  response.writeHead(status, { 'content-type': type ?? 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : text);
}

const ONLY_READ: Answer = { status: 405, text: 'only GET and HEAD\n' };

function page(url: string, source: StatusSource): Answer {
  if (url === '/metrics') return { status: 200, text: renderMetrics(source.metrics), type: METRICS_TYPE };
  if (url === '/healthz') return { status: 200, text: 'ok\n' };
  if (url !== '/readyz') return { status: 404, text: 'there are /metrics, /healthz and /readyz\n' };
  const complaints = source.complaints();
  if (complaints.length === 0) return { status: 200, text: 'ready\n' };
  return { status: 503, text: `degraded\n${complaints.join('\n')}\n` };
}
