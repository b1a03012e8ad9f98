import type { Episode, LinkedStaging } from '../score/episode.ts';

/** The alert in one sentence: who sent how much of which archive where, and how long after packing. */
export function storyOf(episode: Episode): string {
  const { process, destination } = episode;
  const sent = episode.flows.reduce((sum, f) => sum + f.record.source.bytes, 0);
  const who = process?.image ? fileName(process.image) : 'a process that no endpoint event names';
  const user = process?.user?.name ? ` (${process.user.name})` : '';
  const host = episode.host.name ?? episode.host.id;
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
      (s.link === best.link && Number(s.story.archive?.size !== undefined) > Number(best.story.archive?.size !== undefined));
    if (better) best = s;
  }
  return best;
}

function after({ story, gap }: LinkedStaging): string {
  const packer = story.process.image ? fileName(story.process.image) : 'another process';
  const size = story.archive?.size === undefined ? '' : ` (${formatBytes(story.archive.size)})`;
  const what = story.archive ? `packed ${fileName(story.archive.path)}${size}` : 'staged data';
  return `${formatSeconds(gap / 1e6)} after ${packer} ${what}`;
}

const fileName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = -1;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
