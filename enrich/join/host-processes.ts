import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact, FactQuery, Store } from '../store/store.ts';
import type { HostClocks } from './clock.ts';
import { hostShard, indexKey } from './facts.ts';
import type { JoinResult } from './join-flow.ts';
import { lineage, type ProcessFacts, type ProcessInfo, resolve, shifted } from './lineage.ts';

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;
/** Facts read of one process. */
const MAX_PROCESS_FACTS = 32;
/** Hosts whose processes are remembered at a time. */
const MAX_HOSTS = 2_000;

/** The processes of the hosts whose flows are at hand. */
export class HostViews {
  private readonly store: Store;
  private readonly clocks: HostClocks;
  private readonly hosts = new Map<string, HostProcesses>();

  constructor(store: Store, clocks: HostClocks) {
    this.store = store;
    this.clocks = clocks;
  }

  of(hostId: string): HostProcesses {
    let processes = this.hosts.get(hostId);
    if (!processes) {
      processes = new HostProcesses(this.store, this.clocks, hostId);
      if (this.hosts.size >= MAX_HOSTS) this.hosts.clear();
      this.hosts.set(hostId, processes);
    }
    return processes;
  }

  /** Of each join the process and its ancestors, as `HostProcesses.chainOf` gives them; what many have is asked once. */
  async chainsOf(joins: readonly JoinResult[], times: readonly number[]): Promise<(ProcessInfo[] | undefined)[]> {
    const asked = new Map<string, Promise<ProcessInfo[] | undefined>>();
    const names = joins.map(({ host, process }, i) => {
      if (!host || !process) return undefined;
      const at = times[i]!;
      const time = process.entityKind === 'vendor' ? Math.floor(at / DAY) : at; // as far as time matters, with its clock
      const name = `${time} ${host.id} ${JSON.stringify(process)}`;
      if (!asked.has(name)) asked.set(name, this.of(host.id).chainOf({ process }, at));
      return name;
    });
    const chains = await Promise.all(asked.values());
    const known = new Map([...asked.keys()].map((name, i) => [name, chains[i]]));
    return names.map((name) => (name === undefined ? undefined : known.get(name)));
  }

  /** A new round: there may be new events. */
  doubt(): void {
    this.hosts.clear();
  }
}

/** Process look-ups on one host, each asked once. Times asked and given are the sensor's. */
export class HostProcesses implements ProcessFacts {
  private readonly store: Store;
  private readonly clocks: HostClocks;
  private readonly hostId: string;
  private readonly cache = new Map<string, Promise<readonly Fact[]>>();
  private readonly chains = new Map<string, Promise<ProcessInfo[]>>();

  constructor(store: Store, clocks: HostClocks, hostId: string) {
    this.store = store;
    this.clocks = clocks;
    this.hostId = hostId;
  }

  byEntity(entityId: string): Promise<readonly Fact[]> {
    return this.find(indexKey('entity', entityId));
  }

  /** Pids are used again: of the facts after it those of about an hour. */
  byPid(pid: number, at: number): Promise<readonly Fact[]> {
    return this.find(`pid:${pid}`, { from: Number.NEGATIVE_INFINITY, to: (Math.floor(at / HOUR) + 2) * HOUR });
  }

  /** Process facts with an index key of facts.ts, the newest of those within a span by the host's clock. */
  byKey(key: string, from: number, to: number): Promise<readonly Fact[]> {
    return this.find(key, { from, to });
  }

  /** The process of a flow and its ancestors, nearest first; undefined when the join names none. */
  async chainOf({ process }: Pick<JoinResult, 'process'>, at: number): Promise<ProcessInfo[] | undefined> {
    if (!process) return undefined;
    const { offset } = await this.clocks.of(this.hostId, at);
    if (process.entityKind !== 'vendor') return this.chainAt(process, at, offset);
    // An entity stands for one process whatever the time.
    const key = `${offset} ${JSON.stringify(process)}`;
    let chain = this.chains.get(key);
    if (!chain) {
      chain = this.chainAt(process, at, offset);
      this.chains.set(key, chain);
    }
    return chain;
  }

  private async chainAt(process: ProcessRef, at: number, offset: number): Promise<ProcessInfo[]> {
    const chain = await lineage(await resolve(process, at + offset, this), this);
    return chain.map((info) => shifted(info, offset));
  }

  private find(key: string, span?: { readonly from: number; readonly to: number }): Promise<readonly Fact[]> {
    const name = `${span?.from} ${span?.to} ${key}`;
    let found = this.cache.get(name);
    if (!found) {
      const asked = { shard: hostShard(this.hostId), kind: 'process', key, limit: MAX_PROCESS_FACTS } as const;
      found = span ? this.ask({ ...asked, ...span }) : this.store.find(asked.shard, asked.kind, key, asked.limit);
      this.cache.set(name, found);
    }
    return found;
  }

  private async ask(query: FactQuery): Promise<readonly Fact[]> {
    return (await this.store.query([query]))[0]!;
  }
}
