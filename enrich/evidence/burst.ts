import type { FileEvent } from '../event/endpoint-event.ts';
import { archiveName } from './archive-formats.ts';
import { factOf, named, type StagingFact, type StagingTrait } from './staging-fact.ts';
import { DATA_EXTENSIONS, isStagingDir } from './staging-places.ts';
import { imageBase, type WindowsPath, windowsPath } from './windows-path.ts';

/** When many files make a burst. No public source gives numbers: own judgement, to be tuned on site. */
export interface BurstLimits {
  /** Distinct files at least. */
  readonly files: number;
  /** Longest pause inside a burst and widest span in which `files` must fall, microseconds. */
  readonly windowMicros: number;
  /** Folders that were read at least, for reads. */
  readonly folders: number;
  /** Numbered files of one series at least. */
  readonly parts: number;
  readonly dataExtensions: ReadonlySet<string>;
}

export const BURST_LIMITS: BurstLimits = {
  files: 20,
  windowMicros: 60_000_000,
  folders: 2,
  parts: 3,
  dataExtensions: DATA_EXTENSIONS,
};

/** File events looked at in one call; the newest are kept. */
export const BURST_EVENTS_MAX = 50_000;

/** Facts made in one call. */
export const BURSTS_MAX = 256;

/**
 * Staging that only several file events show: many data files written by one process (or the children of one parent) into
 * one tree, many read from several folders, and numbered parts of one size (ATT&CK T1074.001, T1005, T1030). The order
 * and repetition of events do not matter.
 */
export function burstsFrom(events: readonly FileEvent[], limits: BurstLimits = BURST_LIMITS): readonly StagingFact[] {
  const sorted = distinctByTime(events).slice(-BURST_EVENTS_MAX);
  const facts: StagingFact[] = [];
  for (const kind of ['file_write', 'file_read'] as const) {
    const data = sorted.filter((event) => event.kind === kind && event.origin === undefined && isData(event, limits));
    for (const actor of byActor(data).values()) facts.push(...burstsOf(actor, kind, limits));
  }
  facts.push(...seriesOf(sorted, limits));
  return facts.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).slice(-BURSTS_MAX);
}

/** Whether an event can be part of a burst: a data file, or one part of a numbered series. The rest need not be kept. */
export function mayBurst(event: FileEvent, limits: BurstLimits = BURST_LIMITS): boolean {
  if (event.origin !== undefined || event.kind === 'file_delete') return false;
  return isData(event, limits) || (event.kind === 'file_write' && seriesName(windowsPath(event.path)) !== undefined);
}

/** Name before and after the number of a part. */
function seriesName(path: WindowsPath): RegExpExecArray | undefined {
  const found = /^(.*?[._-]?)(\d{1,4})(\.[a-z]{1,4})?$/.exec(path.base);
  return found === null || archiveName(path)?.part !== undefined || isRotation(path) ? undefined : found;
}

function distinctByTime(events: readonly FileEvent[]): FileEvent[] {
  const byId = new Map<string, FileEvent>();
  for (const event of events) byId.set(JSON.stringify([event.host.id, event.id]), event);
  return [...byId.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

const isData = (event: FileEvent, limits: BurstLimits): boolean =>
  limits.dataExtensions.has(windowsPath(event.path).ext);

/** Parents whose children do one work together; the children of explorer.exe or services.exe do not. */
const SHELLS: ReadonlySet<string> = new Set(
  'cmd.exe powershell.exe pwsh.exe wscript.exe cscript.exe mshta.exe python.exe bash.exe forfiles.exe wmiprvse.exe'.split(
    ' ',
  ),
);

/** Two folders below the root, below a user's folder three: files of one heap share them, stray ones do not hide it. */
const treeOf = (path: WindowsPath): string => {
  const parts = path.dir.slice(path.volume.length).split('\\');
  return [path.volume, ...parts.slice(1, parts[1] === 'users' ? 4 : 3)].join('\\');
};

/** Events by who acts (the process, or the shell that starts one copying process after the other) and, for writes, where. */
function byActor(events: readonly FileEvent[]): Map<string, FileEvent[]> {
  const actors = new Map<string, FileEvent[]>();
  for (const event of events) {
    const { parent, entityId } = event.process;
    const shell = parent?.entityId !== undefined && SHELLS.has(imageBase(parent.image)) ? parent.entityId : undefined;
    const tree = event.kind === 'file_write' ? treeOf(windowsPath(event.path)) : '';
    const key = JSON.stringify([event.host.id, shell ?? entityId, tree]);
    const list = actors.get(key);
    if (list === undefined) actors.set(key, [event]);
    else list.push(event);
  }
  return actors;
}

interface Seen {
  readonly event: FileEvent;
  readonly path: WindowsPath;
}

/** Runs of events without a pause longer than the window, in which some window holds enough distinct files. */
function burstsOf(events: readonly FileEvent[], kind: 'file_write' | 'file_read', limits: BurstLimits): StagingFact[] {
  const facts: StagingFact[] = [];
  let run: Seen[] = [];
  const close = (): void => {
    const fact = burstOf(run, kind, limits);
    if (fact !== undefined) facts.push(fact);
    run = [];
  };
  for (const event of events) {
    const last = run.at(-1);
    if (last !== undefined && event.at - last.event.at > limits.windowMicros) close();
    run.push({ event, path: windowsPath(event.path) });
  }
  close();
  return facts;
}

function burstOf(run: readonly Seen[], kind: 'file_write' | 'file_read', limits: BurstLimits): StagingFact | undefined {
  if (!isDense(run, limits)) return undefined;
  const files = new Map<string, Seen>();
  for (const seen of run) files.set(seen.path.key, seen);
  const folders = new Set([...files.values()].map((seen) => seen.path.dir));
  const tree = commonFolder([...folders]);
  if (kind === 'file_read' && folders.size < limits.folders) return undefined;
  // Files written all over the disk are an installer's or an update's, not a heap that is being gathered.
  if (kind === 'file_write' && tree === undefined) return undefined;
  const last = run.at(-1);
  if (last === undefined) return undefined;
  const sizes = [...files.values()].map((seen) => seen.event.size).filter((size) => size !== undefined);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const traits: StagingTrait[] = [];
  if (kind === 'file_write' && tree !== undefined && isStagingDir(windowsPath(`${tree}\\x`)))
    traits.push('staging-dir');
  if (folders.size >= limits.folders && kind === 'file_read') traits.push('mass-read');
  const who = imageBase(last.event.process.image) || 'a process';
  const did = kind === 'file_write' ? 'writes' : 'reads';
  const where = kind === 'file_write' ? `below ${named(tree ?? '')}` : `in ${folders.size} folders`;
  return factOf(last.event, {
    strength: kind === 'file_write' ? 'D' : 'E',
    kind: kind === 'file_write' ? 'burst' : 'bulk-read',
    technique: kind === 'file_write' ? 'T1074.001' : 'T1005',
    traits,
    files: files.size,
    ...(sizes.length < files.size ? {} : { bytes }),
    ...(kind === 'file_write' && tree !== undefined ? { folder: tree } : {}),
    reason: `${who} ${did} ${files.size} data files ${where} within ${spanSeconds(run)} s`,
  });
}

const spanSeconds = (run: readonly Seen[]): number =>
  Math.ceil(((run.at(-1)?.event.at ?? 0) - (run[0]?.event.at ?? 0)) / 1_000_000);

/** Two pointers over the run: does any window hold `files` distinct paths? */
function isDense(run: readonly Seen[], limits: BurstLimits): boolean {
  const count = new Map<string, number>();
  let from = 0;
  for (const seen of run) {
    count.set(seen.path.key, (count.get(seen.path.key) ?? 0) + 1);
    for (
      let old = run[from];
      old !== undefined && seen.event.at - old.event.at > limits.windowMicros;
      old = run[++from]
    ) {
      const left = (count.get(old.path.key) ?? 1) - 1;
      if (left === 0) count.delete(old.path.key);
      else count.set(old.path.key, left);
    }
    if (count.size >= limits.files) return true;
  }
  return false;
}

/** The deepest folder that holds all; undefined when that is a drive itself or they are on several. */
function commonFolder(folders: readonly string[]): string | undefined {
  const paths = folders.map((folder) => folder.split('\\'));
  const first = paths[0] ?? [];
  let depth = first.length;
  for (const path of paths) {
    let at = 0;
    while (at < depth && at < path.length && path[at] === first[at]) at++;
    depth = at;
  }
  const common = first.slice(0, depth).join('\\');
  return windowsPath(common).base === '' || !windowsPath(common).absolute ? undefined : common;
}

/** `x.001`, `x.002`, … or `part1`, `part2`, … of one size but the last: data cut into pieces for sending. */
function seriesOf(events: readonly FileEvent[], limits: BurstLimits): StagingFact[] {
  const series = new Map<string, Map<number, FileEvent>>();
  for (const event of events) {
    if (event.kind !== 'file_write' || event.origin !== undefined) continue;
    const path = windowsPath(event.path);
    const found = seriesName(path);
    if (found === undefined) continue;
    const key = JSON.stringify([event.host.id, event.process.entityId, path.dir, found[1], found[3] ?? '']);
    const parts = series.get(key) ?? new Map<number, FileEvent>();
    parts.set(Number(found[2]), event);
    series.set(key, parts);
  }
  const facts: StagingFact[] = [];
  for (const parts of series.values()) {
    const fact = seriesFact(
      [...parts.entries()].sort(([a], [b]) => a - b),
      limits,
    );
    if (fact !== undefined) facts.push(fact);
  }
  return facts;
}

/** Windows and services number the logs that they rotate. */
const isRotation = (path: WindowsPath): boolean =>
  /\.(etl|log|evtx|trc|out|bak|old|dmp|tmp|regtrans-ms)(\.|$)/.test(path.base);

function seriesFact(parts: readonly (readonly [number, FileEvent])[], limits: BurstLimits): StagingFact | undefined {
  if (parts.length < limits.parts) return undefined;
  const consecutive = parts.every(([number], index) => number === (parts[0]?.[0] ?? 0) + index);
  const sizes = parts.map(([, event]) => event.size);
  const size = sizes[0];
  const equal =
    size !== undefined && size > 0 && sizes.slice(0, -1).every((one) => one === size) && (sizes.at(-1) ?? 0) <= size;
  const last = parts.at(-1)?.[1];
  if (!consecutive || !equal || last === undefined) return undefined;
  const newest = parts.map(([, event]) => event).reduce((a, b) => (b.at > a.at ? b : a));
  return factOf(newest, {
    strength: 'D',
    kind: 'burst',
    technique: 'T1030',
    traits: ['split'],
    files: parts.length,
    bytes: sizes.reduce<number>((sum, one) => sum + (one ?? 0), 0),
    reason: `${imageBase(last.process.image) || 'a process'} writes ${parts.length} numbered parts of ${size} bytes, up to ${named(last.path)}`,
  });
}
