import { createHash } from 'node:crypto';
import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact } from '../store/store.ts';
import { type ConnectionBody, greetingKey, hostShard, indexKey } from './facts.ts';
import type { Openings } from './openings.ts';

/** What a process shows in an hour is taken once. */
export const HELLO_HOUR = 3_600 * MICROS_PER_SECOND;
/** Hours of processes that are remembered, about 300 bytes each; all are forgotten when there are more. */
const MAX_KNOWN = 200_000;

/** That a process showed a hello to a name, by an exact match of the flow. */
export interface HelloBody {
  readonly flow: string;
  readonly process: ProcessRef;
  /** Raw event that names it; absent when it is not known which of several events opened the flow. */
  readonly event?: string;
  /** Event time minus flow start, microseconds, clock error and lateness of the feed together. */
  readonly offset?: number;
}

/** When a flow began, and which it was: of two the lower one is the first of its hour. */
type Place = Pick<Fact, 'at'> & { readonly flow: string };

/**
 * What flows teach of the programs of their hosts: which process shows which hello, and to whom. Of each process, hello and
 * hour the first flow is all that readers look at (`firstOfHour`), and likewise of each name; what comes after one that is
 * stored is left out. So it does not matter who left out what, and in what order flows came: the first one is never left
 * out. A flow whose tuple was used twice still has its place: it would be first, and says nothing.
 */
export class Hellos {
  private readonly first = new Map<string, Place>();

  /**
   * The facts of a flow that say something new, one for each process that an event of its tuple names; taken to be stored
   * from now on. More events of the tuple give further facts with a higher version, and none is ever changed: what is only
   * ever added to can be told unchanged by its number.
   */
  news(record: FlowRecord, { start, events, first, isOne }: Openings): Fact[] {
    const ja4 = record.tls?.client?.ja4;
    if (ja4 === undefined) return [];
    const { domain, ip } = record.destination;
    const greeting = `greeting ${ja4.length} ${ja4} ${domain ?? ip}`;
    const place = { at: start, flow: record.waybill.flow_id };
    const facts: Fact[] = [];
    for (const event of namingEvents(events)) {
      const { host, process } = event.body as ConnectionBody;
      const hour = `${Math.floor(start / HELLO_HOUR)} ${host.id.length} ${host.id} ${process.entityId.length} ${process.entityId}`;
      // What is first to show a hello is first to greet its name with it.
      if (!this.isFirst(`${hour} ${greeting}`, place)) continue;
      const isMaker = isOne && event === first;
      const keys = [indexKey('ja4', ja4), greetingKey(record, ja4)];
      facts.push({
        shard: hostShard(host.id),
        kind: 'hello',
        id: idOf(place.flow, events.length, process.entityId),
        at: start,
        keys: this.isFirst(`${hour} hello ${ja4}`, place) ? keys : keys.slice(1),
        version: events.length,
        body: {
          flow: place.flow,
          process,
          ...(isMaker ? { event: event.id, offset: event.at - start } : {}),
        } satisfies HelloBody,
      });
    }
    return facts;
  }

  /** What was taken to be stored may not be. */
  forget(): void {
    this.first.clear();
  }

  /** A flow is never before itself: what is learned of it later is news again. */
  private isFirst(hour: string, place: Place): boolean {
    const known = this.first.get(hour);
    if (known !== undefined && isBefore(known, place)) return false;
    if (this.first.size >= MAX_KNOWN) this.first.clear();
    this.first.set(hour, place);
    return true;
  }
}

const isBefore = (a: Place, b: Place): boolean => a.at < b.at || (a.at === b.at && a.flow < b.flow);

/** The first event of each process of each host. */
function namingEvents(events: readonly Fact[]): Fact[] {
  if (events.length === 1) return entityKind(events[0]!) === 'none' ? [] : [...events];
  const named = new Map<string, Fact>();
  for (const event of events) {
    const { host, process } = event.body as ConnectionBody;
    const name = `${host.id.length} ${host.id} ${process.entityId}`;
    if (process.entityKind !== 'none' && !named.has(name)) named.set(name, event);
  }
  return [...named.values()];
}

const entityKind = ({ body }: Fact): string => (body as ConnectionBody).process.entityKind;

const idOf = (flow: string, events: number, entity: string): string =>
  createHash('sha256')
    .update(JSON.stringify([flow, events, entity]))
    .digest('base64url')
    .slice(0, 22);

/** Of the hellos found by one key, in whole hours: those of the first flow of each process and hour, where nothing takes it back. */
export function firstOfHour(hellos: readonly Fact[]): Fact[] {
  const latest = new Map<string, Fact>();
  for (const hello of hellos) {
    const { flow, process } = hello.body as HelloBody;
    const name = `${flow.length} ${flow} ${process.entityId}`;
    const known = latest.get(name);
    if (known === undefined || known.version < hello.version) latest.set(name, hello);
  }
  const first = new Map<string, Fact>();
  for (const hello of latest.values()) {
    const name = `${Math.floor(hello.at / HELLO_HOUR)} ${(hello.body as HelloBody).process.entityId}`;
    const known = first.get(name);
    if (known === undefined || isBefore(placeOf(hello), placeOf(known))) first.set(name, hello);
  }
  return [...first.values()].filter(({ body }) => (body as HelloBody).event !== undefined);
}

const placeOf = ({ at, body }: Fact): Place => ({ at, flow: (body as HelloBody).flow });
