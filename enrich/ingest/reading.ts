import type { EndpointEvent, HostRef } from '../event/endpoint-event.ts';
import { textOf } from './field-values.ts';
import { canonicalIp } from './ip-text.ts';

/**
 * Where an event's time comes from. `local` is a clock whose zone is not to be believed (FEEDS 11.3): the normaliser replaces it
 * once it knows the offset of that (sender, host).
 */
export type Clock = 'exact' | 'log' | 'local' | 'received';

type WithoutTime<T> = T extends EndpointEvent ? Omit<T, 'id' | 'at' | 'timeQuality' | 'feed' | 'host'> : never;
/** What an adapter makes of one fact: everything but identity and time. */
export type EventBody = WithoutTime<EndpointEvent>;

export interface Draft {
  readonly body: EventBody;
  /** Microseconds since 1970, to be read with `clock`. */
  readonly at: number;
  readonly clock: Clock;
  /** The process started at this very event, so its start and its key follow the corrected time. */
  readonly startsProcess?: boolean;
}

/** Ties a local time to the clock it came from. */
export interface ClockSource {
  /** Who wrote the time: collector or forwarder. */
  readonly sender: string;
  readonly host: string;
  /** The text named a zone, even if not a believable one. */
  readonly zoned: boolean;
}

/** What an adapter says of one record. `type` is the feed's own name of the record's kind. */
export type Reading =
  | {
      readonly kind: 'events';
      readonly feed: string;
      readonly type: string;
      readonly host: HostRef;
      readonly drafts: readonly Draft[];
      /** Dedup key of the feed (FEEDS 11.8): an id of its own, or parts that name the record together. */
      readonly vendorId?: string | readonly string[];
      readonly clockSource?: ClockSource;
      /** The feed may give the same event again, and it is wanted once. */
      readonly once?: boolean;
    }
  | { readonly kind: 'ignored'; readonly feed: string; readonly type: string }
  | { readonly kind: 'rejected'; readonly feed: string; readonly type: string; readonly reason: string };

export const ignored = (feed: string, type: string): Reading => ({ kind: 'ignored', feed, type });
export const rejected = (feed: string, type: string, reason: string): Reading => ({
  kind: 'rejected',
  feed,
  type,
  reason,
});

/** What the envelope around a record said; the record itself wins where it knows better. */
export interface RecordContext {
  /** Host named by the envelope (Splunk HEC) or by the caller, for records that name none. */
  readonly host?: string;
  /** Event time named by the envelope, microseconds UTC. */
  readonly at?: number;
  /** Who handed the record over: a forwarder, a file, a token. */
  readonly sender?: string;
}

/** Longest list of addresses kept of one host. */
export const MAX_HOST_IPS = 64;
/** Key of a machine that nobody named. */
export const UNNAMED_HOST = 'unnamed';

/**
 * The machine an event is about. A vendor's agent id is the key where the feed has one; else the short name in lower case, so
 * that `PC1.corp.example` in one record and `PC1` in the next are one host.
 */
export function hostRef(name: string | undefined, vendorId?: string | undefined, ips?: unknown): HostRef {
  const short = name === undefined ? undefined : shortHostName(name);
  const addresses = ipsOf(ips);
  return {
    id: vendorId?.toLowerCase() ?? short ?? UNNAMED_HOST,
    ...(name === undefined ? {} : { name }),
    ...(addresses.length === 0 ? {} : { ips: addresses }),
  };
}

/** First label in lower case; an address stays whole. */
export function shortHostName(name: string): string {
  const lower = name.trim().toLowerCase();
  const ip = canonicalIp(lower);
  if (ip !== undefined) return ip;
  const dot = lower.indexOf('.');
  return dot > 0 ? lower.slice(0, dot) : lower;
}

export function ipsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const found = new Set<string>();
  for (const entry of list.slice(0, MAX_HOST_IPS)) {
    const ip = canonicalIp(textOf(entry));
    if (ip !== undefined) found.add(ip);
  }
  return [...found];
}
