import type { IncomingMessage } from 'node:http';
import { monotonicMillis } from '../../sensor/base/clock.ts';
import { METRICS_TYPE } from '../../sensor/base/metrics.ts';
import { parseJson } from '../ingest/json-object.ts';
import type { DrillDesk } from './drill-desk.ts';
import { elasticProbe, takeBulk } from './elastic-bulk.ts';
import { type HttpAnswer, HttpRefusal } from './http-answer.ts';
import { type BodyLimits, bodyOf } from './http-body.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Receipt, Receiver } from './receive.ts';
import {
  Acknowledgements,
  channelOf,
  HEC_HEALTHY,
  HEC_INVALID,
  HEC_NO_CHANNEL,
  HEC_NO_DATA,
  hecRefusal,
  hecSuccess,
} from './splunk-hec.ts';
import type { Scope, Tokens } from './tokens.ts';

/** Bytes of bodies being read at one time, all requests together, as far as senders declare them. */
const MAX_BODIES_BYTES = 512 << 20;

/** Seconds after which a sender should come again while the store is waited for. */
const WAITING_SECONDS = 5;

export interface RouteSettings {
  readonly tokens: Tokens;
  /** Why no token is asked for: only this machine reaches the port, or senders show certificates. */
  readonly open: 'loopback' | 'certificate' | undefined;
  readonly limits: BodyLimits;
  readonly rate: RateLimit;
  /** Host names, lower case, under which browsers reach the port, beside loopback. */
  readonly names: readonly string[];
  readonly isTls: boolean;
}

export interface RouteSource {
  /** Undefined while the store is waited for. */
  readonly receiver: Receiver | undefined;
  readonly drills?: DrillDesk;
  readonly metrics: () => string;
  /** What waits, one line each. */
  readonly complaints: () => readonly string[];
  /** Further pages (the console): undefined for a path that is not theirs. */
  readonly pages?: (request: IncomingMessage, path: string) => Promise<HttpAnswer | undefined>;
}

export interface Routes {
  answer(request: IncomingMessage): Promise<HttpAnswer>;
  /** The refusal in the manner of the path. */
  refuse(request: IncomingMessage, refusal: HttpRefusal): HttpAnswer;
}

export const answerRequest = (request: IncomingMessage, routes: Routes): Promise<HttpAnswer> => routes.answer(request);

interface Call {
  readonly request: IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Name of the token, for records that name no sender. */
  readonly sender: string;
  /** The body; may be read once. */
  readonly body: () => AsyncGenerator<Buffer>;
}

interface Route {
  readonly method: 'POST' | 'GET' | 'PUT';
  readonly path: RegExp;
  readonly scope: Scope | undefined;
  readonly run: (call: Call) => Promise<HttpAnswer> | HttpAnswer;
}

const HEC = /^\/services\/collector/;

/** All paths of the service. */
export function buildRoutes(settings: RouteSettings, source: RouteSource): Routes {
  const table = routeTable(source);
  let reading = 0;
  return {
    async answer(request) {
      const { path, query } = target(request);
      checkBrowser(request, settings);
      const routes = table.filter((route) => route.path.test(path));
      const route = routes.find(({ method }) => method === request.method);
      if (!route) {
        const page = await source.pages?.(request, path);
        if (page) return page;
        admit(request, 'events', settings);
        const probe = elasticProbe(request.method ?? '', path);
        if (probe) return probe;
        throw routes.length > 0 ? new HttpRefusal(405, 'wrong method') : new HttpRefusal(404, 'there is no such path');
      }
      const sender = route.scope === undefined ? '' : admit(request, route.scope, settings);
      const wait = route.method === 'POST' ? settings.rate.wait(sender, monotonicMillis()) : 0;
      if (wait > 0) throw new HttpRefusal(429, 'too many requests', wait);
      const weight = Number(request.headers['content-length'] ?? settings.limits.bodyBytes);
      if (reading + weight > MAX_BODIES_BYTES) throw new HttpRefusal(503, 'too many bodies at one time', 1);
      reading += weight;
      try {
        return await route.run({ request, path, query, sender, body: () => bodyOf(request, settings.limits) });
      } finally {
        reading -= weight;
      }
    },
    refuse(request, refusal) {
      if (HEC.test(target(request).path)) return hecRefusal(refusal);
      return { status: refusal.status, json: { error: refusal.message } };
    },
  };
}

function routeTable(source: RouteSource): readonly Route[] {
  const acks = new Acknowledgements();
  const receiver = (): Receiver => {
    if (source.receiver) return source.receiver;
    throw new HttpRefusal(503, source.complaints()[0] ?? 'not ready', WAITING_SECONDS);
  };
  const hec = (call: Call): Promise<HttpAnswer> => takeHec(call, receiver(), acks);
  return [
    { method: 'GET', path: /^\/healthz$/, scope: undefined, run: () => ({ status: 200, text: 'ok\n' }) },
    { method: 'GET', path: /^\/readyz$/, scope: undefined, run: () => readiness(source.complaints()) },
    {
      method: 'GET',
      path: /^\/metrics$/,
      scope: 'read',
      run: () => ({ status: 200, text: source.metrics(), type: METRICS_TYPE }),
    },
    {
      method: 'POST',
      path: /^\/v1\/events$/,
      scope: 'events',
      run: async ({ body, sender }) => receiptAnswer(await receiver().events(body(), { sender })),
    },
    {
      method: 'POST',
      path: /^\/v1\/flows$/,
      scope: 'flows',
      run: async ({ body }) => receiptAnswer(await receiver().flows(body())),
    },
    ...drillRoutes(source),
    { method: 'GET', path: /^\/services\/collector\/health(\/1\.0)?$/, scope: undefined, run: () => HEC_HEALTHY },
    {
      method: 'POST',
      path: /^\/services\/collector\/ack(\/1\.0)?$/,
      scope: 'events',
      run: async (call) => answerAcks(call, acks),
    },
    { method: 'POST', path: /^\/services\/collector(\/(event|raw)(\/1\.0)?)?$/, scope: 'events', run: hec },
    ...(['POST', 'PUT'] as const).map((method) => ({
      method,
      path: /^(\/[^/]{1,255})?\/_bulk$/,
      scope: 'events' as const,
      run: ({ body, sender }: Call) => takeBulk(body(), { sender }, receiver()),
    })),
  ];
}

function drillRoutes(source: RouteSource): readonly Route[] {
  const desk = (): DrillDesk => {
    if (source.drills) return source.drills;
    throw new HttpRefusal(503, source.complaints()[0] ?? 'not ready', WAITING_SECONDS);
  };
  const idOf = (path: string): string => path.split('/')[3] ?? '';
  const all = /^\/v1\/drills$/;
  const scope = 'drill';
  return [
    {
      method: 'POST',
      path: all,
      scope,
      run: async ({ body, sender }) => desk().announce(await jsonOf(body()), sender),
    },
    { method: 'GET', path: all, scope, run: () => desk().history() },
    { method: 'GET', path: /^\/v1\/drills\/[^/]+$/, scope, run: ({ path, query }) => desk().look(idOf(path), query) },
    {
      method: 'POST',
      path: /^\/v1\/drills\/[^/]+\/report$/,
      scope,
      run: async ({ path, body }) => desk().report(idOf(path), await jsonOf(body())),
    },
  ];
}

async function jsonOf(body: AsyncIterable<Buffer>): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const piece of body) parts.push(piece);
  const read = parseJson(Buffer.concat(parts).toString('utf8'));
  if (!read.ok) throw new HttpRefusal(400, 'the body is not JSON');
  return read.value;
}

function receiptAnswer(receipt: Receipt): HttpAnswer {
  const bad = receipt.damaged + receipt.rejected;
  const nothingRead = receipt.accepted === 0 && receipt.ignored === 0 && receipt.unknown === 0;
  return { status: nothingRead && bad > 0 ? 400 : 202, json: receipt };
}

async function takeHec(
  { request, query, sender, body }: Call,
  receiver: Receiver,
  acks: Acknowledgements,
): Promise<HttpAnswer> {
  const channel = channelOf(headerText(request, 'x-splunk-request-channel'), query);
  const host = query.get('host');
  const receipt = await receiver.events(body(), { sender, ...(host === null || host === '' ? {} : { host }) });
  const read = receipt.accepted + receipt.ignored + receipt.unknown + receipt.rejected;
  if (read + receipt.damaged === 0) return HEC_NO_DATA;
  if (read === 0) return HEC_INVALID;
  return hecSuccess(channel === undefined ? undefined : acks.give(channel));
}

async function answerAcks({ request, query, body }: Call, acks: Acknowledgements): Promise<HttpAnswer> {
  const channel = channelOf(headerText(request, 'x-splunk-request-channel'), query);
  if (channel === undefined) return HEC_NO_CHANNEL;
  const parts: Buffer[] = [];
  for await (const piece of body()) parts.push(piece);
  const question = parseJson(Buffer.concat(parts).toString('utf8'));
  return (question.ok ? acks.answer(channel, question.value) : undefined) ?? HEC_INVALID;
}

function readiness(complaints: readonly string[]): HttpAnswer {
  if (complaints.length === 0) return { status: 200, text: 'ready\n' };
  return { status: 503, text: `not ready\n${complaints.join('\n')}\n` };
}

/** Name of the sender; one refusal for every way of not being one. */
function admit(request: IncomingMessage, scope: Scope, { tokens, open }: RouteSettings): string {
  if (open !== undefined) return '';
  const name = tokens.nameFor(request, scope);
  if (name === undefined) throw new HttpRefusal(401, 'a valid token for this is needed');
  return name;
}

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Refuses what a page of another site has a browser send, and what a page sends whose own name was rebound to this address
 * (it still says that name). Senders that are no browsers say no Origin: they come by whatever name, and need a token where
 * more than this machine reaches the port.
 */
function checkBrowser({ headers }: IncomingMessage, { open, names, isTls }: RouteSettings): void {
  const host = headers.host?.toLowerCase() ?? 'localhost';
  const name = host.replace(/:\d{1,5}$/, '');
  const isOurs = LOOPBACK.test(name) || names.includes(name);
  const { origin } = headers;
  const [, scheme, from] = /^(https?):\/\/(.+)$/.exec(origin?.toLowerCase() ?? '') ?? [];
  // Behind a proxy that ends TLS the page's scheme is https although ours is not.
  const isSameOrigin = origin === undefined || (from === host && (scheme === 'https' || !isTls));
  if (isSameOrigin && (isOurs || (origin === undefined && open !== 'loopback'))) return;
  if (isOurs) throw new HttpRefusal(421, 'not for pages of other sites');
  throw new HttpRefusal(421, 'this name is not served here; service.names lists the names of this port');
}

function target(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const url = (request.url ?? '/').slice(0, 8_192);
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  return {
    path: path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path,
    query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)),
  };
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
