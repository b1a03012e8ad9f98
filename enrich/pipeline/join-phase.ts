import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { HostClocks } from '../join/clock.ts';
import { drillOfFlow } from '../join/drill-mark.ts';
import { isEncrypted } from '../join/encrypted.ts';
import { type FlowBody, hostShard } from '../join/facts.ts';
import { HostViews, joinedFact, joinFromStore, movedFact } from '../join/gather.ts';
import type { WaybillLine } from '../join/join-flow.ts';
import { type FlowName, learnFrom } from '../join/learner.ts';
import { episodesIn } from '../score/rollout.ts';
import { type Sighting, Sightings } from '../score/sightings.ts';
import type { Touched } from '../score/touched.ts';
import type { Settings } from '../settings.ts';
import type { Fact, Observation, Store } from '../store/store.ts';
import { observe } from './observe.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** Flows learned from at once: the clock of each host is looked at once for all of them. */
const LEARN_BATCH = 4_096;
/** Flows joined side by side. */
const JOIN_BATCH = 1_024;

interface JoinedFlow {
  readonly line: WaybillLine;
  readonly facts: readonly Fact[];
  readonly sighting: Sighting | undefined;
}

/** Says which host and process made a flow, and adds to the baseline what it did. */
export class JoinPhase {
  private readonly store: Store;
  private readonly settings: Settings;
  private readonly clocks: HostClocks;
  private readonly touched: Touched;
  private readonly hosts: HostViews;
  private readonly sightings = new Sightings();
  /** What the store had lost when it was asked last. */
  private losses = 0;

  constructor(store: Store, settings: Settings, clocks: HostClocks, touched: Touched) {
    this.store = store;
    this.settings = settings;
    this.clocks = clocks;
    this.touched = touched;
    this.hosts = new HostViews(store, clocks);
  }

  /** What is remembered of the store may be wrong by now: other workers write to it too, and it may have lost something. */
  doubt(): void {
    this.hosts.doubt();
    if (this.store.losses() !== this.losses) this.sightings.forget();
    this.losses = this.store.losses();
  }

  /** Learns from the exact matches of the flows at hand; what changes a clock makes its flows dirty again. */
  async learn(end: number): Promise<void> {
    const flows = this.touched.flowsBefore(end);
    for (let i = 0; i < flows.length; i += LEARN_BATCH) {
      const batch = flows.slice(i, i + LEARN_BATCH);
      const facts = await Promise.all(batch.map((flow) => this.touched.read(flow)));
      const records = facts.flatMap((fact) => (fact ? [(fact.body as FlowBody).record] : []));
      const learned = await learnFrom(this.store, this.clocks, records);
      for (const flow of learned.flows) this.touched.name(flow);
      for (const { host, day } of learned.days) this.touched.host(host, day * DAY, (day + 1) * DAY);
    }
  }

  /** Joins flows of one day, many side by side; while the store takes those, the next are joined. */
  async join(flows: readonly FlowName[], onJoined: ((line: WaybillLine) => void) | undefined): Promise<void> {
    let keeping: Promise<void> = Promise.resolve();
    for (let i = 0; i < flows.length; i += JOIN_BATCH) {
      const batch = flows.slice(i, i + JOIN_BATCH);
      const joining = Promise.all(batch.map((flow) => this.joinOne(flow, onJoined !== undefined)));
      // Both are waited for, whichever fails.
      await Promise.allSettled([joining, keeping]);
      await keeping;
      const done = await joining;
      keeping = this.keep(done);
      for (const flow of batch) this.touched.done(flow);
      for (const d of done) if (d && onJoined) onJoined(d.line);
    }
    await keeping;
  }

  /** Gives joined flows to the store, in one batch. */
  private async keep(done: readonly (JoinedFlow | undefined)[]): Promise<void> {
    const facts = done.flatMap((d) => d?.facts ?? []);
    await this.store.put(facts);
    for (const fact of facts) this.touched.host(fact.shard.slice('host:'.length), fact.at, fact.at);
    const sightings = done.flatMap((d) => d?.sighting ?? []);
    const observations = sightings.flatMap((sighting) => sighting.observations);
    await observe(this.store, this.touched, observations);
    await this.touchRollouts(observations);
    this.sightings.written(sightings.map(({ key }) => key));
  }

  /** One more host with a program and destination may make a rollout of the episodes of others. */
  private async touchRollouts(observations: readonly Observation[]): Promise<void> {
    const counts = new Map<string, Observation>();
    for (const seen of observations)
      if (seen.scope.startsWith('rollout:')) counts.set(`${seen.day}|${seen.scope}`, seen);
    for (const { scope, day } of counts.values()) {
      for (const { host, at } of await episodesIn(this.store, scope, day)) this.touched.host(host, at, at);
    }
  }

  private async joinOne(flow: FlowName, wantsProcess: boolean): Promise<JoinedFlow | undefined> {
    const found = await this.touched.read(flow);
    if (!found) return undefined;
    const { record } = found.body as FlowBody;
    const joining = await joinFromStore(this.store, this.clocks, record);
    const { join } = joining;
    if (!join.host) return { line: { record, join }, facts: [], sighting: undefined };
    const host = join.host.id;
    const drill = (await drillOfFlow(this.store, record, join.host))?.id;
    const fact = joinedFact(record, joining, await this.clocks.of(host, found.at), drill)!;
    const processes = this.hosts.of(host);
    const chain = wantsProcess ? await processes.chainOf(join, found.at) : undefined;
    return {
      line: {
        record,
        join: chain ? { ...join, process: chain[0]! } : join,
        ...(drill === undefined ? {} : { drill }),
      },
      facts: [fact, ...(await this.movedFrom(joining.claimants, host, fact))],
      sighting:
        drill === undefined && isEncrypted(record)
          ? await this.sightings.of(processes, { record, join }, this.settings.knowledge)
          : undefined,
    };
  }

  /** Takes the flow away from hosts that were thought to have made it. */
  private async movedFrom(claimants: readonly string[], host: string, fact: Fact): Promise<Fact[]> {
    const others = claimants.filter((claimant) => claimant !== host);
    const known = await Promise.all(others.map((other) => this.store.get(hostShard(other), 'joined', fact.id)));
    return others.flatMap((other, index) => (known[index] ? [movedFact(fact, other)] : []));
  }
}
