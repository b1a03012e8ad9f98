import type { ProcessRef } from '../event/endpoint-event.ts';
import { archiveName } from './archive-formats.ts';
import { hashId, type StagingFact, type StagingKind, type StagingStrength, type StagingTrait } from './staging-fact.ts';
import { windowsPath } from './windows-path.ts';

/** Facts looked at in one merge; the newest are kept. */
export const MERGE_FACTS_MAX = 20_000;

/** Packing of the same path again after this long is another story: a nightly job. Microseconds. */
export const STORY_GAP = 6 * 3_600_000_000;

/** Processes, readers, reasons and raw event ids kept with a story. */
export const STORY_LIST_MAX = 32;

/** One thing that was packed or gathered, told by all facts about it. */
export interface StagingStory {
  readonly id: string;
  readonly hostId: string;
  /** First and last evidence of the packing itself (reads and deletions do not count), microseconds since 1970 UTC. */
  readonly at: number;
  readonly until: number;
  /** `created`: a file event shows it. `attempt`: only a command line does. `observed`: no artefact is to be expected. */
  readonly state: 'created' | 'attempt' | 'observed';
  readonly strength: StagingStrength;
  readonly kinds: readonly StagingKind[];
  readonly techniques: readonly string[];
  /** The process that packed: the one that wrote the archive, else the one whose command line says so. */
  readonly process: ProcessRef;
  readonly processes: readonly ProcessRef[];
  readonly archive?: StoryArchive;
  readonly traits: readonly StagingTrait[];
  readonly encoded?: 'base64' | 'hex';
  /** Set keys of the archives that this one was encoded from. */
  readonly derivedFrom: readonly string[];
  /** Entity ids of other processes that read the archive. */
  readonly readers: readonly string[];
  /** When the archive (or a volume of it) was deleted. */
  readonly deletedAt?: number;
  /** Key of the folder that a tree was copied to, or a heap written below. */
  readonly folder?: string;
  readonly files?: number;
  /** Of a heap, when every file's size was known. */
  readonly bytes?: number;
  readonly reasons: readonly string[];
  readonly rawEventIds: readonly string[];
  readonly feeds: readonly string[];
}

export interface StoryArchive {
  readonly path: string;
  /** Key of the whole set. */
  readonly key: string;
  /** Bytes over all volumes whose size is known; missing when none is. */
  readonly size?: number;
  /** Volumes seen; 1 for a whole archive. */
  readonly volumes: number;
  /** Volumes of unknown size: the archive is larger than `size`. */
  readonly unsized: number;
  readonly mimeType?: string;
}

/**
 * Joins the facts of one archive into one story: command and file event, volumes, temporary name and final name, the
 * shell that ran the archiver and the archiver. Order and repetition of the facts do not matter. Paths are compared
 * without their volume, because one feed says `C:` and another `\Device\HarddiskVolume3`.
 */
export function mergeStaging(facts: readonly StagingFact[]): readonly StagingStory[] {
  const unique = new Map<string, StagingFact>();
  for (const fact of facts) unique.set(fact.id, fact);
  const sorted = [...unique.values()].sort(byTime).slice(-MERGE_FACTS_MAX);
  const stories: StagingStory[] = [];
  for (const group of groupFacts(sorted)) {
    for (const episode of cutByTime(group)) stories.push(tell(episode));
  }
  return stories.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

const byTime = (a: StagingFact, b: StagingFact): number => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const isAbout = (fact: StagingFact): boolean =>
  fact.kind === 'archive-read' || fact.kind === 'archive-delete' || fact.kind === 'download-mark';

/** Facts that share a token belong together; union-find over tokens, each looked up once. */
function groupFacts(facts: readonly StagingFact[]): readonly (readonly StagingFact[])[] {
  const parent = facts.map((_, index) => index);
  const find = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root] ?? root;
    for (let at = index; parent[at] !== root; ) {
      const next = parent[at] ?? root;
      parent[at] = root;
      at = next;
    }
    return root;
  };
  const owner = new Map<string, number>();
  facts.forEach((fact, index) => {
    for (const token of tokensOf(fact)) {
      const first = owner.get(token);
      if (first === undefined) owner.set(token, index);
      else parent[find(index)] = find(first);
    }
  });
  const groups = new Map<number, StagingFact[]>();
  facts.forEach((fact, index) => {
    const root = find(index);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [fact]);
    else group.push(fact);
  });
  return [...groups.values()].filter((group) => group.some((fact) => !isAbout(fact)));
}

/**
 * What ties a fact to others: the path of the set, the path it was renamed from, and, since a command without a known
 * current directory gives a bare name only, the name together with the process or its parent.
 */
function tokensOf(fact: StagingFact): readonly string[] {
  const { archive, process, hostId } = fact;
  if (archive === undefined) return [];
  const tokens: string[] = [];
  const set = windowsPath(archive.setKey);
  if (set.tail.startsWith('\\')) tokens.push(JSON.stringify([hostId, 'path', set.tail]));
  if (fact.renamedFrom !== undefined) tokens.push(JSON.stringify([hostId, 'path', setTail(fact.renamedFrom)]));
  for (const entity of [process.entityId, process.parent?.entityId]) {
    if (entity !== undefined && !isAbout(fact))
      tokens.push(JSON.stringify([hostId, 'name', entity, set.base, set.stream ?? '']));
  }
  return tokens;
}

const setTail = (key: string): string => {
  const path = windowsPath(key);
  return windowsPath(archiveName(path)?.setKey ?? path.key).tail;
};

/** Reads, deletions and marks go with the packing before them; packing long after the last one starts a new story. */
function cutByTime(facts: readonly StagingFact[]): readonly (readonly StagingFact[])[] {
  const episodes: StagingFact[][] = [];
  let last: StagingFact | undefined;
  for (const fact of facts.filter((each) => !isAbout(each))) {
    const apart =
      last !== undefined && fact.at - last.at > STORY_GAP && fact.process.entityId !== last.process.entityId;
    const current = episodes.at(-1);
    if (current === undefined || apart) episodes.push([fact]);
    else current.push(fact);
    last = fact;
  }
  // Both lists are in time order, so one pass puts each fact with the last packing that began before it.
  const starts = episodes.map((episode) => episode[0]?.at ?? 0);
  let current = 0;
  for (const fact of facts.filter(isAbout)) {
    while (current + 1 < starts.length && (starts[current + 1] ?? 0) <= fact.at) current++;
    episodes[current]?.push(fact);
  }
  return episodes.map((episode) => episode.sort(byTime));
}

function tell(facts: readonly StagingFact[]): StagingStory {
  const packing = facts.filter((fact) => !isAbout(fact));
  const writes = packing.filter((fact) => fact.kind === 'archive-write');
  const commands = packing.filter((fact) => fact.strength === 'C');
  const first = packing[0] as StagingFact;
  const last = packing.at(-1) ?? first;
  const main = writes[0] ?? commands.at(-1) ?? first;
  const archive = archiveOf(facts, packing);
  const deleted = facts.find((fact) => fact.kind === 'archive-delete' && fact.at >= last.at);
  const encoded = packing.find((fact) => fact.encoded !== undefined)?.encoded;
  const folder = packing.find((fact) => fact.folder !== undefined)?.folder;
  const files = maxOf(packing.map((fact) => fact.files));
  const bytes = maxOf(packing.map((fact) => fact.bytes));
  const key = archive === undefined ? main.id : windowsPath(archive.key).tail;
  return {
    id: hashId([first.hostId, key, String(first.at)]),
    hostId: first.hostId,
    at: first.at,
    until: last.at,
    state: writes.length > 0 ? 'created' : commands.length > 0 ? 'attempt' : 'observed',
    strength: packing.map((fact) => fact.strength).sort()[0] ?? main.strength,
    kinds: distinct(packing.map((fact) => fact.kind)),
    techniques: distinct(packing.map((fact) => fact.technique)),
    process: main.process,
    processes: distinctProcesses(packing),
    ...(archive === undefined ? {} : { archive }),
    traits: traitsOf(facts, packing, deleted !== undefined),
    ...(encoded === undefined ? {} : { encoded }),
    derivedFrom: distinct(
      packing.filter((fact) => fact.kind === 'encode').flatMap((fact) => fact.inputs.map(setKeyOf)),
    ),
    readers: distinct(facts.filter((fact) => fact.kind === 'archive-read').map((fact) => fact.process.entityId)),
    ...(deleted === undefined ? {} : { deletedAt: deleted.at }),
    ...(folder === undefined ? {} : { folder }),
    ...(files === undefined ? {} : { files }),
    ...(bytes === undefined ? {} : { bytes }),
    reasons: distinct(facts.filter((fact) => fact.kind !== 'archive-read').map((fact) => fact.reason)),
    rawEventIds: distinct(facts.map((fact) => fact.rawEventId)),
    feeds: distinct(facts.map((fact) => fact.feed)),
  };
}

const setKeyOf = (key: string): string => archiveName(windowsPath(key))?.setKey ?? key;

const distinct = <T>(values: readonly T[]): readonly T[] => [...new Set(values)].slice(0, STORY_LIST_MAX);

function maxOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.max(a, b));
}

function distinctProcesses(facts: readonly StagingFact[]): readonly ProcessRef[] {
  const byEntity = new Map<string, ProcessRef>();
  for (const { process } of facts) if (!byEntity.has(process.entityId)) byEntity.set(process.entityId, process);
  return [...byEntity.values()].slice(0, STORY_LIST_MAX);
}

/** A mark of the web counts only when the writer set it and nobody is seen packing: anyone can write that stream. */
function traitsOf(
  facts: readonly StagingFact[],
  packing: readonly StagingFact[],
  deleted: boolean,
): readonly StagingTrait[] {
  const traits = new Set(packing.flatMap((fact) => fact.traits));
  const writers = new Set(packing.filter((fact) => fact.kind === 'archive-write').map((fact) => fact.process.entityId));
  const marked = facts.some((fact) => fact.kind === 'download-mark' && writers.has(fact.process.entityId));
  if (marked && packing.every((fact) => fact.kind === 'archive-write')) traits.add('low:download');
  if (deleted) traits.add('deleted-after');
  return [...traits].sort();
}

interface Volume {
  readonly path: string;
  readonly key: string;
  readonly size?: number | undefined;
}

/** The last known size of each volume, summed. A file that was renamed counts under its new name only. */
function archiveOf(facts: readonly StagingFact[], packing: readonly StagingFact[]): StoryArchive | undefined {
  const volumes = new Map<string, Volume>();
  for (const fact of facts) {
    const { archive } = fact;
    if (archive === undefined || (fact.kind !== 'archive-write' && fact.kind !== 'archive-read')) continue;
    const tail = windowsPath(archive.key).tail;
    const old = fact.renamedFrom === undefined ? undefined : windowsPath(fact.renamedFrom).tail;
    const before = volumes.get(tail) ?? (old === undefined ? undefined : volumes.get(old));
    if (fact.kind === 'archive-read' && before === undefined) continue;
    if (old !== undefined && old !== tail) volumes.delete(old);
    volumes.set(tail, { path: archive.path, key: archive.key, size: archive.size ?? before?.size });
  }
  const named = packing.findLast((fact) => fact.archive !== undefined)?.archive;
  if (named === undefined) return undefined;
  const all = [...volumes.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const sized = all.filter((volume) => volume.size !== undefined);
  const size = sized.reduce((sum, volume) => sum + (volume.size ?? 0), 0);
  const mime = packing.findLast((fact) => fact.archive?.mimeType !== undefined)?.archive?.mimeType;
  const whole = packing.find((fact) => fact.archive !== undefined && fact.archive.key === named.setKey)?.archive;
  const absolute = packing.findLast((fact) => windowsPath(fact.archive?.setKey ?? '').absolute)?.archive;
  return {
    path: (whole ?? all[0] ?? named).path,
    key: (absolute ?? named).setKey,
    ...(sized.length === 0 ? {} : { size }),
    volumes: Math.max(1, all.length),
    unsized: all.length - sized.length,
    ...(mime === undefined ? {} : { mimeType: mime }),
  };
}
