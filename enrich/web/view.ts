import type { Exception } from '../alert/exception.ts';
import type { DrillReport } from '../drill/report.ts';

/** What the console's API answers: the one description that server and page share. Times are ISO 8601, sizes bytes. */

export const REVIEW_STATES = ['open', 'acknowledged', 'true_positive', 'false_positive'] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];

/** What an analyst decided about an alert, and when. */
export interface Review {
  readonly state: ReviewState;
  readonly note: string;
  /** As the analyst signed; the token's name is `token`. */
  readonly by: string;
  readonly token: string;
  readonly at: string;
  /** Revision of the alert that was looked at. */
  readonly revision: number;
}

export interface AlertSummary {
  readonly id: string;
  readonly at: string;
  readonly revision: number;
  readonly tier: string;
  readonly probability: number;
  readonly db: number;
  readonly story: string;
  readonly host: string;
  readonly user: string;
  readonly process: string;
  readonly destination: string;
  readonly bytesOut: number;
  /** An announced drill: no incident. */
  readonly drill?: true;
  /** An exception covers it: outputs hold it back. */
  readonly allowed?: true;
  readonly review?: Review;
}

/** A list that may be longer than what is shown or than what was looked at. */
export interface Paged {
  /** Entries that fit the filter. */
  readonly matched: number;
  readonly offset: number;
  /** Set when a cap left something unread: a sentence that says what. */
  readonly capped?: string;
}

export interface AlertList extends Paged {
  readonly alerts: readonly AlertSummary[];
  /** Alerts in the store that were looked at, whatever the filter. */
  readonly known: number;
  readonly open: number;
}

export interface AlertAnswer {
  readonly id: string;
  readonly revision: number;
  /** The alert document (ECS). */
  readonly body: unknown;
  /** Oldest first. */
  readonly reviews: readonly Review[];
  /** What became of it at each way out. */
  readonly deliveries: readonly DeliveryLine[];
}

export interface DeliveryLine {
  readonly output: string;
  /** waiting, sent, allowed, withdrawn, refused, given_up or dropped. */
  readonly state: string;
  readonly attempts: number;
  /** When it came to this state. */
  readonly at: string;
  readonly why?: string;
}

/** What went from the host of an alert to its destination, by UTC day. */
export interface DestinationHistory {
  readonly name: string;
  /** Ascending, without gaps; the last is the alert's own day. */
  readonly days: readonly { readonly day: string; readonly flows: number; readonly bytesOut: number }[];
  /** Day on which the destination was first seen from anywhere here. */
  readonly knownSince?: string;
  readonly capped?: string;
}

/** An exception as `waybill allow` keeps it, with what it does. */
export interface ExceptionRow extends Exception {
  /** Stored alerts that it covers. */
  readonly uses: number;
  readonly expired: boolean;
}

export interface ExceptionsAnswer {
  readonly exceptions: readonly ExceptionRow[];
  /** Why this reader may not change them. */
  readonly why?: string;
  readonly capped?: string;
}

export interface ExceptionPreview {
  readonly covered: number;
  /** Stored alerts that were looked at. */
  readonly looked: number;
  /** The newest of the covered ones. */
  readonly alerts: readonly AlertSummary[];
  readonly capped?: string;
}

export interface HostRow {
  readonly id: string;
  readonly name: string;
  readonly ips: readonly string[];
  /** Flows that were given to this host, and how many of the ones looked at name a process. */
  readonly flows: number;
  readonly looked: number;
  readonly named: number;
  readonly processEvents: number;
  readonly staging: number;
  readonly alerts: number;
  readonly lastFlow?: string;
  readonly lastEvent?: string;
}

export interface DestinationRow {
  readonly name: string;
  readonly hosts: number;
  readonly processes: readonly string[];
  readonly flows: number;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly first: string;
  readonly last: string;
  readonly alerts: number;
}

export const SEARCH_FIELDS = ['any', 'host', 'process', 'destination', 'ip', 'ja4', 'community_id'] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

/** One joined flow; what is not known of it is empty. */
export interface FlowRow {
  readonly at: string;
  readonly host: string;
  readonly process: string;
  readonly destination: string;
  readonly address: string;
  readonly bytesOut: number;
  readonly bytesIn: number;
  readonly ja4: string;
  readonly communityId: string;
  /** Id of the alert that lists it. */
  readonly alert?: string;
}

export interface FingerprintRow {
  readonly ja4: string;
  readonly flows: number;
  readonly hosts: number;
  readonly destinations: number;
  /** Programs that opened flows with it, most flows first. */
  readonly programs: readonly { readonly image: string; readonly flows: number }[];
  /** Flows with it that no endpoint event names a process for. */
  readonly unnamed: number;
  readonly last: string;
}

export interface Rows<Row> extends Paged {
  readonly rows: readonly Row[];
}

/** A drill as it was announced, and what it found once it has ended. */
export interface DrillLine {
  readonly id: string;
  readonly host: string;
  readonly to: { readonly ip: string; readonly port: number };
  /** Name of the token that announced it. */
  readonly by: string;
  readonly at: string;
  readonly report?: DrillReport;
}

export interface DrillsAnswer {
  /** Newest first. */
  readonly drills: readonly DrillLine[];
}

export interface HealthRow {
  readonly name: string;
  readonly value: string;
  /** What it means, and what to do when it is not what it should be. */
  readonly note: string;
  readonly state: 'fine' | 'look' | 'fact';
}

export interface HealthAnswer {
  readonly sections: readonly { readonly title: string; readonly rows: readonly HealthRow[] }[];
}
