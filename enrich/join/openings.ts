import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { HostRef } from '../event/endpoint-event.ts';
import type { Fact } from '../store/store.ts';
import { CLOCK_SEARCH } from './clock.ts';
import type { ConnectionBody } from './facts.ts';

/** Events of one tuple this close together tell of one connection: two feeds, or two ends of a retry. Microseconds. */
const ONE_CONNECTION = 10_000_000;

/** Who opened the 5-tuple of a flow about its time. */
export interface Openings {
  /** Start of the flow, microseconds since 1970 UTC. */
  readonly start: number;
  /** Events that say when it was opened by the clock of their own host, by time; at least one. */
  readonly events: readonly Fact[];
  readonly first: Fact;
  /** Of the first one. */
  readonly host: HostRef;
  /** They tell of one connection of one host. Else it is not known which of them opened the flow. */
  readonly isOne: boolean;
}

/**
 * Depends on the facts alone, not on what was learned before. More events of a tuple only ever add to it.
 * @param tuple connection facts with the flow's 5-tuple
 */
export function openingsOf(record: FlowRecord, tuple: readonly Fact[]): Openings | undefined {
  const start = parseMicros(record.event.start) ?? 0;
  const events = tuple
    .filter((fact) => isOpening(fact) && Math.abs(fact.at - start) <= CLOCK_SEARCH)
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const [first, last] = [events[0], events.at(-1)];
  if (!first || !last) return undefined;
  const { host } = first.body as ConnectionBody;
  const isOneHost = events.every(({ body }) => (body as ConnectionBody).host.id === host.id);
  return { start, events, first, host, isOne: isOneHost && last.at - first.at <= ONE_CONNECTION };
}

function isOpening({ body }: Fact): boolean {
  const { until, moment } = body as ConnectionBody;
  return until === undefined && moment === undefined;
}
