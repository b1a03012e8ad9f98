import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Taken {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface WebhookReceiver {
  readonly url: URL;
  /** Everything it was sent, in order. */
  readonly taken: Taken[];
  close(): void;
}

/** A receiver on loopback that answers as told. */
export async function webhookReceiver(
  answer: (response: ServerResponse, attempt: number) => void = (response) => response.end('ok'),
  port = 0,
): Promise<WebhookReceiver> {
  const taken: Taken[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      taken.push({ path: request.url ?? '', headers: request.headers, body });
      answer(response, taken.length);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const at = (server.address() as AddressInfo).port;
  return {
    url: new URL(`http://127.0.0.1:${at}/hook`),
    taken,
    close: () => server.close().closeAllConnections(),
  };
}
