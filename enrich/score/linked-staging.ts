import type { StagingStory } from '../evidence/merge-staging.ts';
import type { HostProcesses } from '../join/host-processes.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import type { Settings } from '../settings.ts';
import { CLOCK_SLACK, type Member } from './episode-groups.ts';
import type { Holder } from './holder.ts';
import { type Link, linkOf } from './link.ts';

export interface LinkedStaging {
  readonly story: StagingStory;
  readonly link: Link;
  /** From the packing to the first flow that ends after it, microseconds; 0 when the flow was already open. */
  readonly gap: number;
  readonly packer: readonly ProcessInfo[];
  /** Who held it when a connection began whose maker is not known. */
  readonly holder?: Holder;
}

/** The story as staging of these flows; undefined when none of them followed it. */
export async function linkStory(
  story: StagingStory,
  members: readonly Member[],
  chain: readonly ProcessInfo[] | undefined,
  processes: HostProcesses,
  settings: Settings,
): Promise<LinkedStaging | undefined> {
  const after = members.find(
    (m) => m.flow.end + CLOCK_SLACK >= story.at && m.flow.start - story.at <= settings.horizonMicros,
  );
  if (!after) return undefined;
  const packer = await processes.chainOf({ process: story.process }, story.at);
  if (!packer) return undefined;
  // Of a heap, any file below its folder stands for all.
  const staged = story.archive?.key ?? (story.folder === undefined ? undefined : `${story.folder}\\*`);
  let link: Link = 'other-user';
  for (const candidate of chain ? distinctChains(members) : [undefined]) {
    const read = story.readers.some((entity) => candidate?.[0]?.entityId === entity);
    const found = linkOf(candidate, packer, staged, read);
    if (LINK_ORDER.indexOf(found) < LINK_ORDER.indexOf(link)) link = found;
  }
  const packed = story.until <= after.flow.start ? story.until : story.at;
  return { story, link, gap: Math.max(0, after.flow.start - packed), packer };
}

const LINK_ORDER: readonly Link[] = [
  'referenced',
  'lineage',
  'referenced-directory',
  'logon',
  'process',
  'user',
  'host',
  'other-user',
];

/** The sending processes of an episode, each once. */
function distinctChains(members: readonly Member[]): (readonly ProcessInfo[] | undefined)[] {
  const byEntity = new Map<string, readonly ProcessInfo[]>();
  for (const { chain } of members)
    if (chain && !byEntity.has(chain[0]!.entityId)) byEntity.set(chain[0]!.entityId, chain);
  return [...byEntity.values()].slice(0, 16);
}
