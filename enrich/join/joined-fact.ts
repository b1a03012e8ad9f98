import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { Fact } from '../store/store.ts';
import type { HostClock } from './clock.ts';
import { flowVersion, hostShard, indexKey, type JoinedBody, programKey, startedKey } from './facts.ts';
import type { Joining } from './gather.ts';
import type { Candidate, JoinResult } from './join-flow.ts';

const DAY = 86_400_000_000;
/** The low digits of a joined fact's version: how much evidence the join has seen, the upper half with an exact match. */
const EVIDENCE_STEPS = 1024;
export const EXACT_FROM = EVIDENCE_STEPS / 2;

/** An event of the very connection says who made the flow. */
export const isExplained = ({ seen }: Pick<Joining, 'seen'>): boolean => seen >= EXACT_FROM;

/**
 * The joined flow as a fact of its host; undefined while no host is known.
 * @param clock of that host
 * @param drill id of the drill it is part of; its bytes are nobody's usual volume, so that no program is named in its keys
 */
export function joinedFact(
  record: FlowRecord,
  { join, seen }: Pick<Joining, 'join' | 'seen'>,
  clock: HostClock,
  drill?: string,
): Fact | undefined {
  if (!join.host) return undefined;
  return {
    shard: hostShard(join.host.id),
    kind: 'joined',
    id: joinedId(record, clock),
    at: parseMicros(record.event.start) ?? 0,
    keys: [
      ...new Set([
        ...(isExplained({ seen }) ? [] : weakKeys(join)),
        ...(drill === undefined ? programKeys(record, join) : []),
      ]),
    ],
    version: flowVersion(record) * EVIDENCE_STEPS + seen,
    body: { record, join, ...(drill === undefined ? {} : { drill }) } satisfies JoinedBody,
  };
}

/** By these, what a program sent on the days before is found again, and the flows of a process that is told of late. */
function programKeys(record: FlowRecord, { process }: JoinResult): string[] {
  const day = Math.floor((parseMicros(record.event.start) ?? 0) / DAY);
  if (process === undefined) return [];
  const own = process.entityKind === 'vendor' || process.pid === undefined;
  return [
    own ? indexKey('entity', process.entityId) : `pid:${process.pid}`,
    ...(process.image === undefined ? [] : [programKey(process.image, day)]),
  ];
}

/** By these, late starts and ends of processes find the flows whose join they may change. */
function weakKeys({ candidates }: JoinResult): string[] {
  return [
    ...candidates.map(({ process }) => indexKey('entity', process.entityId)),
    ...(candidates.length === 1 ? startedKeys(candidates[0]!) : []),
  ];
}

const startedKeys = ({ process: { image } }: Candidate): string[] => (image === undefined ? [] : [startedKey(image)]);

/** One fact for each offset that the clock was thought to have: readers take the one that holds now. */
export function joinedId(record: FlowRecord, clock: HostClock): string {
  const flow = record.waybill.flow_id;
  if (clock.state === 'beyond') return `${flow}@beyond`;
  return clock.offset === 0 ? flow : `${flow}@${clock.offset}`;
}

/** Takes a joined flow away from a host that does not have it any more. */
export function movedFact(joined: Fact, hostId: string): Fact {
  return { ...joined, shard: hostShard(hostId), body: { ...(joined.body as JoinedBody), moved: true } };
}
