import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { HostClocks } from '../join/clock.ts';
import { drillsAmong } from '../join/drill-mark.ts';
import { isEncrypted } from '../join/encrypted.ts';
import { explainedFacts, type FlowBody, hostShard, type JoinedBody } from '../join/facts.ts';
import { type Joining, joinFromStore, tuplesOf } from '../join/gather.ts';
import { Hellos } from '../join/hellos.ts';
import { HostViews } from '../join/host-processes.ts';
import type { WaybillLine } from '../join/join-flow.ts';
import { isExplained, joinedFact, joinedId, movedFact } from '../join/joined-fact.ts';
import { type FlowName, flowName, learnFrom } from '../join/learner.ts';
import { episodesIn } from '../score/rollout.ts';
import { type Sighting, Sightings } from '../score/sightings.ts';
import type { Touched } from '../score/touched.ts';
import type { Settings } from '../settings.ts';
import type { Fact, Observation, Store } from '../store/store.ts';
import { observe } from './observe.ts';

const DAY = 86_400 * MICROS_PER_SECOND;
/** Flows learned from at once: the clock of each host is looked at once for all of them. */
const LEARN_BATCH = 4_096;
/** Flows joined at once. */
const JOIN_BATCH = 2_048;

interface FoundFlow {
  readonly fact: Fact;
  readonly record: FlowRecord;
}

interface JoinedFlow {
  readonly line: WaybillLine;
  /** The flow at each host concerned. */
  readonly facts: readonly Fact[];
  /** What takes the place of its marks. */
  readonly explained: readonly Fact[];
  readonly sighting: Sighting | undefined;
}

/** Says which host and process made a flow, and adds to the baseline what it did. */
export class JoinPhase {
  private readonly store: Store;
  private readonly settings: Settings;
  private readonly clocks: HostClocks;
  private readonly hellos = new Hellos();
  private readonly touched: Touched;
  private readonly hosts: HostViews;
  private readonly sightings = new Sightings();
  /** By flow fact, as long as that is held. */
  private tuples = new WeakMap<Fact, readonly Fact[]>();
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
    this.tuples = new WeakMap();
    if (this.store.losses() !== this.losses) {
      this.sightings.forget();
      this.hellos.forget();
    }
    this.losses = this.store.losses();
  }

  /**
   * Learns from the exact matches of flows; what changes a clock, or may explain a flow, touches flows and hosts.
   * @param again somebody may have learned from them and gone no further
   */
  async learn(flows: readonly FlowName[], again = false): Promise<void> {
    for (let i = 0; i < flows.length; i += LEARN_BATCH) {
      const found = await this.read(flows.slice(i, i + LEARN_BATCH));
      const records = found.map(({ record }) => record);
      const { clocks, hellos } = this;
      const learned = await learnFrom(this.store, { clocks, hellos }, records, await this.tuplesOf(found), again);
      for (const flow of learned.flows) this.touched.name(flow);
      for (const { host, day } of learned.days) this.touched.host(host, day * DAY, (day + 1) * DAY);
    }
  }

  /** Joins flows of one day, many at once; while the store takes those, the next are joined. */
  async join(flows: readonly FlowName[], onJoined: ((line: WaybillLine) => void) | undefined): Promise<void> {
    let keeping: Promise<void> = Promise.resolve();
    for (let i = 0; i < flows.length; i += JOIN_BATCH) {
      const batch = flows.slice(i, i + JOIN_BATCH);
      const joining = this.joinAll(batch, onJoined !== undefined);
      // Both are waited for, whichever fails.
      await Promise.allSettled([joining, keeping]);
      await keeping;
      const done = await joining;
      keeping = this.keep(done);
      for (const flow of batch) this.touched.done(flow);
      if (onJoined) for (const { line } of done) onJoined(line);
    }
    await keeping;
  }

  /** The flows that the store has. */
  private async read(names: readonly FlowName[]): Promise<FoundFlow[]> {
    const facts = await this.touched.read(names);
    return facts.flatMap((fact) => (fact ? [{ fact, record: (fact.body as FlowBody).record }] : []));
  }

  /** Connection facts with the 5-tuple of each flow; what was read to learn from is used to join. */
  private async tuplesOf(flows: readonly FoundFlow[]): Promise<(readonly Fact[])[]> {
    const unread = flows.filter(({ fact }) => !this.tuples.has(fact));
    const read = await tuplesOf(
      this.store,
      unread.map(({ record }) => record),
    );
    for (const [i, { fact }] of unread.entries()) this.tuples.set(fact, read[i]!);
    return flows.map(({ fact }) => this.tuples.get(fact)!);
  }

  /** Gives joined flows to the store, in one batch. */
  private async keep(done: readonly JoinedFlow[]): Promise<void> {
    const facts = done.flatMap((each) => each.facts);
    await this.store.put([...facts, ...done.flatMap(({ explained }) => explained)]);
    for (const fact of facts) this.touched.host(fact.shard.slice('host:'.length), fact.at, fact.at);
    const sightings = done.flatMap((each) => each.sighting ?? []);
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

  private async joinAll(names: readonly FlowName[], wantsProcess: boolean): Promise<JoinedFlow[]> {
    const flows = await this.read(names);
    const records = flows.map(({ record }) => record);
    const joinings = await joinFromStore(this.store, this.clocks, records, await this.tuplesOf(flows));
    const joins = joinings.map(({ join }) => join);
    const hosts = joins.map(({ host }) => host);
    const [drills, chains, clocks] = await Promise.all([
      drillsAmong(this.store, records, hosts),
      this.hosts.chainsOf(
        joins,
        flows.map(({ fact }) => fact.at),
      ),
      this.clocks.ofAll(
        hosts.map((host) => host?.id),
        flows.map(({ fact }) => fact.at),
      ),
    ]);
    return Promise.all(
      records.map((record, i) => {
        const [joining, join, process] = [joinings[i]!, joins[i]!, chains[i]?.[0]];
        const drill = join.host ? drills.get(record)?.id : undefined;
        const line = {
          record,
          join: process && wantsProcess ? { ...join, process } : join,
          ...(drill === undefined ? {} : { drill }),
        };
        const fact = joinedFact(record, joining, clocks[i]!, drill);
        const isOrdinary = fact !== undefined && drill === undefined && isEncrypted(record);
        const sighting = isOrdinary ? this.sightings.of(process, { record, join }, this.settings) : undefined;
        const isLate = isExplained(joining) && this.touched.isLate(flowName(flows[i]!.fact));
        const explained = isLate ? explainedFacts(record, join.host?.id) : [];
        const joined = (facts: readonly Fact[]): JoinedFlow => ({ line, facts, explained, sighting });
        if (!fact) {
          if (joining.claimants.length === 0) return joined([]);
          return this.sharedFacts(flows[i]!, joining).then(joined);
        }
        const others = joining.claimants.filter((claimant) => claimant !== join.host?.id);
        if (others.length === 0) return joined([fact]);
        return this.movedFrom(others, fact).then((moved) => joined([fact, ...moved]));
      }),
    );
  }

  /**
   * The flow at each host that may have made it, and taken away from those that no longer may. It makes nothing familiar:
   * whose it is is not known.
   */
  private async sharedFacts({ fact: { at }, record }: FoundFlow, joining: Joining): Promise<Fact[]> {
    const hosts = joining.join.hosts ?? [];
    const facts = await Promise.all(
      hosts.map(async ({ host }) => {
        const join = { ...joining.join, host };
        return joinedFact(record, { ...joining, join }, await this.clocks.of(host.id, at))!;
      }),
    );
    const possible = new Set(hosts.map(({ host }) => host.id));
    const gone = joining.claimants.filter((claimant) => !possible.has(claimant));
    const moved = await Promise.all(
      gone.map(async (claimant) => {
        const id = joinedId(record, await this.clocks.of(claimant, at));
        const known = await this.store.get(hostShard(claimant), 'joined', id);
        if (known === undefined || (known.body as JoinedBody).moved === true) return [];
        return [movedFact({ ...known, version: known.version + 1 }, claimant)];
      }),
    );
    return [...facts, ...moved.flat()];
  }

  /** Takes the flow away from hosts that were thought to have made it. */
  private async movedFrom(others: readonly string[], fact: Fact): Promise<Fact[]> {
    const known = await Promise.all(others.map((other) => this.store.get(hostShard(other), 'joined', fact.id)));
    return others.flatMap((other, index) => (known[index] ? [movedFact(fact, other)] : []));
  }
}
