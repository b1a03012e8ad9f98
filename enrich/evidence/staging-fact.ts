import { createHash } from 'node:crypto';
import type { EndpointEvent, ProcessRef } from '../event/endpoint-event.ts';

/**
 * How well an event proves that data was packed. A: an archive by its content was written. B: an archive by its name.
 * C: the command line says so. D: many data files were written together. E: many (or the archive itself) were read.
 * F: a script host loaded a compression library. G: script text with a compression call, from a script log.
 */
export type StagingStrength = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G';

export type StagingKind =
  | 'archive-write'
  | 'archive-command'
  | 'archive-read'
  | 'archive-delete'
  /** The mark of the web was put on an archive: it came in, it was not made here. */
  | 'download-mark'
  | 'copy-loop'
  | 'export'
  | 'recon-output'
  | 'burst'
  | 'bulk-read'
  | 'compression-library'
  | 'encode';

/** Circumstances of staging; `low:` marks say why it is probably ordinary work, and are kept instead of dropping it. */
export type StagingTrait =
  | 'password'
  | 'header-encryption'
  | 'split'
  | 'staging-dir'
  | 'extension-mismatch'
  | 'deletes-sources'
  | 'deleted-after'
  | 'mass-read'
  | 'log-dir'
  | 'alternate-stream'
  | 'unc-source'
  | 'sensitive-source'
  | 'recursive'
  | 'renamed-tool'
  | 'encoded-command'
  | 'low:wer'
  | 'low:updater'
  | 'low:servicing'
  | 'low:log-rotation'
  | 'low:office'
  | 'low:package'
  | 'low:dev-cache'
  | 'low:explorer'
  | 'low:download'
  | 'low:agent'
  | 'low:backup'
  | 'low:single-file'
  | 'low:listing'
  | 'low:encodes-program';

export interface ArchiveRef {
  /** As the feed or the command line wrote it. */
  readonly path: string;
  /** Comparison form (windows-path.ts), resolved from the current directory where that was known. */
  readonly key: string;
  /** Key of the split set that the file is a volume of; equals `key` for a whole archive. */
  readonly setKey: string;
  /** Bytes; for a merged item the sum over its volumes. */
  readonly size?: number;
  readonly mimeType?: string;
  /** Number in the name of a split volume. */
  readonly part?: number;
}

export interface StagingFact {
  /** Stable: the same event gives the same id however often and in whatever order it comes. */
  readonly id: string;
  /** Event time, microseconds since 1970 UTC. */
  readonly at: number;
  readonly hostId: string;
  readonly process: ProcessRef;
  readonly strength: StagingStrength;
  readonly kind: StagingKind;
  /** ATT&CK technique. */
  readonly technique: string;
  readonly archive?: ArchiveRef;
  /** Key of the file that was renamed to the archive. */
  readonly renamedFrom?: string;
  /** Keys of what went in, as far as named: for an encoded file the archive it was made from. */
  readonly inputs: readonly string[];
  readonly traits: readonly StagingTrait[];
  readonly encoded?: 'base64' | 'hex';
  /** Key of the folder that a tree was copied to, or a heap written below. */
  readonly folder?: string;
  /** Bursts: files, and bytes when every file's size was known. */
  readonly files?: number;
  readonly bytes?: number;
  /** One sentence for the analyst. May hold text of the event. */
  readonly reason: string;
  readonly rawEventId: string;
  readonly feed: string;
}

/** Paths of inputs kept with a fact. */
export const INPUTS_MAX = 16;

/** Characters of one text kept with a fact, so that a fact stays far below what the store takes. */
export const FACT_TEXT_MAX_CHARS = 2_048;

/** What a classifier found, before the event is put around it. */
export type StagingFinding = Pick<StagingFact, 'strength' | 'kind' | 'technique' | 'reason'> &
  Partial<Pick<StagingFact, 'archive' | 'renamedFrom' | 'inputs' | 'encoded' | 'folder' | 'files' | 'bytes'>> & {
    readonly traits?: readonly StagingTrait[];
  };

/** Puts an event's time, host, process and source around a finding. */
export function factOf(
  event: Exclude<EndpointEvent, { kind: 'host_address' | 'feed_gap' }>,
  finding: StagingFinding,
): StagingFact {
  const { traits = [], inputs = [], ...rest } = finding;
  return {
    id: hashId([event.host.id, event.id, finding.kind, finding.archive?.key ?? '', finding.reason]),
    at: event.at,
    hostId: event.host.id,
    process: shortProcess(event.process),
    ...rest,
    inputs: inputs.slice(0, INPUTS_MAX).map((text) => text.slice(0, FACT_TEXT_MAX_CHARS)),
    traits: [...new Set(traits)].sort(),
    reason: finding.reason.slice(0, FACT_TEXT_MAX_CHARS),
    rawEventId: event.id,
    feed: event.feed,
  };
}

/** 128 bits of SHA-256 over the parts, each with its length so that no two lists of parts read alike. */
export function hashId(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of parts) hash.update(`${text.length}:${text};`);
  return hash.digest('hex').slice(0, 32);
}

function shortProcess(process: ProcessRef): ProcessRef {
  const cut = (text: string): string => text.slice(0, FACT_TEXT_MAX_CHARS);
  const { commandLine, currentDirectory, parent } = process;
  return {
    ...process,
    ...(commandLine === undefined ? {} : { commandLine: cut(commandLine) }),
    ...(currentDirectory === undefined ? {} : { currentDirectory: cut(currentDirectory) }),
    ...(parent?.commandLine === undefined ? {} : { parent: { ...parent, commandLine: cut(parent.commandLine) } }),
  };
}

/** A path in a sentence: short enough to read. */
export const named = (text: string): string => (text.length > 160 ? `${text.slice(0, 160)}…` : text);
