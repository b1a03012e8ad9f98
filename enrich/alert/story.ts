import type { Episode } from '../score/episode.ts';
import { formatBytes, formatSeconds } from '../score/format.ts';
import type { LinkedStaging } from '../score/linked-staging.ts';

/** The alert in one sentence: who sent how much of which archive where, and how long after packing. */
export function storyOf(episode: Episode): string {
  const { process, destination } = episode;
  const sent = episode.flows.reduce((sum, f) => sum + f.record.source.bytes, 0);
  const who = process?.image ? fileName(process.image) : 'a process that no endpoint event names';
  const user = process?.user?.name ? ` (${process.user.name})` : '';
  const named = episode.host.name ?? episode.host.id;
  const perhaps = (100 * episode.hostProbability).toFixed(0);
  const host = episode.hostProbability < 1 ? `${named} (or another host of this address: ${perhaps} %)` : named;
  const where = destination.fqdn ?? episode.flows[0]!.record.destination.ip;
  const flows = episode.flows.length === 1 ? '' : ` in ${episode.flows.length} connections`;
  const staging = strongest(episode.staging);
  return `${who}${user} on ${host} sent ${formatBytes(sent)} to ${where}${flows}${staging ? `, ${after(staging)}` : ''}.`;
}

const ORDER = ['referenced', 'lineage', 'referenced-directory', 'logon', 'process', 'user', 'host', 'other-user'];

export function strongest(staging: readonly LinkedStaging[]): LinkedStaging | undefined {
  let best: LinkedStaging | undefined;
  for (const s of staging) {
    const better =
      !best ||
      ORDER.indexOf(s.link) < ORDER.indexOf(best.link) ||
      (s.link === best.link &&
        Number(s.story.archive?.size !== undefined) > Number(best.story.archive?.size !== undefined));
    if (better) best = s;
  }
  return best;
}

function after({ story, gap }: LinkedStaging): string {
  const packer = story.process.image ? fileName(story.process.image) : 'another process';
  const size = story.archive?.size === undefined ? '' : ` (${formatBytes(story.archive.size)})`;
  const verb = story.encoded === undefined ? 'packed' : 'encoded';
  const what = story.archive ? `${verb} ${fileName(story.archive.path)}${size}` : 'staged data';
  return `${formatSeconds(gap / 1e6)} after ${packer} ${what}`;
}

const fileName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;
