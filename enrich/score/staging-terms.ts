import { archiveRate, timeLink } from '../evidence/time-link.ts';
import type { Weights } from '../evidence/weights.ts';
import type { Episode } from './episode.ts';
import { formatBytes, formatSeconds } from './format.ts';
import type { Link } from './link.ts';
import type { LinkedStaging } from './linked-staging.ts';
import type { Term } from './verdict.ts';
import { weaken } from './weaken.ts';

/** Traits listed as terms. */
const MAX_TRAITS = 8;

const MEANING: Readonly<Record<Link, string>> = {
  referenced: 'the sending process read the archive or names it on its command line',
  'referenced-directory': 'the sending process names the directory of the archive',
  lineage: 'packing and sending process belong to one process lineage',
  logon: 'packing and sending process belong to one logon session',
  process: 'one process packed and sent',
  user: 'packing and sending process belong to one user',
  host: 'packing and sending process have only the host in common',
  'other-user': 'another user packed it',
};

/** What the best linked staging story of an episode weighs: link, time, strength and traits. */
export function stagingTerms(episode: Episode, w: Weights): { terms: Term[]; best: LinkedStaging | undefined } {
  let best: { linked: LinkedStaging; terms: Term[]; db: number } | undefined;
  for (const linked of episode.staging) {
    const terms = termsOf(linked, episode, w);
    const db = terms.reduce((sum, t) => sum + t.db, 0);
    if (!best || db > best.db || (db === best.db && linked.story.id < best.linked.story.id))
      best = { linked, terms, db };
  }
  return { terms: best?.terms ?? [], best: best?.linked };
}

function termsOf(linked: LinkedStaging, episode: Episode, w: Weights): Term[] {
  const { story, link, gap } = linked;
  const evidence = story.rawEventIds.slice(0, 8);
  const terms: Term[] = [
    {
      group: 'S',
      ...tieOf(linked, episode, w),
      detail: `${meaningOf(linked, episode)}: ${story.reasons[0] ?? ''}`,
      evidence: linked.holder ? [linked.holder.event, ...evidence] : evidence,
    },
  ];
  const rate = archiveRate(episode.archivesPerDay * episode.baseline.days, episode.baseline.days, w.time);
  const time = timeLink(gap / 1e6, rate, w.time);
  if (time) {
    // The host's habit says how likely it is that something had been packed by chance: which archive it was is no chance
    // when the sender read it or names it.
    const db = link === 'referenced' ? Math.max(0, time.db) : time.db;
    const habit = `${(rate * 86_400).toFixed(1)} packings a day are usual here`;
    terms.push({
      group: 'S',
      name: 'time_since_staging',
      db,
      detail: `${formatSeconds(time.gapSeconds)} after packing${time.tight ? ' (inside TimeWindow)' : ''}; ${habit}`,
      evidence: [],
    });
  }
  if (w.strength[story.strength] !== 0) {
    terms.push({
      group: 'S',
      name: 'staging_strength',
      db: w.strength[story.strength],
      detail: `evidence of strength ${story.strength}, ${story.state}${story.archive?.size ? `, ${formatBytes(story.archive.size)}` : ''}`,
      evidence: [],
    });
  }
  return [...terms, ...traitTerms(linked, w)];
}

/** What ties packing to sending. Of a sender that nobody knows, that is not known either, and weighs nothing. */
function tieOf({ link, holder }: LinkedStaging, { process }: Episode, w: Weights): Pick<Term, 'name' | 'db'> {
  if (process || link !== 'host') return { name: `link_${link.replace('-', '_')}`, db: linkDb(link, w) };
  return holder === undefined
    ? { name: 'link_unknown', db: w.link.unknown }
    : { name: 'link_referenced', db: weaken(w.link.referenced, w.link.holderShare / holder.of) };
}

function meaningOf({ link, holder }: LinkedStaging, { process }: Episode): string {
  if (process || link !== 'host') return MEANING[link];
  if (!holder) return 'which process sends was not seen, and so nothing but the host ties it to the packing';
  const what = holder.how === 'read' ? 'read the archive' : 'was started with the archive on its command line';
  const others = holder.of > 1 ? ` (${holder.of} processes did)` : '';
  return `${holder.process.image?.split(/[\\/]/).at(-1) ?? 'a process'} ${what} when the connection began${others}; that it is the sender was not seen`;
}

function traitTerms({ story }: LinkedStaging, w: Weights): Term[] {
  const traits = [
    ...new Set([...story.traits, ...(story.deletedAt === undefined ? [] : ['deleted-after' as const])]),
  ].sort();
  let sum = 0;
  const terms: Term[] = [];
  for (const trait of traits.slice(0, MAX_TRAITS)) {
    const full = w.trait[trait] ?? 0;
    // The cap holds what speaks for theft; look-alike marks are not held back by it.
    const db = full > 0 ? Math.max(0, Math.min(full, w.traitCap - sum)) : full;
    if (full > 0) sum += db;
    if (db !== 0)
      terms.push({
        group: 'S',
        name: `trait_${trait.replace(/[-:]/g, '_')}`,
        db,
        detail: traitText(trait),
        evidence: [],
      });
  }
  return terms;
}

const traitText = (trait: string): string =>
  trait.startsWith('low:') ? `looks like ordinary work: ${trait.slice(4)}` : trait.replaceAll('-', ' ');

function linkDb(link: Link, w: Weights): number {
  const l = w.link;
  const table: Readonly<Record<Link, number>> = {
    referenced: l.referenced,
    'referenced-directory': l.referencedDirectory,
    lineage: l.lineage,
    logon: l.logon,
    process: l.sameProcess,
    user: l.sameUser,
    host: l.hostOnly,
    'other-user': l.none,
  };
  return table[link];
}
