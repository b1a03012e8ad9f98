import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { StagingStory } from '../evidence/merge-staging.ts';
import { destinationOf, proxiedTo, viaProxy } from '../join/destination-of.ts';
import { isEncrypted } from '../join/encrypted.ts';
import type { JoinedBody } from '../join/facts.ts';
import type { HostProcesses } from '../join/host-processes.ts';
import { lineageRoot, type ProcessInfo } from '../join/lineage.ts';
import { onBehalf } from '../join/on-behalf.ts';
import type { Settings } from '../settings.ts';
import type { Fact } from '../store/store.ts';
import type { EpisodeFlow } from './episode.ts';

/** Staging this much after a flow began may still precede its bytes: clocks differ. */
export const CLOCK_SLACK = 5_000_000;

/** Flows of one lineage to one destination in one window, one of them encrypted. */
export interface Group {
  /** Entity of the lineage's root. */
  readonly root: string;
  /** Destination entity. */
  readonly entity: string;
  /** Microseconds since 1970 UTC. */
  readonly windowStart: number;
  /** Which window of the root process, or of the calendar where its start is not known. */
  readonly window: string;
  /** Id of the announced drill that all of its flows are marked as; undefined for everything else. */
  readonly drill: string | undefined;
  /** By start, then id. */
  readonly members: Member[];
}

/** A story, and the announced drill whose archive it is about. */
export interface DrillStory extends StagingStory {
  readonly drill?: string;
}

export interface Member {
  readonly flow: EpisodeFlow;
  readonly chain: readonly ProcessInfo[] | undefined;
}

/**
 * The flows that left the network after something was staged, by lineage, destination and window. A drill may end on this
 * machine, and is a group by itself: what is not marked as it says nothing of it, and the other way round. What left in plain
 * text is in the group of the encrypted flows that it goes with, and in none without any.
 */
export async function grouped(
  joined: readonly Fact[],
  stories: readonly DrillStory[],
  processes: HostProcesses,
  { horizonMicros: horizon, knowledge }: Settings,
): Promise<Group[]> {
  const groups = new Map<string, Group>();
  for (const fact of joined) {
    const { record, join, drill } = fact.body as JoinedBody;
    if (!leavesNetwork(record) && drill === undefined) continue;
    const end = parseMicros(record.event.end) ?? fact.at;
    if (!stories.some((s) => s.drill === drill && s.at <= end + CLOCK_SLACK && s.at >= fact.at - horizon)) continue;
    const own = await processes.chainOf(join, fact.at);
    const chain = own && (await onBehalf(own, record, fact.at, processes, horizon));
    const top = chain ? lineageRoot(chain) : undefined;
    const root = top?.entityId ?? 'unattributed';
    const { entity } = destinationOf(record, knowledge);
    const { windowStart, window } = windowOf(fact.at, top?.startedAt, horizon);
    const key = JSON.stringify([root, entity, window, ...(drill === undefined ? [] : [drill])]);
    let group = groups.get(key);
    if (!group) {
      group = { root, entity, windowStart, window, drill, members: [] };
      groups.set(key, group);
    }
    group.members.push({ flow: { record, join, start: fact.at, end }, chain });
  }
  for (const group of groups.values()) group.members.sort(byStart);
  return [...groups]
    .filter(([, { members }]) => members.some(({ flow }) => isEncrypted(flow.record)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => group);
}

/**
 * Cuts a long-lived activity (a backup service) into windows of the horizon's length, counted from the start of its root
 * process where that is known: a function of the flow alone, so that late flows move no window.
 */
function windowOf(
  start: number,
  rootStart: number | undefined,
  horizon: number,
): Pick<Group, 'windowStart' | 'window'> {
  const rooted = rootStart !== undefined && rootStart <= start;
  const anchor = rooted ? rootStart : 0;
  const index = Math.floor((start - anchor) / horizon);
  return { windowStart: anchor + index * horizon, window: `${rooted ? 'root' : 'calendar'}+${index}` };
}

const byStart = (a: Member, b: Member): number =>
  a.flow.start - b.flow.start || (a.flow.record.waybill.flow_id < b.flow.record.waybill.flow_id ? -1 : 1);

/** A proxy inside carries it out: what counts is where the proxy was asked to go. */
const leavesNetwork = (record: FlowRecord): boolean =>
  record.network.direction === 'egress' ||
  record.network.direction === 'external' ||
  (viaProxy(record) && !isInside(proxiedTo(record) ?? record.destination.domain));

/** An address of a private network (RFC 1918, RFC 4193), or a name of one label. */
const isInside = (target: string | undefined): boolean =>
  target !== undefined &&
  (/^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|127\.|169\.254\.)|^f[cde][0-9a-f]{2}:/.test(target) ||
    !/[.:]/.test(target));

/** The member that sent most; ties go to the earliest. */
export function mostBytes(members: readonly Member[]): Member {
  let best = members[0]!;
  for (const member of members) if (member.flow.record.source.bytes > best.flow.record.source.bytes) best = member;
  return best;
}
