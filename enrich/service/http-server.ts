import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTls, Server as TlsServer } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { monotonicMillis } from '../../sensor/base/clock.ts';
import type { Log } from '../../sensor/base/log.ts';
import { type HttpAnswer, HttpRefusal } from './http-answer.ts';
import { RateLimit } from './rate-limit.ts';
import { answerRequest, type Routes } from './routes.ts';

/** Bytes of all headers of a request. */
const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 64;
/** How often slow requests are looked for; Node's default of 30 s would let a 10 s limit be 40 s. */
const CHECK_MILLIS = 1_000;
/** A connection with nothing to say. */
const IDLE_MILLIS = 15_000;
/** Failed logins of one address, a second. */
const FAILED_LOGINS = 5;

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly clientCa?: Buffer };
  /** A request must be here completely within this time. */
  readonly requestSeconds: number;
  readonly maxConnections: number;
  readonly log: Log;
}

export interface HttpCounters {
  requests: number;
  /** By status class: 2xx, 4xx, 5xx. */
  readonly answers: Map<string, number>;
  unauthorised: number;
  limited: number;
}

export interface HttpFront {
  readonly server: Server;
  readonly counters: HttpCounters;
  /** The port it got when 0 was asked for. */
  readonly port: number;
  /**
   * Takes other limits and certificates into use: handshakes from now on use them, open connections go on. Throws OpenSSL's
   * error and leaves all as it was when they are no good. Address, and whether TLS and client certificates are asked for, stay.
   */
  change(options: HttpOptions): void;
  /** Takes no more; requests under way have `millis` to end. */
  close(millis: number): Promise<void>;
}

export const newCounters = (): HttpCounters => ({ requests: 0, answers: new Map(), unauthorised: 0, limited: 0 });

/** Opens the port. Rejects with the operating system's or OpenSSL's error. */
export async function openHttp(
  options: HttpOptions,
  routes: () => Routes,
  counters: HttpCounters = newCounters(),
): Promise<HttpFront> {
  const logins = new RateLimit(FAILED_LOGINS);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    counters.requests++;
    void serve(request, response, { routes: routes(), counters, logins, log: options.log });
  };
  const server = create(options, handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', () => {}); // one connection's failure is that connection's
  const address = server.address();
  return {
    server,
    counters,
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    change: (next) => {
      if (next.tls && server instanceof TlsServer) {
        createSecureContext(secureContext(next.tls)); // is it any good?
        server.setSecureContext(secureContext(next.tls));
      }
      Object.assign(server, { ...timeouts(next), maxConnections: next.maxConnections });
    },
    close: (millis) => closeServer(server, millis),
  };
}

function create(options: HttpOptions, handle: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const limits = {
    ...timeouts(options),
    connectionsCheckingInterval: CHECK_MILLIS,
    keepAliveTimeout: IDLE_MILLIS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const { tls } = options;
  const mutual = tls?.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
  const server = tls
    ? createTls({ ...limits, ...mutual, ...secureContext(tls), handshakeTimeout: 10_000 }, handle)
    : createPlain(limits, handle);
  server.maxConnections = options.maxConnections;
  server.maxHeadersCount = MAX_HEADERS;
  // A silent socket counts as idle only while no answer is being made for it; requestTimeout bounds the rest.
  server.setTimeout(Math.max(IDLE_MILLIS, options.requestSeconds * 1_000 + IDLE_MILLIS));
  return server;
}

function timeouts({ requestSeconds }: HttpOptions): { headersTimeout: number; requestTimeout: number } {
  const millis = requestSeconds * 1_000;
  return { headersTimeout: Math.min(10_000, millis), requestTimeout: millis };
}

const secureContext = ({ cert, key, clientCa }: NonNullable<HttpOptions['tls']>): SecureContextOptions => ({
  cert,
  key,
  ...(clientCa === undefined ? {} : { ca: clientCa }),
  minVersion: 'TLSv1.2',
});

function closeServer(server: Server, millis: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), millis);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

interface Context {
  readonly routes: Routes;
  readonly counters: HttpCounters;
  readonly logins: RateLimit;
  readonly log: Log;
}

async function serve(request: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  let answer: HttpAnswer;
  try {
    answer = await answerRequest(request, context.routes);
  } catch (error) {
    answer = failure(error, request, context);
  }
  const family = `${Math.floor(answer.status / 100)}xx`;
  context.counters.answers.set(family, (context.counters.answers.get(family) ?? 0) + 1);
  // What was not read is not waited for: the connection ends with the answer.
  const unread = !request.complete;
  const content = answer.bytes ?? answer.text ?? (answer.json === undefined ? '' : `${JSON.stringify(answer.json)}\n`);
  response.writeHead(answer.status, {
    'content-type': answer.type ?? (answer.text === undefined ? 'application/json' : 'text/plain; charset=utf-8'),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(unread ? { connection: 'close' } : {}),
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : content, () => {
    if (unread) request.destroy();
  });
}

function failure(error: unknown, request: IncomingMessage, { routes, counters, logins, log }: Context): HttpAnswer {
  if (!(error instanceof HttpRefusal)) {
    log.error({ why: error instanceof Error ? error.stack : String(error) }, 'internal error in a request');
    return { status: 500, json: { error: 'internal error; it has been logged' } };
  }
  let refusal = error;
  if (refusal.status === 401) {
    counters.unauthorised++;
    const wait = logins.wait(request.socket.remoteAddress ?? '', monotonicMillis());
    if (wait > 0) refusal = new HttpRefusal(429, 'too many failed logins', wait);
  }
  if (refusal.status === 429 || refusal.status === 503) counters.limited++;
  const answer = routes.refuse(request, refusal);
  const headers = {
    ...(refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }),
    ...answer.headers,
  };
  return { ...answer, headers };
}
