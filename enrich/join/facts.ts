import { createHash } from 'node:crypto';
import { MICROS_PER_SECOND, parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { ConnectionEvent, EndpointEvent, FileEvent, HostRef, ProcessRef } from '../event/endpoint-event.ts';
import { mayBurst } from '../evidence/burst.ts';
import { imageIdentity } from '../evidence/process-identity.ts';
import { requestedProgram, requestsIn } from '../evidence/requests.ts';
import type { StagingFact } from '../evidence/staging.ts';
import type { Fact } from '../store/store.ts';
import { drillNameOf } from './drill-mark.ts';
import type { JoinResult } from './join-flow.ts';
import { remoteKey, tupleKey } from './tuple.ts';

/** A lease (host had address) is kept once an hour. */
const LEASE_BUCKET = 3600 * MICROS_PER_SECOND;
/** Index keys of a fact: `Store` allows 8. */
const MAX_ANSWERS = 6;
/** Longest index key; longer ones are replaced by their hash. */
const MAX_KEY = 400;

/** Longest path kept of an ordinary file, characters. */
const MAX_FILE_TEXT = 1_024;

export interface JoinedBody {
  readonly record: FlowRecord;
  readonly join: JoinResult;
  /** Another host turned out to have had the address: the flow is no longer this host's. */
  readonly moved?: true;
  /** Id of the announced drill that the flow is the connection of. */
  readonly drill?: string;
}
export interface FlowBody {
  readonly record: FlowRecord;
}
export interface ConnectionBody {
  readonly host: HostRef;
  readonly process: ProcessRef;
  readonly feed: string;
  readonly outcome?: string;
  /** Aggregated rows only: end of the window, microseconds. */
  readonly until?: number;
  /** Set when `at` is not the opening by the host's own clock: the closing, or the moment of receipt. */
  readonly moment?: 'end' | 'received';
  /** The address is of a gateway that translates: the host behind it has another one. */
  readonly translated?: true;
}
/** Of the mark at a host. */
export interface UnexplainedBody {
  /** Shard of the flow. */
  readonly ip: string;
}
export interface LeaseBody {
  readonly host: HostRef;
}
export interface DnsBody {
  readonly process: ProcessRef;
  readonly name: string;
}
export interface ProcessBody {
  readonly kind: 'start' | 'end' | 'seen';
  readonly process: ProcessRef;
  readonly feed: string;
  /** Raw event id. */
  readonly event: string;
}

export const hostShard = (hostId: string): string => `host:${hostId}`;
export const ipShard = (ip: string): string => `ip:${ip}`;

/** Text as an index key of bounded length; case is folded, because names and paths on Windows have none. */
export function indexKey(prefix: string, text: string): string {
  const folded = text.toLowerCase();
  const body = folded.length > MAX_KEY ? createHash('sha256').update(folded).digest('hex') : folded;
  return `${prefix}:${body}`;
}

/** Index key of the flows of one program on one UTC day; versions and user folders of its path are folded. */
export function programKey(image: string, day: number): string {
  return indexKey('program', `${day}|${imageIdentity(image)}`);
}

/** Index key of the starts of one program. */
export const startedKey = (image: string): string => indexKey('started', imageIdentity(image));

/** Index key of processes that asked a service to transfer something to a host, or to start a program. */
export const requestKey = (kind: 'transfer' | 'start', about: string): string => indexKey(`asked-${kind}`, about);

/** Index key of the flow of a drill. */
export const drillKey = (name: string): string => indexKey('drill', name);

/** One fact a flow: of its records the latest stays. */
export function factOfFlow(record: FlowRecord): Fact {
  const drill = drillNameOf(record);
  return {
    shard: ipShard(record.source.ip),
    kind: 'flow',
    id: record.waybill.flow_id,
    at: parseMicros(record.event.start) ?? 0,
    keys: [
      tupleKey(record.network.transport, record.source, record.destination),
      ...(drill === undefined ? [] : [drillKey(drill)]),
    ],
    version: flowVersion(record),
    body: { record } satisfies FlowBody,
  };
}

/**
 * That no event of its very connection explains a flow yet. By this, what comes late finds the flows that it may explain,
 * and none of the many that need nothing any more: an event of another connection to the same remote end by the one at the
 * flow's address, a look-up or an exact match of another flow by the one at its host.
 * @param hostId whose address it was, where that is known
 */
export function unexplainedFacts(record: FlowRecord, hostId: string | undefined): Fact[] {
  const ja4 = record.tls?.client?.ja4;
  const mark = {
    kind: 'unexplained',
    id: record.waybill.flow_id,
    at: parseMicros(record.event.start) ?? 0,
    version: 0,
  } as const;
  const ip = ipShard(record.source.ip);
  const atAddress = {
    ...mark,
    shard: ip,
    keys: [remoteKey(record.network.transport, record.destination)],
    body: {},
  };
  if (hostId === undefined) return [atAddress];
  const keys = [lookUpKey(record), ...(ja4 === undefined ? [] : [indexKey('ja4', ja4), greetingKey(record, ja4)])];
  return [atAddress, { ...mark, shard: hostShard(hostId), keys, body: { ip } satisfies UnexplainedBody }];
}

/** Takes the place of the marks once the flow is explained: by no key is it found any more. */
export const explainedFacts = (record: FlowRecord, hostId: string | undefined): Fact[] =>
  unexplainedFacts(record, hostId).map((mark) => ({ ...mark, keys: [], version: 1 }));

/** Key of the look-ups that may explain a flow. */
export function lookUpKey({ destination: { domain, ip } }: FlowRecord): string {
  return domain === undefined ? indexKey('ip', ip) : indexKey('name', domain);
}

/** By this, flows that show the same hello to the same name are found; to the same address where none is shown. */
export const greetingKey = ({ destination }: FlowRecord, ja4: string): string =>
  indexKey('greeting', `${ja4}|${destination.domain ?? destination.ip}`);

/** Grows with every record of a flow: last packet in milliseconds, then whether it has ended. Below 2^43. */
export function flowVersion(record: FlowRecord): number {
  const end = Math.floor((parseMicros(record.event.end) ?? 0) / 1000);
  return end * 2 + (record.event.action === 'flow_end' ? 1 : 0);
}

/** What an endpoint event adds to the store. `staging` is what the evidence part read from the same event. */
export function factsOfEvent(event: EndpointEvent, staging: readonly StagingFact[]): Fact[] {
  const facts: Fact[] = [];
  const shard = hostShard(event.host.id);
  if ('process' in event && event.process.entityKind !== 'none') facts.push(processFact(event, event.process, shard));
  for (const fact of staging) {
    facts.push({ shard, kind: 'staging', id: fact.id, at: fact.at, keys: [], version: 0, body: fact });
  }
  for (const ip of event.host.ips ?? []) facts.push(leaseFact(event.host, ip, event.at));
  if (event.kind === 'host_address') for (const ip of event.ips) facts.push(leaseFact(event.host, ip, event.at));
  if (event.kind === 'connection') facts.push(...connectionFacts(event));
  if (event.kind === 'dns_query') {
    facts.push({
      shard,
      kind: 'dns',
      id: event.id,
      at: event.at,
      keys: [indexKey('name', event.name), ...event.answers.slice(0, MAX_ANSWERS).map((ip) => indexKey('ip', ip))],
      version: 0,
      body: { process: event.process, name: event.name } satisfies DnsBody,
    });
  }
  if (isFileEvent(event) && mayBurst(event)) facts.push(fileFact(event, shard));
  if (event.kind === 'feed_gap') {
    facts.push({
      shard,
      kind: 'gap',
      id: event.id,
      at: event.at,
      keys: [],
      version: 0,
      body: { reason: event.reason },
    });
  }
  return facts;
}

const isFileEvent = (event: EndpointEvent): event is FileEvent =>
  event.kind === 'file_write' || event.kind === 'file_read' || event.kind === 'file_delete';

/** What a burst of files is told by, and no more: who, where, when, how large. */
function fileFact(event: FileEvent, shard: string): Fact {
  const { entityId, entityKind, pid, image, user, logonId, parent } = event.process;
  const process: ProcessRef = {
    entityId,
    entityKind,
    ...(pid === undefined ? {} : { pid }),
    ...(image === undefined ? {} : { image: image.slice(0, MAX_FILE_TEXT) }),
    ...(user === undefined ? {} : { user }),
    ...(logonId === undefined ? {} : { logonId }),
    ...(parent?.entityId === undefined
      ? {}
      : { parent: { entityId: parent.entityId, ...(parent.image === undefined ? {} : { image: parent.image }) } }),
  };
  const { kind, op, id, feed, at, timeQuality, host, path, size } = event;
  const body: FileEvent = {
    ...{ kind, op, id, feed, at, timeQuality, host: { id: host.id }, process, path: path.slice(0, MAX_FILE_TEXT) },
    ...(size === undefined ? {} : { size }),
  };
  return { shard, kind: 'file', id: event.id, at, keys: [], version: 0, body };
}

function connectionFacts(event: ConnectionEvent): Fact[] {
  const transport = event.transport;
  const body: ConnectionBody = {
    host: event.host,
    process: event.process,
    feed: event.feed,
    ...(event.outcome ? { outcome: event.outcome } : {}),
    ...(event.aggregate ? { until: event.aggregate.until } : {}),
    ...momentOf(event),
  };
  const keys = [remoteKey(transport, event.destination)];
  if (event.source.port !== 0) keys.push(tupleKey(transport, event.source, event.destination));
  const at = (ip: string): Fact => ({
    shard: ipShard(ip),
    kind: 'connection',
    id: event.id,
    at: event.at,
    keys,
    version: 0,
    body,
  });
  if (event.direction === 'ingress') return [];
  return [at(event.source.ip), leaseFact(event.host, event.source.ip, event.at)];
}

function momentOf({ phase, timeQuality }: ConnectionEvent): Pick<ConnectionBody, 'moment'> {
  if (phase === 'end') return { moment: 'end' };
  return timeQuality === 'received' ? { moment: 'received' } : {};
}

function leaseFact(host: HostRef, ip: string, at: number): Fact {
  const bucket = Math.floor(at / LEASE_BUCKET) * LEASE_BUCKET;
  return {
    shard: ipShard(ip),
    kind: 'lease',
    id: `${host.id}|${bucket}`,
    at: bucket,
    keys: [],
    version: 0,
    body: { host: { id: host.id, ...(host.name ? { name: host.name } : {}) } } satisfies LeaseBody,
  };
}

/** Starts and ends are kept as they are; any other sighting once per process and content, the earliest of them. */
function processFact(event: EndpointEvent, process: ProcessRef, shard: string): Fact {
  const kind = event.kind === 'process_start' ? 'start' : event.kind === 'process_end' ? 'end' : 'seen';
  const id = kind === 'seen' ? `seen|${process.entityId}|${contentHash(process)}` : `${kind}|${event.id}`;
  const keys = [indexKey('entity', process.entityId)];
  if (process.pid !== undefined) keys.push(`pid:${process.pid}`);
  if (kind === 'start' && process.image !== undefined) keys.push(startedKey(process.image));
  if (kind === 'start') {
    const { transfersTo, starts } = requestsIn(process.commandLine);
    keys.push(...transfersTo.map((host) => requestKey('transfer', host)));
    keys.push(...starts.map((line) => requestKey('start', requestedProgram(line))));
  }
  return {
    shard,
    kind: 'process',
    id,
    at: event.at,
    keys: [...new Set(keys)],
    version: kind === 'seen' ? -event.at : 0,
    body: { kind, process, feed: event.feed, event: event.id } satisfies ProcessBody,
  };
}

const contentHash = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
