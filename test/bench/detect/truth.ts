/** What really happened. Kept beside the events and never in them: only the measuring reads it. */

/** Why a theft could be hard to see: which evidence the sensors do not have. `full`: none is missing by design. */
export const BLIND_SPOTS = [
  'full',
  'no size',
  'no join',
  'no archive event',
  'no server name',
  'packet loss',
  'no command lines',
  'explicit proxy',
  'address translation',
  'late events',
  'wrong clock',
  'pids only',
  'no endpoint feed',
  'browser',
  'nothing staged',
  'beyond horizon',
  'usual destination',
] as const;

export type BlindSpot = (typeof BLIND_SPOTS)[number];

export interface FlowTruth {
  /** Host id, as its feed names it. */
  readonly host: string;
  readonly entityId: string;
  readonly pid: number;
  /** What was going on: a kind of ordinary work, or of theft. */
  readonly activity: string;
  readonly theft?: string;
  /** The host's feed reported (perhaps in an aggregate) that this process opened it. */
  readonly reported: boolean;
}

export interface Theft {
  readonly id: string;
  readonly kind: string;
  readonly blindSpot: BlindSpot;
  readonly host: number;
  /** The host had been given out days before. */
  readonly onNewHost: boolean;
  /** What left, by flow: microseconds and bytes. */
  readonly sent: { readonly flow: string; readonly start: number; readonly end: number; readonly bytes: number }[];
}

export interface Truth {
  /** By flow id. */
  readonly flows: Map<string, FlowTruth>;
  readonly thefts: Theft[];
}

export const newTruth = (): Truth => ({ flows: new Map(), thefts: [] });

export const bytesOf = (theft: Theft): number => theft.sent.reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes of a theft that have left by a time, if each flow sends evenly. */
export function goneBy(theft: Theft, at: number): number {
  return theft.sent.reduce((sum, { start, end, bytes }) => {
    if (at <= start) return sum;
    return sum + (at >= end ? bytes : (bytes * (at - start)) / (end - start));
  }, 0);
}
