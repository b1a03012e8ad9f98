import type { ProcessRef } from '../../event/endpoint-event.ts';
import { archiveTypeOfFile } from '../archive-magic.ts';
import { end, transportOf } from '../connection-ends.ts';
import { hashesFrom, idOf, integerOf, pidOf, portOf, textOf, userOf } from '../field-values.ts';
import { joinedPath } from '../joined-path.ts';
import { at, isObject, type JsonObject, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type Draft, type EventBody, hostRef, ignored, ipsOf, type Reading, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

type Field = (name: string) => unknown;
type Body = EventBody | { readonly reject: string } | { readonly ignore: true };

/** Events of the agent, by type. `urlMonitorEvent` has no local address, so it is no connection. */
const READERS: ReadonlyMap<string, ((field: Field) => Body) | undefined> = new Map([
  ['processEvent', processEvent],
  ['ipv4NetworkEvent', connection],
  ['ipv6NetworkEvent', connection],
  ['fileWriteEvent', fileWrite],
  ['dnsLookupEvent', dnsLookup],
  ['imageLoadEvent', imageLoad],
  ['addressNotificationEvent', hostAddress],
  ['urlMonitorEvent', undefined],
  ['regKeyEvent', undefined],
]);

/** Most pairs of a `details` list. */
const MAX_DETAILS = 128;

/**
 * Trellix (FireEye) Endpoint Security HX: alerts of the API and of its exports, whose `event_values` have the type before each
 * name (`ipv4NetworkEvent/remoteIP`), and items of a triage's `stateagentinspector`.
 *
 * Sources: docs.trellix.com (process, network, file write and DNS lookup events); rapid7/insightconnect-plugins, `fireeye_hx`;
 * yampelo/beagle, `fireeye_hx_transformer.py`; demisto/content, `FireEyeHXv2`.
 */
export const fireeyeHx: Adapter = {
  feed: 'fireeye-hx',
  claims: (record) => {
    const type = typeOf(record);
    return type !== undefined && READERS.has(type) && valuesOf(record, type) !== undefined;
  },
  read(record, context): Reading | undefined {
    const feed = 'fireeye-hx';
    const type = typeOf(record);
    const field = type === undefined ? undefined : valuesOf(record, type);
    if (type === undefined || !field) return undefined;
    const body = READERS.get(type)?.(field) ?? { ignore: true };
    if ('ignore' in body) return ignored(feed, type);
    if ('reject' in body) return rejected(feed, type, body.reject);
    const draft = timed(body, record, field);
    if (!draft) return rejected(feed, type, 'no time');
    const agent = idOf(at(record, 'agent._id')) ?? idOf(own(record, 'agent_id')) ?? idOf(at(record, 'host.agent_id'));
    const host = hostRef(hostName(record) ?? context.host, agent);
    const id = idOf(own(record, 'uid')) ?? idOf(own(record, 'event_id'));
    return {
      kind: 'events',
      feed,
      type,
      host,
      drafts: [draft],
      // Several conditions may raise an alert on one event; its number is the agent's.
      ...(id === undefined ? {} : { vendorId: [feed, host.id, type, id] }),
    };
  },
};

const typeOf = (record: JsonObject): string | undefined => {
  const type = textOf(own(record, 'event_type'));
  return type !== undefined && READERS.has(type) ? type : textOf(own(record, 'eventType'));
};

function hostName(record: JsonObject): string | undefined {
  const names = ['hostname', 'host.hostname', 'agent.hostname', 'host.name'];
  return names.map((name) => textOf(at(record, name))).find((name) => name !== undefined);
}

/** The fields of the event, wherever the record has them; undefined when it has none. */
function valuesOf(record: JsonObject, type: string): Field | undefined {
  const values = own(record, 'event_values');
  if (isObject(values)) return prefixed(values, type);
  const details = at(record, 'details.detail') ?? own(record, 'details');
  if (Array.isArray(details)) return prefixed(pairs(details), type);
  const inner = own(record, type);
  if (isObject(inner)) return prefixed(inner, type);
  return Object.keys(record).some((key) => key.startsWith(`${type}/`)) ? prefixed(record, type) : undefined;
}

const prefixed =
  (values: JsonObject, type: string): Field =>
  (name) =>
    own(values, `${type}/${name}`) ?? own(values, name);

function pairs(details: readonly unknown[]): JsonObject {
  return Object.fromEntries(
    details.slice(0, MAX_DETAILS).flatMap((entry) => {
      const name = isObject(entry) ? textOf(own(entry, 'name')) : undefined;
      return name === undefined || !isObject(entry) ? [] : [[name, own(entry, 'value')]];
    }),
  );
}

/** A start is as old as the process: the agent tells of those that ran already, too. */
function timed(body: EventBody, record: JsonObject, field: Field): Draft | undefined {
  const started = body.kind === 'process_start' ? body.process.startedAt : undefined;
  const time =
    started ??
    utcMicros(field('timestamp')) ??
    utcMicros(field('timeStamp')) ??
    utcMicros(own(record, 'timestamp')) ??
    utcMicros(own(record, 'event_at'));
  if (time === undefined) return undefined;
  const startsProcess = body.kind === 'process_start' && started === undefined;
  return { body, at: time, clock: 'exact', ...(startsProcess ? { startsProcess: true } : {}) };
}

function process(field: Field, startedAt?: number): ProcessRef {
  return processRef({
    pid: pidOf(field('pid')),
    startedAt,
    image: joinedPath(textOf(field('processPath')), textOf(field('process'))),
    user: userOf(field('username')),
    parent: parentRef({
      pid: pidOf(field('parentPid')),
      image: joinedPath(textOf(field('parentProcessPath')), textOf(field('parentProcess'))),
    }),
  });
}

/** `start`, `end`, and `running` for those that the agent found when it began; 1 and 2 in the raw form. */
function processEvent(field: Field): Body {
  const what = (textOf(field('eventType')) ?? textOf(field('eventTypeRaw')))?.toLowerCase();
  const startedAt = utcMicros(field('startTime'));
  const found = process(field, startedAt);
  if (found.entityKind === 'none') return { reject: 'no process' };
  if (what === 'end' || what === '2') return { kind: 'process_end', process: found };
  const isKnownStart = what === 'start' || what === '1' || (what === 'running' && startedAt !== undefined);
  if (!isKnownStart) return { ignore: true };
  const hashes = hashesFrom({ md5: field('md5') });
  const commandLine = textOf(field('processCmdLine'));
  return { kind: 'process_start', process: { ...found, ...compact({ hashes, commandLine }) } };
}

/** The local end stands first; who opened the connection is not told. */
function connection(field: Field): Body {
  const source = end(textOf(field('localIP')), portOf(field('localPort')));
  const destination = end(textOf(field('remoteIP')), portOf(field('remotePort')));
  if (source.ip === '' && destination.ip === '') return { reject: 'no addresses' };
  return {
    kind: 'connection',
    process: process(field),
    direction: 'unknown',
    transport: transportOf(textOf(field('protocol')) ?? textOf(field('protocolNum'))),
    source,
    destination,
  };
}

function pathOf(field: Field): string | undefined {
  const whole = textOf(field('fullPath'));
  if (whole !== undefined) return whole;
  const drive = textOf(field('drive'));
  const directory = textOf(field('filePath'));
  const prefix = drive === undefined || directory === undefined ? '' : `${drive.replace(/:?\\?$/, '')}:\\`;
  return joinedPath(directory === undefined ? undefined : prefix + directory, textOf(field('fileName')));
}

/** `md5` is the file's here. Its first bytes tell what it is, if they are its first. */
function fileWrite(field: Field): Body {
  const path = pathOf(field);
  if (path === undefined) return { reject: 'no path' };
  const head = integerOf(field('lowestFileOffsetSeen')) === 0 ? textOf(field('dataAtLowestOffset')) : undefined;
  const hex = head === undefined ? '' : Buffer.from(head.slice(0, 64), 'base64').toString('hex');
  return {
    kind: 'file_write',
    op: 'modify',
    path,
    process: process(field),
    ...compact({ size: integerOf(field('size')), mimeType: archiveTypeOfFile(hex, path) }),
  };
}

function dnsLookup(field: Field): Body {
  const name = textOf(field('hostname'));
  return name === undefined ? { reject: 'no name' } : { kind: 'dns_query', process: process(field), name, answers: [] };
}

function imageLoad(field: Field): Body {
  const path = pathOf(field);
  return path === undefined ? { reject: 'no module path' } : { kind: 'image_load', process: process(field), path };
}

function hostAddress(field: Field): Body {
  const ips = ipsOf(field('address'));
  return ips.length === 0 ? { reject: 'no address' } : { kind: 'host_address', ips };
}
