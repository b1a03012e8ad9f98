import { MICROS_PER_SECOND, parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { HostRef } from '../event/endpoint-event.ts';
import type { Fact, Store } from '../store/store.ts';

/**
 * The mark of a drill. A drill is announced to the service by somebody with a token for it, and gets a number nobody can
 * guess, good for minutes, one host, one address and so many bytes. Only what carries the number within those bounds is
 * taken for the drill: the number alone marks nothing, so that a thief who learns it hides no more than one drill's bytes.
 */

/** Names under `.invalid` resolve nowhere (RFC 6761 §6.4). */
const DRILL_DOMAIN = 'waybill-drill.invalid';
const ID = '[0-9a-f]{32}';
const SERVER_NAME = new RegExp(`^(${ID})\\.${DRILL_DOMAIN.replace('.', '\\.')}$`);
const FILE_NAME = new RegExp(`(?:^|[\\\\/])waybill-drill-(${ID})\\.zip$`, 'i');
/** Drills lie in one series, so that a history needs one read. */
const SHARD = 'drill:all';
/** Clocks of sensor and hosts may differ by this much from the service's. */
const CLOCK_SLACK = 120 * MICROS_PER_SECOND;
/** Record layer, handshake and headers around the archive, bytes. */
const OVERHEAD_BYTES = 65_536;

/** A drill as it was announced. Times are microseconds since 1970 UTC by the service's clock. */
export interface DrillBody {
  /** Name of the host that drills, and the addresses it has. */
  readonly host: string;
  readonly ips: readonly string[];
  readonly to: { readonly ip: string; readonly port: number };
  /** Most bytes of the archive. */
  readonly bytes: number;
  readonly from: number;
  readonly until: number;
  /** Name of the token. */
  readonly by: string;
  /** What the drill found, once it has ended. */
  readonly report?: unknown;
}

export interface Drill extends DrillBody {
  readonly id: string;
}

export const drillServerName = (id: string): string => `${id}.${DRILL_DOMAIN}`;
export const drillFileName = (id: string): string => `waybill-drill-${id}.zip`;
export const isDrillId = (text: string): boolean => new RegExp(`^${ID}$`).test(text);

/** The name that a flow greets, when only drills have such names. */
export function drillNameOf({ tls }: FlowRecord): string | undefined {
  const name = tls?.client?.server_name;
  return name !== undefined && SERVER_NAME.test(name) ? name : undefined;
}

/** A report replaces the announcement, never the other way round. */
export function drillFact({ id, ...body }: Drill): Fact {
  return { shard: SHARD, kind: 'drill', id, at: body.from, keys: [], version: body.report === undefined ? 0 : 1, body };
}

export async function drillById(store: Store, id: string): Promise<Drill | undefined> {
  return drillOf(await store.get(SHARD, 'drill', id));
}

/** The newest drills, newest first. */
export async function newestDrills(store: Store, limit: number): Promise<Drill[]> {
  const facts = await store.between(SHARD, 'drill', 0, Number.MAX_SAFE_INTEGER, limit);
  return facts.map((fact) => drillOf(fact)!).reverse();
}

const drillOf = (fact: Fact | undefined): Drill | undefined => fact && { ...(fact.body as DrillBody), id: fact.id };

/** The drill that a flow is the connection of; undefined for every other flow. */
async function drillOfFlow(store: Store, record: FlowRecord, host?: HostRef): Promise<Drill | undefined> {
  const id = SERVER_NAME.exec(drillNameOf(record) ?? '')?.[1];
  const drill = id === undefined ? undefined : await drillById(store, id);
  if (!drill || !isDuring(drill, parseMicros(record.event.start) ?? 0)) return undefined;
  const { source, destination } = record;
  const isItsOwn =
    drill.ips.includes(source.ip) &&
    destination.ip === drill.to.ip &&
    destination.port === drill.to.port &&
    source.bytes <= drill.bytes + OVERHEAD_BYTES &&
    (host === undefined || isHostOf(drill, host));
  return isItsOwn ? drill : undefined;
}

/** The drills that flows are the connections of. Only those that greet a name of a drill need a look into the store. */
export async function drillsAmong(
  store: Store,
  records: readonly FlowRecord[],
  hosts?: readonly (HostRef | undefined)[],
): Promise<Map<FlowRecord, Drill>> {
  const found = new Map<FlowRecord, Drill>();
  const asked = [...records.entries()].filter(([, record]) => drillNameOf(record) !== undefined);
  await Promise.all(
    asked.map(async ([i, record]) => {
      const drill = await drillOfFlow(store, record, hosts?.[i]);
      if (drill) found.set(record, drill);
    }),
  );
  return found;
}

/** The drill that a file on its host may be the archive of. */
export async function drillOfArchive(
  store: Store,
  archive: { readonly path: string; readonly size?: number; readonly at: number },
): Promise<Drill | undefined> {
  const id = FILE_NAME.exec(archive.path)?.[1]?.toLowerCase();
  const drill = id === undefined ? undefined : await drillById(store, id);
  return drill && isDuring(drill, archive.at) && (archive.size ?? 0) <= drill.bytes ? drill : undefined;
}

/** A sum over several connections must stay within what one drill sends. */
export const fitsDrill = (drill: Drill, bytes: number): boolean => bytes <= drill.bytes + OVERHEAD_BYTES;

const isDuring = ({ from, until }: Drill, at: number): boolean => at >= from - CLOCK_SLACK && at <= until + CLOCK_SLACK;

/** Feeds name a host by its short name, its full name, or only by an id of their own. */
export function isHostOf(drill: Drill, { id, name }: HostRef): boolean {
  return [id, name ?? ''].some((text) => shortName(text) === shortName(drill.host)) || name === undefined;
}

const shortName = (text: string): string => text.toLowerCase().split('.', 1)[0]!;
