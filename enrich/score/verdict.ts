/** Evidence groups of the model (DETECTION model §0): novelty, staging, volume, process, TLS, context. */
export type Group = 'N' | 'S' | 'V' | 'P' | 'C' | 'T';

export const GROUP_NAMES = {
  N: 'novelty',
  S: 'staging',
  V: 'volume',
  P: 'process',
  C: 'tls',
  T: 'context',
} as const satisfies Readonly<Record<Group, string>>;

/** One piece of evidence and what it weighs. */
export interface Term {
  readonly group: Group;
  /** Stable name, e.g. `archive_referenced`. */
  readonly name: string;
  /** Decibels before the group's cap: 10·log10 of the likelihood ratio. */
  readonly db: number;
  /** One sentence for the analyst. */
  readonly detail: string;
  /** Raw event ids and flow ids it came from. */
  readonly evidence: readonly string[];
}

export interface GroupScore {
  readonly group: Group;
  /** Sum of the terms, clipped to [-30, cap]. */
  readonly db: number;
  readonly sum: number;
  readonly cap: number;
}

/** Maturity of a baseline from which it can call something new. */
export const LEARNT = 0.5;

export type Tier = 'high' | 'medium' | 'ledger' | 'none';

/** What was decided about one episode, with everything it rests on. */
export interface Verdict {
  readonly model: string;
  readonly gate: {
    readonly passed: boolean;
    /** Closed because the baseline is too young; a history that comes late may open it. */
    readonly learning?: true;
    readonly reasons: readonly string[];
  };
  readonly prior: number;
  readonly terms: readonly Term[];
  readonly groups: readonly GroupScore[];
  readonly db: number;
  readonly probability: number;
  readonly tier: Tier;
  /** Highest score that was reachable with the telemetry at hand. */
  readonly attainableDb: number;
  /** What could not be seen, one sentence each. */
  readonly missing: readonly string[];
  /** Without this group the score would be …; groups that weigh nothing are left out. */
  readonly withoutGroup: readonly {
    readonly group: Group;
    readonly db: number;
    readonly probability: number;
    readonly tier: Tier;
  }[];
  /** Without this term the probability would be … */
  readonly counterfactuals: readonly { readonly term: string; readonly probability: number }[];
}
