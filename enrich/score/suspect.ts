import { type BrowserVerdict, browserClass } from '../evidence/browser.ts';
import type { StagingFact } from '../evidence/staging.ts';
import type { HostClocks } from '../join/clock.ts';
import { isEncrypted } from '../join/encrypted.ts';
import type { JoinedBody } from '../join/facts.ts';
import type { HostProcesses } from '../join/host-processes.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import type { Settings } from '../settings.ts';
import type { Fact, Store } from '../store/store.ts';
import { type DrillStory, type Group, mostBytes } from './episode-groups.ts';
import { type Holder, holdersOf } from './holder.ts';
import type { LinkedStaging } from './linked-staging.ts';

/** Who made a connection this long before another, or after it, is not taken for the unknown maker of that. Microseconds. */
const BUSY = 60_000_000;

/** A process that may have made the flows. */
export interface Suspect {
  readonly chain: readonly ProcessInfo[];
  readonly browser: BrowserVerdict;
  readonly probability: number;
}

/** What is left when who held it explains nothing. */
export const withoutHolder = ({ holder: _, ...rest }: LinkedStaging): LinkedStaging => rest;

export const isBrowsing = (suspect: Suspect | undefined): boolean =>
  suspect?.browser.class === 'browser' && !suspect.browser.abused;

/** Who held what was staged, when it is one process only. */
export async function suspectOf(
  linked: readonly LinkedStaging[],
  at: number,
  processes: HostProcesses,
  { model, knowledge }: Settings,
): Promise<Suspect | undefined> {
  const holders = linked.flatMap(({ holder }) => holder ?? []);
  const entities = new Set(holders.map(({ process }) => process.entityId));
  const [holder] = holders;
  if (!holder || entities.size > 1) return undefined;
  const chain = await processes.chainOf(holder, at);
  if (!chain) return undefined;
  const probability = model.link.holderShare / holder.of;
  return { chain, browser: browserClass(chain[0]!, chain.slice(1), {}, knowledge), probability };
}

/** Who may send the archives of a group whose connections nobody is known to have made. */
export async function holdersOfGroup(
  store: Store,
  clocks: HostClocks,
  hostId: string,
  { members }: Group,
  stories: readonly DrillStory[],
  facts: readonly StagingFact[],
  joined: readonly Fact[],
): Promise<ReadonlyMap<string, Holder>> {
  const main = mostBytes(members.filter(({ flow }) => isEncrypted(flow.record)));
  if (main.chain !== undefined) return new Map();
  const since = main.flow.start - BUSY;
  const makers = joined.filter(({ at }) => at >= since).map(({ body }) => (body as JoinedBody).join.process?.entityId);
  const busy = new Set(makers.filter((entity) => entity !== undefined));
  const reads = facts.filter(({ kind }) => kind === 'archive-read');
  return holdersOf(store, clocks, hostId, main.flow.start, stories, reads, busy);
}
