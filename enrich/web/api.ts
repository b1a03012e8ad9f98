import type { IncomingMessage } from 'node:http';
import { monotonicMillis, wallMicros } from '../../sensor/base/clock.ts';
import { formatMicros } from '../../sensor/base/timestamp.ts';
import { drillHistory } from '../service/drill-desk.ts';
import { type HttpAnswer, HttpRefusal } from '../service/http-answer.ts';
import { bodyOf } from '../service/http-body.ts';
import { deliveriesOf } from '../service/outputs/delivery-log.ts';
import type { Tokens } from '../service/tokens.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { AlertIndex, type AlertQuery } from './alert-index.ts';
import { addException, dropException, listExceptions, previewException } from './allow.ts';
import { destinationHistory } from './destination-history.ts';
import { type DownloadSources, download } from './downloads.ts';
import { type FlowQuery, FlowSearch, searchFieldOf } from './flow-search.ts';
import { checkHost, checkSameOrigin, REPORT_PATH, SECURITY_HEADERS } from './headers.ts';
import { type ConsoleCounters, type HealthSources, healthOf } from './health.ts';
import { loadPage, type PageFiles } from './page-files.ts';
import { addReview, readReview, reviewsOf } from './reviews.ts';
import { destinationRows, fingerprintRows, hostRows, type RowQuery } from './traffic-rows.ts';
import { TrafficScan } from './traffic-scan.ts';
import type { AlertAnswer, DeliveryLine } from './view.ts';

const DAY_MICROS = 86_400_000_000;
/** Entries of one answer, and what is given when none is asked for. */
const MAX_LIMIT = 200;
const DEFAULT_LIMIT = 50;
/** Characters of a search. */
const MAX_QUERY = 200;
/** Bytes of a review or a report. */
const MAX_BODY = 16_384;
const LIMITS = { bodyBytes: MAX_BODY, inflatedBytes: MAX_BODY };
/** Addresses of the page itself; what it shows there is its own affair. */
const PAGE_PATH = /^\/(?:|alerts|alerts\/[^/]{1,200}|hosts|destinations|fingerprints|search|exceptions|health)$/;

export interface ConsoleOptions extends DownloadSources {
  /** Directory of the exceptions; without one the console keeps none. */
  readonly exceptions?: string;
  /** Tokens with the scope `read` open the console; with `allow` beside it, exceptions may be made and removed. */
  readonly tokens: Tokens;
  /** Host names, lower case, under which the console is served beside loopback. */
  readonly names?: readonly string[];
  readonly health?: HealthSources['more'];
  /** Names of the ways out that alerts have. */
  readonly outputs?: () => readonly string[];
  /** Directory of the built page; by default the one of this package. */
  readonly pageDirectory?: string;
}

/** Answers what is the console's; undefined for a path that is not. Throws HttpRefusal. */
export type ConsoleAnswer = (request: IncomingMessage, path: string) => Promise<HttpAnswer | undefined>;

/** The console as a part of an HTTP server: page, API and report address. */
export function consoleAnswers(options: ConsoleOptions): ConsoleAnswer {
  const files = loadPage(options.pageDirectory);
  const { store } = options;
  const alerts = new AlertIndex(store, monotonicMillis);
  const scan = new TrafficScan(store, monotonicMillis);
  const search = new FlowSearch(store, alerts);
  const counters: ConsoleCounters = { policyReports: 0, refused: 0 };
  const more = options.health === undefined ? {} : { more: options.health };
  const console: Console = {
    ...options,
    files,
    alerts,
    scan,
    search,
    counters,
    health: { store, alerts, scan, counters, ...more },
  };
  return async (request, path) => {
    const run = routeOf(request, path, console);
    if (!run) return undefined;
    try {
      checkHost(request, options.names ?? []);
      const answer = await run();
      return { ...answer, headers: { ...SECURITY_HEADERS, ...answer.headers } };
    } catch (error) {
      if (error instanceof StoreError) throw new HttpRefusal(503, `the store does not answer: ${error.message}`, 2);
      if (error instanceof HttpRefusal && error.status !== 404) counters.refused++;
      throw error;
    }
  };
}

interface Console extends Omit<ConsoleOptions, 'health'> {
  readonly files: PageFiles;
  readonly alerts: AlertIndex;
  readonly scan: TrafficScan;
  readonly search: FlowSearch;
  readonly counters: ConsoleCounters;
  readonly health: HealthSources;
}

type Run = () => HttpAnswer | Promise<HttpAnswer>;

function routeOf(request: IncomingMessage, path: string, console: Console): Run | undefined {
  const { method = '' } = request;
  const isRead = method === 'GET' || method === 'HEAD';
  const { files } = console;
  const asset = files.assets.get(path);
  if (asset) return () => (isRead ? asset : wrongMethod());
  if (PAGE_PATH.test(path)) return isRead ? () => files.document : undefined;
  if (path === REPORT_PATH && method === 'POST') return () => takeReport(request, console.counters);
  if (!path.startsWith('/api/')) return undefined;
  return () => {
    const token = console.tokens.nameFor(request, 'read');
    if (token === undefined) throw new HttpRefusal(401, 'a valid token for this is needed');
    return apiAnswer({ request, path: path.slice('/api/'.length), token, isRead }, console);
  };
}

interface Call {
  readonly request: IncomingMessage;
  /** After /api/. */
  readonly path: string;
  /** Name of the token. */
  readonly token: string;
  readonly isRead: boolean;
}

async function apiAnswer(call: Call, console: Console): Promise<HttpAnswer> {
  const { alerts, scan } = console;
  const query = queryOf(call.request);
  const [name, id, part, ...rest] = call.path.split('/');
  if (name === 'alerts' && id !== undefined && rest.length <= 1) {
    if (part === 'reviews' && rest.length === 0) return review(call, decoded(id), console);
    if (!call.isRead) return wrongMethod();
    if (part === undefined) return oneAlert(decoded(id), console);
    if (part === 'history' && rest.length === 0)
      return json(await destinationHistory(console.store, await found(decoded(id), console.store)));
    const flow = rest[0] === undefined ? undefined : decoded(rest[0]);
    const answer = await download(part, flow, await found(decoded(id), console.store), console);
    if (answer) return answer;
  }
  if (name === 'exceptions' && rest.length === 0) return exceptions(call, id, part, console);
  if (id !== undefined) throw new HttpRefusal(404, 'there is no such path');
  if (!call.isRead) return wrongMethod();
  const rows = rowQuery(query);
  switch (name) {
    case 'alerts':
      return json(await alerts.list({ ...rows, ...choices(query) }));
    case 'hosts':
      return json(await hostRows(await scan.traffic(), alerts, rows));
    case 'destinations':
      return json(await destinationRows(await scan.traffic(), alerts, rows));
    case 'fingerprints':
      return json(fingerprintRows(await scan.traffic(), rows));
    case 'flows':
      return json(await console.search.rows({ ...rows, ...searched(query) }));
    case 'drills':
      return json(await drillHistory(console.store));
    case 'health':
      return json(await healthOf(console.health));
    default:
      throw new HttpRefusal(404, 'there is no such path');
  }
}

async function exceptions(
  { request, isRead }: Call,
  id: string | undefined,
  part: string | undefined,
  { store, tokens, alerts, exceptions: directory }: Console,
): Promise<HttpAnswer> {
  const now = () => wallMicros() / 1000;
  const sources = { store, tokens, now, ...(directory === undefined ? {} : { exceptions: directory }) };
  if (isRead) {
    if (id === undefined) return listExceptions(request, sources);
  } else if (request.method === 'POST') {
    checkSameOrigin(request);
    const body = parsed(await textOf(request));
    if (id === 'preview' && part === undefined) return previewException(body, sources);
    if (id === undefined || part === 'remove') {
      const changed =
        id === undefined ? addException(request, body, sources) : dropException(request, decoded(id), sources);
      alerts.forgetMarks();
      return changed;
    }
  } else return wrongMethod();
  throw new HttpRefusal(404, 'there is no such path');
}

async function oneAlert(id: string, { store, outputs }: Console): Promise<HttpAnswer> {
  const alert = await found(id, store);
  const [reviews, told] = await Promise.all([reviewsOf(store, id), deliveriesOf(store, outputs?.() ?? [], id)]);
  const deliveries = told.map(({ output, delivery: { state, attempts, why, changed } }): DeliveryLine => {
    return { output, state, attempts, at: formatMicros(changed), ...(why === undefined ? {} : { why }) };
  });
  const answer: AlertAnswer = { id: alert.id, revision: alert.revision, body: alert.body, reviews, deliveries };
  return json(answer);
}

async function review(call: Call, id: string, { store, alerts }: Console): Promise<HttpAnswer> {
  if (call.request.method !== 'POST') return wrongMethod();
  checkSameOrigin(call.request);
  const read = readReview(parsed(await textOf(call.request)));
  if (typeof read === 'string') throw new HttpRefusal(400, read);
  await found(id, store);
  const added = await addReview(store, id, { ...read, token: call.token }, wallMicros());
  alerts.forgetFreshness();
  return { status: 201, json: added };
}

async function found(id: string, store: Store) {
  const alert = id === '' || id.length > MAX_QUERY ? undefined : await store.getAlert(id);
  if (!alert) throw new HttpRefusal(404, 'no alert has this id: it may have been taken back by later evidence');
  return alert;
}

/** Counts a report of the browser; what it says is the attacker's and is not kept. */
async function takeReport(request: IncomingMessage, counters: ConsoleCounters): Promise<HttpAnswer> {
  await textOf(request);
  counters.policyReports++;
  return { status: 204, text: '' };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const piece of bodyOf(request, LIMITS)) parts.push(piece);
  return Buffer.concat(parts).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpRefusal(400, 'the body is not JSON');
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpRefusal(400, 'the address is damaged');
  }
}

function queryOf(request: IncomingMessage): URLSearchParams {
  const url = request.url ?? '';
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1, at + 2_048));
}

const rowQuery = (query: URLSearchParams): RowQuery => ({
  text: (query.get('q') ?? '').slice(0, MAX_QUERY),
  offset: wholeNumber(query.get('offset'), 0, 1_000_000),
  limit: wholeNumber(query.get('limit'), DEFAULT_LIMIT, MAX_LIMIT),
});

function choices(query: URLSearchParams): Pick<AlertQuery, 'tier' | 'state' | 'sort'> {
  const [tier, state, sort] = [query.get('tier'), query.get('state'), query.get('sort')];
  return {
    tier: tier === 'high' || tier === 'medium' ? tier : '',
    state: state === 'closed' || state === 'all' ? state : 'open',
    sort: sort === 'time' ? 'time' : 'rank',
  };
}

/** Days in UTC; one that is none bounds nothing. */
function searched(query: URLSearchParams): Pick<FlowQuery, 'field' | 'from' | 'to'> {
  const [from, to] = [query.get('from'), query.get('to')].map((text) => {
    const millis = /^\d{4}-\d\d-\d\d$/.test(text ?? '') ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
    return Number.isNaN(millis) ? undefined : Math.max(0, millis * 1_000);
  });
  return {
    field: searchFieldOf(query.get('field')),
    from: from ?? 0,
    to: to === undefined ? Number.MAX_SAFE_INTEGER : to + DAY_MICROS - 1,
  };
}

function wholeNumber(text: string | null, otherwise: number, most: number): number {
  return text !== null && /^\d{1,7}$/.test(text) ? Math.min(Number(text), most) : otherwise;
}

const json = (value: unknown): HttpAnswer => ({ status: 200, json: value });

function wrongMethod(): never {
  throw new HttpRefusal(405, 'wrong method');
}
