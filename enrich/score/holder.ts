import type { ProcessRef } from '../event/endpoint-event.ts';
import { referencesPath } from '../evidence/references.ts';
import type { StagingFact } from '../evidence/staging.ts';
import type { HostClocks } from '../join/clock.ts';
import { hostShard, type ProcessBody } from '../join/facts.ts';
import type { Store } from '../store/store.ts';
import type { DrillStory } from './episode-groups.ts';

/** Who opened or was given an archive this long before a connection is likely to be about to send it. Microseconds. */
const BEFORE = 60_000_000;
/** Feeds tell of a start or a read this much after it. */
const AFTER = 2_000_000;
/** Starts looked at around one connection. */
const MAX_STARTS = 256;
/** Among more than so many nobody is likely. */
const MAX_HOLDERS = 3;

/** A process that may be the sender: it held the archive when a connection began whose maker is not known. */
export interface Holder {
  readonly process: ProcessRef;
  /** How many held it then. */
  readonly of: number;
  readonly how: 'read' | 'named';
  /** Raw event that says so. */
  readonly event: string;
}

/**
 * Connection events come late, and of some connections never. Before, it may be known that a program was started with the
 * archive on its command line, or opened it, just as the connection began: a join as uncertain as one by a look-up, which
 * names no process. Nobody who is known to have made another connection since is taken, nor who packed.
 *
 * @param start of the connection, by the sensor's clock
 * @param reads of archives, by the sensor's clock
 * @param busy entities that connections are known of
 * @returns by story
 */
export async function holdersOf(
  store: Store,
  clocks: HostClocks,
  hostId: string,
  start: number,
  stories: readonly DrillStory[],
  reads: readonly StagingFact[],
  busy: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Holder>> {
  const { offset } = await clocks.of(hostId, start);
  const from = start + offset - BEFORE;
  const started = await store.between(hostShard(hostId), 'process', from, start + offset + AFTER, MAX_STARTS);
  const starts = started.map((fact) => fact.body as ProcessBody).filter(({ kind }) => kind === 'start');
  const opened = reads.filter((read) => read.at >= start - BEFORE && read.at <= start + AFTER);
  const found = new Map<string, Holder>();
  for (const story of stories) {
    const key = story.archive?.key;
    if (key === undefined) continue;
    const packers = new Set(story.processes.map(({ entityId }) => entityId));
    const held = new Map<string, Omit<Holder, 'of'>>();
    for (const { process, event } of starts) {
      const { commandLine, currentDirectory } = process;
      if (commandLine === undefined || referencesPath(commandLine, currentDirectory, key) !== 'exact') continue;
      held.set(process.entityId, { process, how: 'named', event });
    }
    for (const { process, archive, rawEventId } of opened) {
      if (archive?.setKey === key && !held.has(process.entityId))
        held.set(process.entityId, { process, how: 'read', event: rawEventId });
    }
    for (const entity of [...packers, ...busy]) held.delete(entity);
    // A shell names what the program names that it runs.
    for (const { process } of [...held.values()])
      if (process.parent?.entityId !== undefined) held.delete(process.parent.entityId);
    const [first] = [...held.values()].sort((a, b) => (a.process.entityId < b.process.entityId ? -1 : 1));
    if (first && held.size <= MAX_HOLDERS) found.set(story.id, { ...first, of: held.size });
  }
  return found;
}
