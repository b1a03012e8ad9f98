/** What happened during a recording, before any feed's shape: the common ground of the four endpoint log writers. */
import type { Host, User } from './hosts.ts';
import type { Program } from './programs.ts';

/** One process instance. Times are microseconds since 1970 UTC. */
export interface ProcessFact {
  readonly host: Host;
  readonly user: User;
  readonly pid: number;
  readonly program: Program;
  /** Windows command line and directory that stand for the real ones. */
  readonly commandLine: string;
  readonly currentDirectory: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Absent for session roots, whose own start lies before the recording. */
  readonly parent?: ProcessFact;
}

interface Base {
  readonly at: number;
  readonly process: ProcessFact;
  /** Number of the step that caused it, for leaving steps out of replicated days. */
  readonly step: number;
}

export interface ConnectionFact extends Base {
  readonly kind: 'connection';
  readonly transport: 'tcp' | 'udp';
  readonly source: { readonly ip: string; readonly port: number };
  readonly destination: { readonly ip: string; readonly port: number };
}

export interface FileFact extends Base {
  readonly kind: 'file';
  readonly op: 'create' | 'rename' | 'delete';
  readonly path: string;
  readonly oldPath?: string;
  /** When the last byte was written; `at` is when the file appeared. */
  readonly completeAt: number;
  /** Bytes when complete. */
  readonly size: number;
  /** First bytes, hexadecimal. */
  readonly header: string;
}

export interface DnsFact extends Base {
  readonly kind: 'dns';
  /** Port of the resolver socket, to find the packets again. */
  readonly port: number;
  readonly name: string;
  readonly addresses: readonly string[];
}

export interface LifeFact extends Base {
  readonly kind: 'start' | 'end';
}

export type Fact = ConnectionFact | FileFact | DnsFact | LifeFact;

/** Moves facts in time; processes keep their identity among each other as long as `move` is the same function. */
export function moveFacts(facts: readonly Fact[], move: (at: number) => number): Fact[] {
  const moved = new Map<ProcessFact, ProcessFact>();
  const moveProcess = (process: ProcessFact): ProcessFact => {
    const known = moved.get(process);
    if (known !== undefined) return known;
    const copy: ProcessFact = {
      ...process,
      startedAt: move(process.startedAt),
      ...(process.endedAt === undefined ? {} : { endedAt: move(process.endedAt) }),
      ...(process.parent === undefined ? {} : { parent: moveProcess(process.parent) }),
    };
    moved.set(process, copy);
    return copy;
  };
  return facts.map((fact) => {
    const base = { ...fact, at: move(fact.at), process: moveProcess(fact.process) };
    return base.kind === 'file' ? { ...base, completeAt: move(base.completeAt) } : base;
  });
}
