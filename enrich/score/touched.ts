import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import { ADDRESS_WINDOW } from '../join/join-flow.ts';
import { type FlowName, nameOf } from '../join/learner.ts';
import { LEASE_WINDOW } from '../join/lease.ts';
import type { Fact, Store } from '../store/store.ts';
import { isAmongMany } from './bursts.ts';
import { restingOnHost } from './resting.ts';

/** Flows re-joined because of one late connection, lease, look-up or end of a process. */
const MAX_REJOINS = 1_000;
/** Records held for the next settling; the others are read from the store. About 3 KB each. */
const MAX_HELD = 8_192;
/** A process, staging or look-up event may change flows from this long before it: tolerance and clock error together. */
const BACKWARD = 1_500 * MICROS_PER_SECOND;

/** What has to be looked at again: flows to be joined, and by host the span of event time to be scored. */
export class Touched {
  readonly flows = new Map<string, FlowName>();
  readonly hosts = new Map<string, { from: number; to: number }>();
  /** Flow facts as they were put or found: newer than these the store had none at the time. */
  private readonly held = new Map<string, Fact>();
  private readonly store: Store;
  private readonly horizon: number;

  constructor(store: Store, horizon: number) {
    this.store = store;
    this.horizon = horizon;
  }

  /** Flows to be joined that began before `end`, by start. */
  flowsBefore(end: number): FlowName[] {
    return [...this.flows.values()]
      .filter((flow) => flow.at < end)
      .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  /**
   * Notes what a fact may change.
   * @param isNewest the store took it, and had none newer
   * @returns when that needs a look into the store
   */
  fact(fact: Fact, isNewest: boolean): Promise<void> | undefined {
    if (fact.kind !== 'flow') return this.evidence(fact);
    if (isNewest) this.flow(fact);
    else this.name({ ip: fact.shard, id: fact.id, at: fact.at });
    return undefined;
  }

  private async evidence(fact: Fact): Promise<void> {
    switch (fact.kind) {
      case 'connection': {
        const asked = (kind: 'flow' | 'unexplained') =>
          Promise.all(fact.keys.map((key) => this.store.find(fact.shard, kind, key, MAX_REJOINS)));
        const [own, others] = await Promise.all([asked('flow'), asked('unexplained')]);
        for (const flow of own.flat()) this.flow(flow);
        for (const { shard, id, at } of others.flat()) this.name({ ip: shard, id, at });
        break;
      }
      case 'lease': {
        const to = fact.at + ADDRESS_WINDOW + LEASE_WINDOW;
        for (const flow of await this.store.between(fact.shard, 'flow', fact.at - ADDRESS_WINDOW, to, MAX_REJOINS)) {
          this.flow(flow);
        }
        break;
      }
      case 'process':
        // A name, signer or user that comes late is another identity, under which its flows must be remembered.
        await this.joined(fact);
        this.around(fact);
        break;
      case 'dns':
        await this.joined(fact);
        this.around(fact);
        break;
      case 'staging':
        for (const { host, at } of await restingOnHost(this.store, fact.shard.slice('host:'.length), fact.at)) {
          this.host(host, at, at);
        }
        this.around(fact);
        break;
      case 'file':
        if (await isAmongMany(this.store, fact.shard, fact.at)) this.around(fact);
        break;
      default:
        break;
    }
  }

  flow(fact: Fact): void {
    this.name({ ip: fact.shard, id: fact.id, at: fact.at });
    this.hold(fact);
  }

  private hold(fact: Fact): void {
    const key = `${fact.shard}|${fact.id}`;
    const known = this.held.get(key);
    if (known === undefined ? this.held.size < MAX_HELD : known.version <= fact.version) this.held.set(key, fact);
  }

  /** The facts of touched flows; undefined for those that the store has not, or no more. */
  async read(flows: readonly FlowName[]): Promise<(Fact | undefined)[]> {
    const facts = flows.map(({ ip, id }) => this.held.get(`${ip}|${id}`));
    const unheld = [...facts.keys()].filter((i) => facts[i] === undefined);
    const read = await Promise.all(unheld.map((i) => this.store.get(flows[i]!.ip, 'flow', flows[i]!.id)));
    for (const [n, i] of unheld.entries()) facts[i] = read[n];
    return facts;
  }

  /** The flow is being joined: what comes to it from now on touches it anew. */
  take(flow: FlowName): void {
    this.flows.delete(`${flow.ip}|${flow.id}`);
  }

  /** The flow has been joined. */
  done(flow: FlowName): void {
    if (!this.flows.has(`${flow.ip}|${flow.id}`)) this.held.delete(`${flow.ip}|${flow.id}`);
  }

  /** Takes over what another one noted. */
  absorb({ flows, hosts, held }: Touched): void {
    for (const flow of flows.values()) this.name(flow);
    for (const fact of held.values()) this.hold(fact);
    for (const [host, { from, to }] of hosts) this.host(host, from, to);
  }

  name(flow: FlowName): void {
    this.flows.set(`${flow.ip}|${flow.id}`, flow);
  }

  /** Flows that this fact may explain, or whose process it describes. */
  private async joined(fact: Fact): Promise<void> {
    for (const key of fact.keys) {
      for (const found of await this.store.find(fact.shard, 'joined', key, MAX_REJOINS)) {
        this.name(nameOf(found));
      }
    }
  }

  private around(fact: Fact): void {
    this.host(fact.shard.slice('host:'.length), fact.at - BACKWARD, fact.at + this.horizon);
  }

  host(host: string, from: number, to: number): void {
    const span = this.hosts.get(host);
    if (!span) this.hosts.set(host, { from, to });
    else {
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
  }
}
