/** What the endpoint feeds of the simulated organisation show of a host, and when it arrives. */

export type FeedName = 'elastic-defend' | 'sysmon' | 'mde' | 'crowdstrike-fdr' | 'security' | 'none';

export interface FeedShape {
  readonly feed: FeedName;
  /** Share of hosts. */
  readonly share: number;
  readonly files: boolean;
  readonly sizes: boolean;
  readonly contentTypes: boolean;
  readonly reads: boolean;
  readonly signers: boolean;
  readonly versionResource: boolean;
  readonly commandLines: boolean;
  readonly lookups: boolean;
  readonly processEnds: boolean;
  /** `vendor`: an id of the process; `pid`: its number only. */
  readonly processIds: 'vendor' | 'pid';
  /** Connections of one process to one server within an hour: all, the first only, or one row for all. */
  readonly connections: 'all' | 'first' | 'aggregated';
  /** Seconds from an event to its arrival: median, and sigma of the logarithm. */
  readonly lag: { readonly median: number; readonly sigma: number };
}

const shape = (feed: FeedName, share: number, more: Partial<FeedShape>): FeedShape => ({
  feed,
  share,
  files: true,
  sizes: true,
  contentTypes: false,
  reads: false,
  signers: false,
  versionResource: true,
  commandLines: true,
  lookups: true,
  processEnds: true,
  processIds: 'vendor',
  connections: 'all',
  lag: { median: 20, sigma: 0.8 },
  ...more,
});

export const FEEDS: readonly FeedShape[] = [
  shape('elastic-defend', 0.3, { contentTypes: true, reads: true, signers: true }),
  shape('sysmon', 0.24, { sizes: false, lag: { median: 8, sigma: 1 } }),
  shape('mde', 0.22, {
    signers: true,
    lookups: false,
    processEnds: false,
    connections: 'first',
    lag: { median: 300, sigma: 1 },
  }),
  shape('crowdstrike-fdr', 0.16, { contentTypes: true, connections: 'aggregated', lag: { median: 240, sigma: 0.6 } }),
  shape('security', 0.05, { files: false, versionResource: false, lookups: false, processIds: 'pid' }),
  shape('none', 0.03, {}),
];

/** Losses that no feed is free of. */
export const LOST_EVENTS = 0.01;
export const REPEATED = 0.005;
