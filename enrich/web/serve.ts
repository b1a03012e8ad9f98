import { createHash, randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Log } from '../../sensor/base/log.ts';
import { HttpRefusal } from '../service/http-answer.ts';
import { openHttp } from '../service/http-server.ts';
import { Tokens } from '../service/tokens.ts';
import { type ConsoleOptions, consoleAnswers } from './api.ts';
import { SECURITY_HEADERS } from './headers.ts';

/** A page asks for a few things at a time; more open connections than this are nobody's browser. */
const MAX_CONNECTIONS = 100;
const REQUEST_SECONDS = 10;

export interface ServeOptions extends Omit<ConsoleOptions, 'tokens'> {
  /** Default 127.0.0.1: only this machine. */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Opens the console; made up when absent. */
  readonly token?: string;
  readonly log: Log;
}

export interface Serving {
  /** Address with the token after `#`, which browsers send to nobody. */
  readonly url: string;
  readonly port: number;
  /** Takes no more; requests under way have `millis` to end. */
  close(millis: number): Promise<void>;
}

export const newToken = (): string => randomBytes(24).toString('base64url');

/** The console on a port of its own. Rejects with the operating system's error when the port cannot be had. */
export async function serveConsole(options: ServeOptions): Promise<Serving> {
  const { host = '127.0.0.1', port, token = newToken(), log } = options;
  const sha256 = createHash('sha256').update(token).digest('hex');
  const answer = consoleAnswers({
    ...options,
    tokens: new Tokens([{ name: 'console', sha256, scopes: ['read', 'allow'] }]),
  });
  const routes = {
    async answer(request: Parameters<typeof answer>[0]) {
      const path = (request.url ?? '/').slice(0, 8_192).split('?', 1)[0]!;
      const found = await answer(request, path);
      if (!found) throw new HttpRefusal(404, 'there is no such path');
      return found;
    },
    refuse: (_: unknown, refusal: HttpRefusal) => ({
      status: refusal.status,
      json: { error: refusal.message },
      headers: SECURITY_HEADERS,
    }),
  };
  const limits = { requestSeconds: REQUEST_SECONDS, maxConnections: MAX_CONNECTIONS };
  const front = await openHttp({ host, port, log, ...limits }, () => routes);
  const name = isIPv6(host) ? `[${host}]` : host;
  return {
    url: `http://${name}:${front.port}/#token=${token}`,
    port: front.port,
    close: (millis) => front.close(millis),
  };
}
