import type { EndpointEvent, HostRef } from '../event/endpoint-event.ts';
import type { ClockSource, Draft } from './reading.ts';

/** An event that waits for the zone of its clock. */
export interface Held {
  readonly feed: string;
  readonly host: HostRef;
  readonly vendorId: string | readonly string[] | undefined;
  readonly index: number;
  readonly draft: Draft;
  readonly source: ClockSource;
  readonly origin: Origin | undefined;
  /** The feed may give the same event again, and it is wanted once. */
  readonly once: boolean;
}

/** The record that an event is read from, for who wants to know. */
export interface Origin {
  readonly chars: number;
  /** Called with each event of the record when it is given out, be it later. */
  readonly onEvent: (event: EndpointEvent) => void;
}
