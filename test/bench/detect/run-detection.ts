/** Sends a simulated organisation through the real Enricher as it would arrive, and keeps what is needed to measure it. */
import { setImmediate } from 'node:timers/promises';
import { parse } from 'tldts';
import { Enricher } from '../../../enrich/enricher.ts';
import type { EndpointEvent } from '../../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../../enrich/ingest/normalizer.ts';
import type { JoinMethod, WaybillLine } from '../../../enrich/join/join-flow.ts';
import type { Settings } from '../../../enrich/settings.ts';
import { openMemory } from '../../../enrich/store/memory.ts';
import type { Store, StoredAlert } from '../../../enrich/store/store.ts';
import { parseMicros } from '../../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../../sensor/record/flow-record.ts';
import { benchSettings } from './bench-settings.ts';
import { type Candidate, candidatesIn } from './candidates.ts';
import { isNew } from './new-hosts.ts';
import type { Host, Organisation } from './organisation.ts';
import { type Packing, packingOf, type Rule, raisedBy, type SeenFlow } from './rules-of-today.ts';
import { type Arrival, DAY, FIRST_DAY, HOUR } from './scene.ts';
import { type SimulationOptions, simulate } from './simulate.ts';
import { sysmonLine } from './sysmon-line.ts';
import { type Look, lookAt } from './timeline.ts';
import type { Theft, Truth } from './truth.ts';

/** Days of hosts that were there. */
export interface HostDays {
  readonly learning: number;
  /** After the warm-up; `onNew` are those of hosts in their first days. */
  readonly judged: number;
  readonly onNew: number;
}

export type AlertTier = 'high' | 'medium';

/** An alert as an analyst met it: it may have been taken back later. */
export interface Raised {
  readonly id: string;
  /** The highest it had. */
  tier: AlertTier;
  /** Service time of the first notice by tier. */
  readonly first: Map<AlertTier, number>;
  flows: readonly string[];
  /** Stands at the end. */
  stands: boolean;
}

export interface JoinSeen {
  readonly method: JoinMethod;
  readonly host: string | undefined;
  readonly entityId: string | undefined;
  readonly pid: number | undefined;
  readonly image: string | undefined;
}

export interface Outcome {
  readonly options: SimulationOptions;
  readonly truth: Truth;
  readonly hostDays: HostDays;
  /** Whether a host, by its id, had been given out days before a moment. */
  readonly isNewHost: (id: string, at: number) => boolean;
  readonly raised: readonly Raised[];
  /** By flow id, as the join stood at the end. */
  readonly joins: ReadonlyMap<string, JoinSeen>;
  readonly candidates: readonly Candidate[];
  readonly rules: ReadonlyMap<Rule, ReadonlySet<string>>;
  readonly flows: ReadonlyMap<string, SeenFlow>;
  readonly records: number;
  readonly events: number;
  /** Service time at which the feed first told of who sent, by theft; of thefts that it told of. */
  readonly senderTold: ReadonlyMap<string, number>;
  /** What was known of each theft whenever it was looked at; of a run with `timeline` only. */
  readonly looks: readonly Look[];
  /** Seconds of wall time: the enricher, and all. */
  readonly enricherSeconds: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
}

export interface RunOptions extends SimulationOptions {
  /** Hours of service time between two looks at everything; thefts are looked at in between too. */
  readonly settleHours: number;
  /** By default its roles are set as peer groups, and nothing else. */
  readonly settings?: Settings;
  /** Keeps what was known of each theft at each look. */
  readonly timeline?: boolean;
  readonly onDay?: (day: number) => void;
  /** Reorders what arrives before it is handed over; for tests. */
  readonly reorder?: (arrivals: readonly Arrival[]) => readonly Arrival[];
}

export async function runDetection(options: RunOptions): Promise<Outcome> {
  const started = performance.now();
  const store = openMemory({ maxBytes: 4 * 1024 ** 3 });
  const run = new Run(store, options);
  try {
    await run.feed();
    const candidates = await run.timed(() => candidatesIn(store, run.simulation.truth, run.settings));
    const { flows, packings, parents, joins } = run;
    const seen = seenFlows(flows, joins);
    return {
      options,
      truth: run.simulation.truth,
      hostDays: hostDaysOf(options, run.simulation.organisation),
      isNewHost: newHostsOf(run.simulation.organisation),
      raised: await run.standing(),
      joins,
      candidates,
      rules: raisedBy(
        seen,
        [...packings.values()].sort((a, b) => a.at - b.at),
        parents,
      ),
      flows: new Map(seen.map((flow) => [flow.id, flow])),
      records: run.records,
      events: run.events,
      senderTold: run.senderTold,
      looks: run.looks,
      enricherSeconds: run.enricherSeconds,
      seconds: (performance.now() - started) / 1000,
      peakMegabytes: run.peakMegabytes,
    };
  } finally {
    await store.close();
  }
}

function hostDaysOf({ days, warmUp }: SimulationOptions, { hosts }: Organisation): HostDays {
  const count = (from: number, to: number, has: (host: Host, day: number) => boolean): number => {
    let sum = 0;
    for (let day = from; day < to; day++) sum += hosts.filter((host) => has(host, day)).length;
    return sum;
  };
  const isThere = ({ issued }: Host, day: number): boolean => day >= issued;
  return {
    learning: count(0, warmUp, isThere),
    judged: count(warmUp, days, isThere),
    onNew: count(warmUp, days, isNew),
  };
}

function newHostsOf({ hosts }: Organisation): Outcome['isNewHost'] {
  const byId = new Map(hosts.map((host) => [host.id, host]));
  return (id, at) => {
    const host = byId.get(id);
    return host !== undefined && isNew(host, Math.floor((at - FIRST_DAY) / DAY));
  };
}

/** What the sensor alone says of a flow. */
interface Wire {
  readonly source: string;
  readonly destination: string;
  readonly start: number;
  sent: number;
}

const seenFlows = (flows: ReadonlyMap<string, Wire>, joins: ReadonlyMap<string, JoinSeen>): SeenFlow[] =>
  [...flows]
    .map(([id, wire]) => {
      const join = joins.get(id);
      // These rules have no join of their own: what the endpoint says of exactly this connection is given to them.
      const exact = join?.method === 'tuple' ? { entityId: join.entityId, image: join.image } : {};
      return { id, ...wire, host: join?.host, ...exact };
    })
    .sort((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1));

interface CheckPoint {
  readonly at: number;
  readonly host: number;
}

/** The service settles what arrives within a second; so often is one theft looked at on one day. */
const LOOK_AFTER = 1e6;
const MAX_LOOKS = 30;
const LATE = 900e6;
/** A sender is told of by what it did from so long before its first byte. */
const SENDER_BEFORE = 60e6;
/** An upload from which anybody's is looked at whenever a record of it arrives, bytes. */
const LARGE = 1e6;

/** A record of its flows, or an event of its host that arrives while one runs or soon after. */
function concerns(arrival: Arrival, { sent }: Theft, flows: ReadonlySet<string>): boolean {
  if ('record' in arrival) return flows.has(arrival.record.waybill.flow_id);
  return sent.some(({ start, end }) => arrival.at >= start && arrival.at <= end + LATE);
}

class Run {
  readonly simulation: ReturnType<typeof simulate>;
  readonly raised = new Map<string, Raised>();
  readonly joins = new Map<string, JoinSeen>();
  readonly flows = new Map<string, Wire>();
  readonly packings = new Map<string, Packing>();
  readonly parents = new Map<string, string>();
  records = 0;
  events = 0;
  enricherSeconds = 0;
  peakMegabytes = 0;
  private readonly store: Store;
  private readonly options: RunOptions;
  readonly settings: Settings;
  private readonly enricher: Enricher;
  private readonly normalizer = new FeedNormalizer();
  private checkPoints: CheckPoint[] = [];
  readonly looks: Look[] = [];
  readonly senderTold = new Map<string, number>();

  constructor(store: Store, options: RunOptions) {
    this.store = store;
    this.options = options;
    this.simulation = simulate(options);
    this.settings = options.settings ?? benchSettings(true);
    this.enricher = new Enricher(store, this.settings);
  }

  async feed(): Promise<void> {
    const { options } = this;
    let day = 0;
    for (const batch of this.simulation.batches) {
      this.plan(batch);
      const arrivals = options.reorder?.(batch) ?? batch;
      const last = day === options.days;
      for (let hour = 0; hour < 24; hour += options.settleHours) {
        const from = FIRST_DAY + day * DAY + hour * HOUR;
        const until = last ? Number.POSITIVE_INFINITY : from + Math.min(options.settleHours, 24 - hour) * HOUR;
        await this.window(
          arrivals.filter(({ at }) => (hour === 0 || at >= from) && at < until),
          until,
        );
        if (last) break;
      }
      options.onDay?.(day);
      day++;
      // The page that watches, and the collector of garbage, have their turn.
      await setImmediate();
      this.peakMegabytes = Math.max(this.peakMegabytes, process.memoryUsage().rss / 1e6);
    }
  }

  /** Looks when something arrives of a theft or, while it runs and some time after, of its host: as the service does. */
  private plan(batch: readonly Arrival[]): void {
    for (const theft of this.simulation.truth.thefts) {
      const flows = new Set(theft.sent.map(({ flow }) => flow));
      this.noteSender(theft, batch);
      const times = batch
        .filter((arrival) => arrival.host === theft.host && concerns(arrival, theft, flows))
        .map(({ at }) => at + LOOK_AFTER)
        .sort((a, b) => a - b);
      const stride = Math.ceil(times.length / MAX_LOOKS);
      // The last of them counts most, so they are counted from the end.
      const looks = times.reverse().filter((_, index) => index % stride === 0);
      this.checkPoints.push(...looks.map((at) => ({ at, host: theft.host })));
    }
    // Ordinary uploads are looked at as promptly: an alert that is taken back when the process is known was raised.
    for (const arrival of batch) {
      if (!('record' in arrival) || arrival.record.source.bytes < LARGE) continue;
      this.checkPoints.push({ at: arrival.at + LOOK_AFTER, host: arrival.host });
    }
    this.checkPoints.sort((a, b) => a.at - b.at);
  }

  /** The first event of the process that sends, from a minute before on: one that runs since the morning tells nothing. */
  private noteSender(theft: Theft, batch: readonly Arrival[]): void {
    const { flows } = this.simulation.truth;
    const senders = new Set(theft.sent.map(({ flow }) => flows.get(flow)?.entityId));
    const began = Math.min(...theft.sent.map(({ start }) => start));
    const skew = this.simulation.organisation.hosts[theft.host]!.skewSeconds * 1e6;
    for (const arrival of batch) {
      if (arrival.host !== theft.host || !('event' in arrival) || !('process' in arrival.event)) continue;
      const { event, at } = arrival;
      if (!senders.has(event.process.entityId) || event.at - skew < began - SENDER_BEFORE) continue;
      this.senderTold.set(theft.id, Math.min(at, this.senderTold.get(theft.id) ?? at));
    }
  }

  /**
   * What arrived in one window. At a check point only what the robbed host had sent by then is handed over: the outcome
   * does not depend on the order of hosts, and so one host is looked at and not all.
   */
  private async window(arrivals: readonly Arrival[], until: number): Promise<void> {
    let rest = arrivals;
    while (this.checkPoints.length > 0 && this.checkPoints[0]!.at < until) {
      const { at, host } = this.checkPoints.shift()!;
      const due = rest.filter((arrival) => arrival.host === host && arrival.at <= at);
      if (due.length === 0) continue;
      rest = rest.filter((arrival) => !(arrival.host === host && arrival.at <= at));
      await this.hand(due, at);
      if (this.options.timeline === true) await this.look(host, at);
    }
    const end = Number.isFinite(until) ? until : (arrivals.at(-1)?.at ?? 0);
    await this.hand(rest, end);
  }

  /** Notes what is known by now of the thefts that run on a host. */
  private async look(host: number, at: number): Promise<void> {
    const { truth, organisation } = this.simulation;
    for (const theft of truth.thefts) {
      if (theft.host !== host || !theft.sent.some(({ start, end }) => at >= start && at <= end + LATE)) continue;
      this.looks.push(await lookAt(this.store, theft, organisation.hosts[host]!.id, at, this.settings));
    }
  }

  private async hand(arrivals: readonly Arrival[], now: number): Promise<void> {
    const records: FlowRecord[] = [];
    const events: EndpointEvent[] = [];
    for (const arrival of arrivals) {
      if ('record' in arrival) records.push(arrival.record);
      else events.push(...this.asReceived(arrival.event, arrival.host));
    }
    for (const record of records) this.noteFlow(record);
    for (const event of events) this.noteEvent(event);
    this.records += records.length;
    this.events += events.length;
    const changed = await this.timed(async () => {
      await this.enricher.putEvents(events);
      await this.enricher.putFlows(records);
      return this.enricher.settle((line) => this.noteJoin(line));
    });
    for (const alert of changed) this.noteAlert(alert, now);
  }

  async timed<T>(work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await work();
    this.enricherSeconds += (performance.now() - from) / 1000;
    return result;
  }

  /** Hosts whose feed comes as text have it read as text. */
  private asReceived(event: EndpointEvent, host: number): readonly EndpointEvent[] {
    if (!this.simulation.organisation.hosts[host]!.asText) return [event];
    const line = sysmonLine(event, Number.parseInt(event.id.slice(0, 10), 16));
    return line === undefined ? [] : this.normalizer.normalize(JSON.parse(line));
  }

  private noteFlow(record: FlowRecord): void {
    const { domain, ip } = record.destination;
    this.flows.set(record.waybill.flow_id, {
      source: record.source.ip,
      destination: domain === undefined ? ip : (parse(domain, { allowPrivateDomains: true }).domain ?? domain),
      start: parseMicros(record.event.start) ?? 0,
      sent: Math.max(record.source.bytes, this.flows.get(record.waybill.flow_id)?.sent ?? 0),
    });
  }

  private noteEvent(event: EndpointEvent): void {
    const packing = packingOf(event);
    if (packing) this.packings.set(event.id, packing);
    if (event.kind !== 'process_start') return;
    const parent = event.process.parent?.entityId;
    if (parent !== undefined) this.parents.set(event.process.entityId, parent);
  }

  private noteJoin({ record, join }: WaybillLine): void {
    this.joins.set(record.waybill.flow_id, {
      method: join.method,
      host: join.host?.id,
      entityId: join.process?.entityId,
      pid: join.process?.pid,
      image: join.process?.image?.split('\\').at(-1)?.toLowerCase(),
    });
  }

  private noteAlert(alert: StoredAlert, now: number): void {
    const { tier, flows } = alertParts(alert);
    const known = this.raised.get(alert.id) ?? { id: alert.id, tier, first: new Map(), flows, stands: false };
    if (tier === 'high') known.tier = 'high';
    if (!known.first.has(tier)) known.first.set(tier, now);
    known.flows = [...new Set([...known.flows, ...flows])];
    this.raised.set(alert.id, known);
  }

  async standing(): Promise<Raised[]> {
    for (const raised of this.raised.values()) raised.stands = (await this.store.getAlert(raised.id)) !== undefined;
    return [...this.raised.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

function alertParts(alert: StoredAlert): { readonly tier: AlertTier; readonly flows: readonly string[] } {
  const { waybill } = alert.body as { waybill: { tier: AlertTier; flows: { flow_id: string }[] } };
  return { tier: waybill.tier, flows: waybill.flows.map((flow) => flow.flow_id) };
}
