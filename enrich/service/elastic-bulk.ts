/** The part of Elasticsearch that shippers speak to: `_bulk`, and what Beats and Logstash ask before they write. */
import { StringDecoder } from 'node:string_decoder';
import type { EndpointEvent } from '../event/endpoint-event.ts';
import { isObject, own, parseJson } from '../ingest/json-object.ts';
import type { RecordContext } from '../ingest/reading.ts';
import { type HttpAnswer, HttpRefusal } from './http-answer.ts';
import type { Receiver } from './receive.ts';

const MAX_ITEMS = 100_000;
const MAX_LINE_CHARS = 1 << 20;
/** What we say to be: shippers refuse servers older than themselves, and newer ones by a major version. */
const VERSION = '8.19.0';
const PRODUCT = { 'x-elastic-product': 'Elasticsearch' };
const ACTIONS = ['index', 'create', 'update', 'delete'] as const;

type Action = (typeof ACTIONS)[number];
type Item = Readonly<Record<string, unknown>>;

/** Reads `_bulk`, stores what it can, and answers for each item, so that nobody repeats a batch for one bad record. */
export async function takeBulk(
  body: AsyncIterable<Buffer>,
  context: RecordContext,
  receiver: Receiver,
): Promise<HttpAnswer> {
  const started = performance.now();
  const normalizer = receiver.normalizer();
  const events: EndpointEvent[] = [];
  const items: Item[] = [];
  let action: Action | undefined;
  for await (const line of lines(body)) {
    if (items.length >= MAX_ITEMS) throw new HttpRefusal(413, `more than ${MAX_ITEMS} items; send smaller batches`);
    if (action === undefined) {
      if (line.trim() === '') continue;
      action = actionOf(line);
      if (action === 'delete') items.push(item(action, 200, { result: 'noop' }));
      if (action === 'delete') action = undefined;
      continue;
    }
    const parsed = parseJson(line);
    if (parsed.ok && isObject(parsed.value)) {
      for (const event of normalizer.normalize(parsed.value, context)) events.push(event);
      items.push(item(action, action === 'create' ? 201 : 200, { result: 'created' }));
    } else {
      const reason = parsed.ok ? 'not an object' : parsed.why;
      normalizer.summary.noteDamage(`item ${items.length + 1}`, reason);
      items.push(item(action, 400, { error: { type: 'document_parsing_exception', reason } }));
    }
    action = undefined;
  }
  if (action !== undefined)
    items.push(item(action, 400, { error: { type: 'parse_exception', reason: 'no source line' } }));
  for (const event of normalizer.drain()) events.push(event);
  await receiver.keepEvents(events);
  receiver.receipt(normalizer.summary, events.length);
  const errors = items.some((entry) =>
    Object.values(entry).some((value) => isObject(value) && Number(own(value, 'status')) >= 400),
  );
  return { status: 200, headers: PRODUCT, json: { took: Math.round(performance.now() - started), errors, items } };
}

const item = (action: Action, status: number, more: Readonly<Record<string, unknown>>): Item => ({
  [action]: { _index: 'waybill', _id: null, status, ...more },
});

function actionOf(line: string): Action {
  const parsed = parseJson(line);
  const keys = parsed.ok && isObject(parsed.value) ? Object.keys(parsed.value) : [];
  const action = ACTIONS.find((name) => keys.length === 1 && keys[0] === name);
  // Without knowing which lines are sources the rest cannot be read; nothing of the request has been stored.
  if (action === undefined)
    throw new HttpRefusal(400, 'a line that should be an action (index, create, update, delete)');
  return action;
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const piece of body) {
    const parts = (rest + decoder.write(piece)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) throw new HttpRefusal(413, 'a line longer than 1 MiB');
    yield* parts;
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}

/** What Beats, Logstash and Elastic's own clients ask a server first. Undefined for any other path. */
export function elasticProbe(method: string, path: string): HttpAnswer | undefined {
  const json = (value: unknown): HttpAnswer => ({ status: 200, headers: PRODUCT, json: value });
  if (path === '/' && (method === 'GET' || method === 'HEAD')) {
    return json({
      name: 'waybill',
      cluster_name: 'waybill',
      cluster_uuid: 'waybill-receiver-00000',
      version: {
        number: VERSION,
        build_flavor: 'default',
        lucene_version: '9.12.0',
        minimum_wire_compatibility_version: '7.17.0',
      },
      tagline: 'You Know, for Search',
    });
  }
  if (path === '/_license' || path === '/_xpack') {
    const license = { status: 'active', uid: 'waybill', type: 'basic', mode: 'basic' };
    return json({
      license,
      ...(path === '/_xpack' ? { features: { ilm: { available: false, enabled: false } } } : {}),
    });
  }
  if (path === '/_cluster/health') return json({ cluster_name: 'waybill', status: 'green', number_of_nodes: 1 });
  if (path === '/_nodes/http' || path === '/_nodes/_all/http') return json({ nodes: {} });
  // Templates and policies are set up by shippers that manage indices; there are none here, so they are there already.
  const isSetUp =
    /^\/(_index_template|_template|_component_template|_ilm\/policy|_ingest\/pipeline|_data_stream|_alias)(\/[^/]{1,200})?$/.test(
      path,
    );
  return isSetUp ? json({ acknowledged: true }) : undefined;
}
