import { formatMicros } from '../../sensor/base/timestamp.ts';
import type { StagingFact } from '../evidence/staging.ts';
import { HostClocks } from '../join/clock.ts';
import { type Drill, drillFileName, drillServerName, isHostOf } from '../join/drill-mark.ts';
import {
  type ConnectionBody,
  drillKey,
  type FlowBody,
  hostShard,
  ipShard,
  type JoinedBody,
  type LeaseBody,
  type ProcessBody,
} from '../join/facts.ts';
import { remoteKey } from '../join/tuple.ts';
import { episodesOfHost } from '../score/episode.ts';
import { formatBytes } from '../score/format.ts';
import { scoreEpisode } from '../score/score.ts';
import type { Settings } from '../settings.ts';
import type { Fact, Store, StoredAlert } from '../store/store.ts';
import { mendingOf, POINTS, type Point } from './report.ts';

const SECOND = 1_000_000;
const HOUR = 3_600 * SECOND;
/** Feeds may date an event this much before the drill was announced. */
const SLACK = 120 * SECOND;
/** Facts of one kind that are looked through. */
const MAX_FACTS = 500;
/** Newest alerts looked through. */
const MAX_ALERTS = 500;
/** Hosts and addresses that a thorough look goes through. */
const MAX_SHARDS = 10_000;

export interface Sighting {
  readonly point: Point;
  readonly seen: boolean;
  /** Event time, ISO 8601; absent when not seen. */
  readonly at?: string;
  readonly detail: string;
  /** What to do about a missing one. */
  readonly mend?: string;
  /** Of the alert. */
  readonly id?: string;
}

export interface LookOptions {
  /** Process id of the sender. */
  readonly pid: number;
  /** Also looks where the drill should not be: other hosts and addresses. For the last look. */
  readonly thorough: boolean;
}

/** What the store has of a drill by now: one sighting for each point, in their order. */
export async function sightingsOf(
  store: Store,
  settings: Settings,
  drill: Drill,
  options: LookOptions,
): Promise<Sighting[]> {
  const flow = await flowOf(store, drill, options.thorough);
  const connection = await connectionOf(store, drill, options.pid);
  const hosts = await hostsOf(store, drill, connection);
  const joined = flow && (await joinOf(store, hosts, flow));
  const alert = await alertOf(store, drill);
  const sightings: Readonly<Record<Point, Sighting | undefined>> = {
    process: await processOf(store, hosts, drill, options),
    archive: await archiveOf(store, hosts, drill),
    connection: connection && connectionSighting(connection),
    flow: flow && flowSighting(flow, drill),
    join: joinSighting(joined, options.pid),
    alert: alert ?? (joined && options.thorough ? await silence(store, settings, drill, joined) : undefined),
  };
  const arrived = new Set(POINTS.filter((point) => sightings[point]?.seen));
  return POINTS.map((point) => {
    const sighting = sightings[point] ?? { point, seen: false, detail: 'not here' };
    return sighting.seen ? sighting : { ...sighting, mend: mendingOf(point, arrived) };
  });
}

const seen = (point: Point, at: number, detail: string): Sighting => ({
  point,
  seen: true,
  at: formatMicros(at),
  detail,
});

async function flowOf(store: Store, drill: Drill, thorough: boolean): Promise<Fact | undefined> {
  const key = drillKey(drillServerName(drill.id));
  const at = async (shard: string): Promise<Fact | undefined> => {
    const [found] = await store.find(shard, 'flow', key, 1);
    return found;
  };
  for (const ip of drill.ips) {
    const found = await at(ipShard(ip));
    if (found) return found;
  }
  return thorough ? firstOf(store, 'flow', at) : undefined;
}

async function firstOf(
  store: Store,
  kind: 'flow' | 'process',
  look: (shard: string) => Promise<Fact | undefined>,
): Promise<Fact | undefined> {
  let left = MAX_SHARDS;
  for await (const shard of store.shards(kind)) {
    const found = await look(shard);
    if (found) return found;
    if (--left === 0) return undefined;
  }
  return undefined;
}

function flowSighting(fact: Fact, drill: Drill): Sighting {
  const { record } = fact.body as FlowBody;
  const missed = record.waybill.bytes_exact ? '' : ', packets were missing';
  const detail = `${formatBytes(record.source.bytes)} sent by ${record.source.ip}, ${record.event.action}${missed}`;
  if (drill.ips.includes(record.source.ip)) return seen('flow', fact.at, detail);
  const why = `seen from ${record.source.ip}, which is no address of this host: put the sensor before the translation of addresses`;
  return { point: 'flow', seen: false, detail: why };
}

async function connectionOf(store: Store, drill: Drill, pid: number): Promise<Fact | undefined> {
  for (const ip of drill.ips) {
    const found = await store.find(ipShard(ip), 'connection', remoteKey('tcp', drill.to), MAX_FACTS);
    const own = found.find((fact) => fact.at >= drill.from - HOUR && (fact.body as ConnectionBody).process.pid === pid);
    if (own) return own;
  }
  return undefined;
}

function connectionSighting(fact: Fact): Sighting {
  const { process, feed } = fact.body as ConnectionBody;
  return seen('connection', fact.at, `${feed}: opened by ${process.image ?? 'an unnamed process'}`);
}

/** Ids under which feeds know the host. */
async function hostsOf(store: Store, drill: Drill, connection: Fact | undefined): Promise<string[]> {
  const ids = new Set([drill.host.toLowerCase().split('.', 1)[0]!, drill.host]);
  if (connection) ids.add((connection.body as ConnectionBody).host.id);
  for (const ip of drill.ips) {
    for (const lease of await store.between(ipShard(ip), 'lease', drill.from - HOUR, drill.until, MAX_FACTS)) {
      const { host } = lease.body as LeaseBody;
      if (isHostOf(drill, host)) ids.add(host.id);
    }
  }
  return [...ids];
}

async function processOf(
  store: Store,
  hosts: readonly string[],
  drill: Drill,
  { pid, thorough }: LookOptions,
): Promise<Sighting | undefined> {
  const at = async (shard: string): Promise<Fact | undefined> =>
    (await store.find(shard, 'process', `pid:${pid}`, MAX_FACTS)).find((fact) => {
      // A script may have been started well before it announced itself; a pid is not used again that soon.
      return (fact.body as ProcessBody).kind === 'start' && fact.at >= drill.from - SLACK;
    });
  for (const host of hosts) {
    const found = await at(hostShard(host));
    if (found) return processSighting(found);
  }
  const elsewhere = thorough ? await firstOf(store, 'process', at) : undefined;
  return elsewhere && processSighting(elsewhere, elsewhere.shard.slice('host:'.length));
}

function processSighting(fact: Fact, elsewhere?: string): Sighting {
  const { process, feed } = fact.body as ProcessBody;
  const known = process.commandLine === undefined ? 'without its command line' : 'with its command line';
  const where = elsewhere === undefined ? '' : `, as a process of host ${elsewhere}`;
  return seen('process', fact.at, `${feed}: start of ${process.image ?? 'a process'} ${known}${where}`);
}

async function archiveOf(store: Store, hosts: readonly string[], drill: Drill): Promise<Sighting | undefined> {
  const name = drillFileName(drill.id);
  for (const host of hosts) {
    const facts = await store.between(hostShard(host), 'staging', drill.from - SLACK, drill.until + SLACK, MAX_FACTS);
    const writes = facts.filter(({ body }) => {
      const { kind, archive } = body as StagingFact;
      return kind === 'archive-write' && archive?.path.toLowerCase().endsWith(name) === true;
    });
    const best = writes.find((fact) => (fact.body as StagingFact).archive?.size !== undefined) ?? writes[0];
    if (!best) continue;
    const { archive, feed } = best.body as StagingFact;
    const size = archive?.size === undefined ? 'without its size: bytes cannot be compared' : formatBytes(archive.size);
    return seen('archive', best.at, `${feed}: written, ${size}`);
  }
  return undefined;
}

async function joinOf(store: Store, hosts: readonly string[], flow: Fact): Promise<Fact | undefined> {
  for (const host of hosts) {
    const facts = await store.between(hostShard(host), 'joined', flow.at, flow.at, MAX_FACTS);
    const found = facts.find((fact) => (fact.body as JoinedBody).record.waybill.flow_id === flow.id);
    if (found) return found;
  }
  return undefined;
}

function joinSighting(joined: Fact | undefined, pid: number): Sighting | undefined {
  if (!joined) return undefined;
  const { join } = joined.body as JoinedBody;
  const detail = `${join.method}, probability ${join.probability}`;
  if (join.process?.pid === pid) return seen('join', joined.at, detail);
  const named = join.process ? `names process ${join.process.pid ?? '?'} instead` : 'names no process';
  return { point: 'join', seen: false, detail: `${named} (${detail})` };
}

const waybillOf = ({ body }: StoredAlert): { drill?: unknown; tier?: string; score_db?: number } =>
  (body as { waybill?: { drill?: unknown; tier?: string; score_db?: number } }).waybill ?? {};

async function alertOf(store: Store, drill: Drill): Promise<Sighting | undefined> {
  const alerts = await store.listAlerts({ limit: MAX_ALERTS });
  const alert = alerts.find((each) => waybillOf(each).drill === drill.id);
  if (!alert) return undefined;
  const { tier, score_db: db } = waybillOf(alert);
  return { ...seen('alert', alert.at, `${alert.id}, ${tier}, ${db} dB`), id: alert.id };
}

/** Why no alert was raised of a drill whose flow has been joined. */
async function silence(store: Store, settings: Settings, drill: Drill, joined: Fact): Promise<Sighting | undefined> {
  const host = joined.shard.slice('host:'.length);
  const episodes = await episodesOfHost(store, new HostClocks(store), host, joined.at, joined.at, settings);
  const { drill: mark, record } = joined.body as JoinedBody;
  const none = (detail: string): Sighting => ({ point: 'alert', seen: false, detail });
  if (mark !== drill.id)
    return none('the connection does not fit what was announced (host, address, bytes): it is no drill');
  const episode = episodes.find(({ flows }) =>
    flows.some((flow) => flow.record.waybill.flow_id === record.waybill.flow_id),
  );
  if (!episode) return none('nothing was scored: no archive is known that was packed before the connection');
  const verdict = scoreEpisode(episode, settings);
  const closed = verdict.gate.reasons.find((reason) => reason.startsWith('closed'));
  if (!verdict.gate.passed && closed !== undefined) return none(`not scored, ${closed}`);
  const lacking = verdict.missing[0] === undefined ? '' : `; ${verdict.missing.slice(0, 2).join('; ')}`;
  return none(
    `scored ${verdict.db.toFixed(1)} dB, probability ${verdict.probability.toFixed(3)}; alerts begin at ${settings.score.medium}${lacking}`,
  );
}
