import { MICROS_PER_SECOND } from '../../sensor/base/timestamp.ts';
import type { ConnectionBody } from '../join/facts.ts';
import { ADDRESS_WINDOW, LOOK_UP_WINDOW, REMOTE_WINDOW } from '../join/join-flow.ts';
import { type FlowName, flowName, nameOf, nameOfUnexplained } from '../join/learner.ts';
import { LEASE_WINDOW } from '../join/lease.ts';
import type { Fact, Store } from '../store/store.ts';
import { isAmongMany } from './bursts.ts';
import { restingOnHost } from './resting.ts';

/** Flows re-joined because of one late connection, lease, look-up or end of a process. */
const MAX_REJOINS = 1_000;
/** Records held for the next settling; the others are read from the store. About 3 KB each. */
const MAX_HELD = 10_000;
/** A process, staging or look-up event may change flows from this long before it: tolerance and clock error together. */
const BACKWARD = 1_500 * MICROS_PER_SECOND;

/** What has to be looked at again: flows to be joined, and by host the span of event time to be scored. */
export class Touched {
  readonly flows = new Map<string, FlowName>();
  readonly hosts = new Map<string, { from: number; to: number }>();
  /** Flow facts as they were put or found: newer than these the store had none at the time. */
  private readonly held = new Map<string, Fact>();
  /** Flows whose own event came after them: they may be marked as unexplained. */
  private readonly late = new Set<string>();
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
    else this.name(flowName(fact));
    return undefined;
  }

  private async evidence(fact: Fact): Promise<void> {
    switch (fact.kind) {
      case 'connection': {
        const { at, body } = fact;
        const [remote, tuple] = fact.keys;
        const [own, others] = await Promise.all([
          tuple === undefined ? [] : this.store.find(fact.shard, 'flow', tuple, MAX_REJOINS),
          this.unexplained(
            fact.shard,
            [remote!],
            at - REMOTE_WINDOW,
            ((body as ConnectionBody).until ?? at) + REMOTE_WINDOW,
          ),
        ]);
        for (const flow of own) {
          this.flow(flow);
          this.late.add(keyOf(flowName(flow)));
        }
        for (const mark of others) this.name(flowName(mark));
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
      case 'dns': {
        const [from, to] = [fact.at - LOOK_UP_WINDOW, fact.at + LOOK_UP_WINDOW];
        for (const mark of await this.unexplained(fact.shard, fact.keys, from, to)) this.name(nameOfUnexplained(mark));
        this.around(fact);
        break;
      }
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
    this.name(flowName(fact));
    this.hold(fact);
  }

  private hold(fact: Fact): void {
    const key = keyOf(flowName(fact));
    const known = this.held.get(key);
    if (known === undefined ? this.held.size < MAX_HELD : known.version <= fact.version) this.held.set(key, fact);
  }

  /** The facts of touched flows; undefined for those that the store has not, or no more. */
  async read(flows: readonly FlowName[]): Promise<(Fact | undefined)[]> {
    const facts = flows.map((flow) => this.held.get(keyOf(flow)));
    const unheld = [...facts.keys()].filter((i) => facts[i] === undefined);
    const read = await Promise.all(unheld.map((i) => this.store.get(flows[i]!.ip, 'flow', flows[i]!.id)));
    for (const [n, i] of unheld.entries()) facts[i] = read[n];
    return facts;
  }

  /** Flows that began before `end`, by start: what comes to them from now on touches them anew. */
  takeBefore(end: number): FlowName[] {
    const flows = this.flowsBefore(end);
    for (const flow of flows) this.flows.delete(keyOf(flow));
    return flows;
  }

  /** No flow is touched any more. */
  forgetFlows(): void {
    this.flows.clear();
    this.held.clear();
    this.late.clear();
  }

  isLate(flow: FlowName): boolean {
    return this.late.has(keyOf(flow));
  }

  /** The flow has been joined. */
  done(flow: FlowName): void {
    if (this.flows.has(keyOf(flow))) return;
    this.held.delete(keyOf(flow));
    this.late.delete(keyOf(flow));
  }

  /** Takes over what another one noted. */
  absorb({ flows, hosts, held, late }: Touched): void {
    for (const flow of flows.values()) this.name(flow);
    for (const key of late) this.late.add(key);
    for (const fact of held.values()) this.hold(fact);
    for (const [host, { from, to }] of hosts) this.host(host, from, to);
  }

  name(flow: FlowName): void {
    this.flows.set(keyOf(flow), flow);
  }

  /** Marks of flows that began within the span and that nothing of their own explains. */
  private async unexplained(shard: string, keys: readonly string[], from: number, to: number): Promise<Fact[]> {
    const span = { shard, kind: 'unexplained', from, to, limit: MAX_REJOINS } as const;
    return (await this.store.query(keys.map((key) => ({ ...span, key })))).flat();
  }

  /** Flows whose process, or candidate, this fact describes. */
  private async joined({ shard, keys }: Fact): Promise<void> {
    const asked = { shard, kind: 'joined', limit: MAX_REJOINS } as const;
    const found = await this.store.query(keys.map((key) => ({ ...asked, key })));
    for (const fact of found.flat()) this.name(nameOf(fact));
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

const keyOf = ({ ip, id }: Pick<FlowName, 'ip' | 'id'>): string => `${ip}|${id}`;
