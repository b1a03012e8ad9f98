import { type ByteBalance, byteBalance } from '../evidence/byte-balance.ts';
import { chunkSignature } from '../evidence/chunk-signature.ts';
import type { StagingStory } from '../evidence/merge-staging.ts';
import type { Rung } from '../evidence/novelty.ts';
import { producerConsumerRatio, ratioDb, robustZ, volumeDb } from '../evidence/pcr.ts';
import { vendorAffinity } from '../evidence/vendor-affinity.ts';
import type { Weights } from '../evidence/weights.ts';
import { isEncrypted } from '../join/encrypted.ts';
import type { Settings } from '../settings.ts';
import type { Episode } from './episode.ts';
import { metBefore } from './familiarity.ts';
import { formatBytes } from './format.ts';
import type { Link } from './link.ts';
import type { Term } from './verdict.ts';

export interface VolumeEvidence {
  readonly terms: Term[];
  readonly balance: ByteBalance;
  readonly sent: number;
}

/** What the bytes say: do they fit what was packed, which way do they go, in which chunks. */
export function volumeTerms(episode: Episode, rung: Rung, { model: w, knowledge }: Settings): VolumeEvidence {
  const flows = episode.flows;
  const evidence = flows.slice(0, 8).map((f) => f.record.waybill.flow_id);
  const sent = flows.reduce((sum, f) => sum + f.record.source.bytes, 0);
  const received = flows.reduce((sum, f) => sum + f.record.destination.bytes, 0);
  const plain = flows.reduce((sum, f) => sum + (isEncrypted(f.record) ? 0 : f.record.source.bytes), 0);
  const beside = plain === 0 ? '' : ` (${formatBytes(plain)} of it in plain text)`;
  const terms: Term[] = [];
  const add = (name: string, db: number, detail: string) => {
    if (db !== 0) terms.push({ group: 'V', name, db, detail, evidence });
  };
  // Archives of others or of the host at large would only add chances of an accidental fit. Where no process is known, the
  // host is all there is.
  const own = episode.staging.filter((s) => s.link !== 'other-user' && (s.link !== 'host' || !episode.process));
  const archives = own.flatMap(({ story, link }) => {
    const { size, id } = sizeOf(story);
    return size === undefined ? [] : [{ size, at: story.until, id, handed: isHanded(link) }];
  });
  const unsized = own.filter(({ story }) => sizeOf(story).size === undefined);
  const encodings = own.some((s) => s.story.encoded === 'base64') ? (['base64'] as const) : [];
  // So little is the talk before an upload: it matches nothing and misses nothing.
  const handed = unsized.filter(({ link }) => isHanded(link)).length;
  const balance = byteBalance(
    sent < w.volume.tooLittleBytes ? 0 : sent,
    archives,
    {
      encodings,
      running: flows.some(({ record }) => record.event.action !== 'flow_end'),
      unsized: { handed, others: unsized.length - handed },
    },
    w.balance,
  );
  // What is on its way counts where nothing else explains it: a place that was met before does.
  const weighs = metBefore(episode.baseline, w.novelty) ? balance.matchDb : balance.db;
  if (weighs !== 0) {
    const form = balance.encoding === 'none' ? '' : ` (as ${balance.encoding})`;
    const tried = balance.subsetsTried > 1 ? `, ${balance.subsetsTried} combinations tried` : '';
    add(
      'byte_balance',
      weighs,
      `${formatBytes(sent)} sent${beside} against ${formatBytes(balance.subsetBytes)} packed: ratio ${balance.ratio.toFixed(3)}${form}, ${balance.percentGone.toFixed(0)} % gone${tried}`,
    );
  }
  if (sent < w.volume.tooLittleBytes) add('too_little', w.volume.tooLittle, `only ${formatBytes(sent)} sent so far`);
  else {
    const ratio = producerConsumerRatio(sent, received);
    if (ratio !== undefined) {
      const share = `producer-consumer ratio ${ratio.toFixed(2)} (${formatBytes(sent)} out, ${formatBytes(received)} in)`;
      add(ratio < 0 ? 'downloads' : 'uploads', ratioDb(ratio, w.volume), share);
    }
  }
  const habit = habitOf(episode, rung, sent, w);
  if (habit !== undefined) add('habit', w.volume.habit, habit);
  const z = robustZ(sent, episode.earlierVolumes);
  const usual = `${z?.toFixed(1)} deviations above what this program sends here`;
  add(
    'volume_unusual',
    volumeDb(z, w.volume),
    `${formatBytes(sent)} is ${usual} (${episode.earlierVolumes.length} sums)`,
  );
  const bursts = flows.flatMap((f) => f.record.waybill.upstream_bursts ?? []).sort((a, b) => b - a);
  // The provider's own client sends in the same chunks.
  const { process, destination } = episode;
  const atHome = process && vendorAffinity(process, destination, knowledge, w.process);
  const chunk = atHome ? undefined : chunkSignature(bursts, destination.provider, w.volume, knowledge.chunks);
  if (chunk) add('chunk_signature', chunk.db, `bursts of ${formatBytes(chunk.burst)} as ${chunk.family} sends them`);
  return { terms, balance, sent };
}

/** Bytes of an archive all of whose volumes are known, or of a heap that was written. */
function sizeOf({ id, archive, kinds, folder, bytes }: StagingStory): { readonly size?: number; readonly id: string } {
  if (archive?.size !== undefined && archive.unsized === 0) return { size: archive.size, id: archive.path };
  return archive === undefined && kinds.includes('burst') && bytes !== undefined
    ? { size: bytes, id: folder ?? id }
    : { id };
}

/** The sender read it or names it, or its folder. */
const isHanded = (link: Link): boolean => link === 'referenced' || link === 'referenced-directory';

/**
 * A back-up of every night matches its archive every night: this program of this host sends as much to this established
 * place on other days too. Where customers share one name and it does not show, less than usual is as unusual as more: it
 * may be another's account.
 */
function habitOf(
  { earlierHere, destination }: Episode,
  rung: Rung,
  sent: number,
  { volume: w }: Weights,
): string | undefined {
  const days = earlierHere.filter((bytes) => bytes >= w.tooLittleBytes);
  if (rung !== 'F5' || days.length < w.habitDays) return undefined;
  const [least, most] = [Math.min(...days), Math.max(...days)];
  if (sent > w.habitTimes * most) return undefined;
  if (destination.tenantState === 'hidden' && sent * w.habitTimes < least) return undefined;
  return `on ${days.length} days before it sent ${formatBytes(least)} to ${formatBytes(most)} to this place`;
}
