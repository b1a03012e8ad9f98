import { evidenceName } from '../../sensor/record/evidence-name.ts';

/** First line of every manifest. */
export const FORMAT = 'waybill-bundle/1';
/** Bytes of all members, unpacked. */
export const MAX_BUNDLE_BYTES = 256 << 20;
/** Members: the fixed ones, and packets of the flows that an alert lists. */
export const MAX_MEMBERS = 64;

export const MEMBERS = {
  manifest: 'manifest.json',
  alert: 'alert.json',
  events: 'endpoint-events.jsonl',
  flows: 'flow-records.jsonl',
  baseline: 'baseline.json',
  settings: 'settings.json',
  raw: 'raw-events.jsonl',
} as const;

const FIXED: ReadonlySet<string> = new Set(Object.values(MEMBERS));

export const packetsOf = (flowId: string): string => `packets/${evidenceName(flowId)}`;

/** Names that a member may have: no path leads out of a folder. */
export const isMember = (name: string): boolean =>
  FIXED.has(name) || /^packets\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,80}\.pcap$/.test(name);

export interface Manifest {
  readonly format: typeof FORMAT;
  /** Id of the alert. */
  readonly alert: string;
  readonly alert_time: string;
  /** Version of the model that scored. */
  readonly model: string;
  /** Decibels that the members give. */
  readonly score_db: number;
  /** What is to be known of the bundle, one sentence each. */
  readonly notes: readonly string[];
  /** All others, each with the SHA-256 of its bytes. */
  readonly members: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}
