import { type BalanceWeights, WEIGHTS } from './weights.ts';

/** An archive, or a split set that was summed already. */
export interface PackedBytes {
  /** Bytes. */
  readonly size: number;
  /** When it was finished, microseconds since 1970 UTC; decides which archives are tried when there are too many. */
  readonly at?: number;
  /** Key of the split set it is a volume of; volumes of one set are tried together. */
  readonly set?: string;
  /** Name to answer with. */
  readonly id?: string;
  /** The sender read it, or its command line names it. */
  readonly handed?: boolean;
}

/** What else is known of the upload. */
export interface BalanceCircumstances {
  /** Forms in which the host was seen to encode something. */
  readonly encodings?: readonly ('base64' | 'hex')[];
  /** A flow has not ended yet. */
  readonly running?: boolean;
  /** Things packed or gathered whose size is not known, any of which may be what left. */
  readonly unsized?: { readonly handed: number; readonly others: number };
}

export interface ByteBalance {
  /** Decibels; 0 when nothing could be compared. */
  readonly db: number;
  /** Of them, what the bytes would weigh if no more were to come: a part of an archive matches nothing. */
  readonly matchDb: number;
  /** Archives that fit best, by id (or set, or index as text), sorted. */
  readonly subset: readonly string[];
  /** Bytes of that subset. */
  readonly subsetBytes: number;
  /** Bytes out divided by bytes of the subset. */
  readonly ratio: number;
  /** Form that the bytes seem to have had on the wire. */
  readonly encoding: 'none' | 'base64' | 'hex';
  /** How much of the subset has left by now, percent, at most 100. */
  readonly percentGone: number;
  readonly subsetsTried: number;
  /** Why nothing was compared. */
  readonly unusable?: 'no-archive-size' | 'archives-too-small' | 'nothing-sent';
}

/**
 * Do the bytes that left fit what was packed? Compares sizes only; nothing is inferred from encrypted content.
 *
 * With r = log2(bytes out / archive) the density under theft is a mixture: a narrow peak at 0 (framing adds up to 3 %), one
 * at log2(4/3) for base64, an even part for uploads under way, an even rest; ordinary traffic is even over 20 octaves. While
 * a flow runs, part of the peaks lies in the even part below them.
 *
 * Of an upload that runs it is also known that it will come to as many bytes at least (a censored observation, as in any
 * survival analysis): most of what is on its way to the size of an archive does, and of ordinary uploads the fewer the more
 * bytes it takes. The more telling of the two readings counts, so that no byte that comes nearer to a fit lowers it.
 *
 * Which subset would have been sent is not known, so the densities are averaged: a fit found among n subsets weighs
 * 10·log10(n) less, and misses among them cost nothing more. What has no size fits as well as anything. Where the sender was
 * handed some of them, the average over those alone counts most. The order of archives is irrelevant.
 */
export function byteBalance(
  bytesOut: number,
  archives: readonly PackedBytes[],
  { encodings = [], running = false, unsized = { handed: 0, others: 0 } }: BalanceCircumstances = {},
  weights: BalanceWeights = WEIGHTS.balance,
): ByteBalance {
  const usable = candidates(archives, weights);
  if (usable.length === 0) {
    const sized = archives.some(({ size }) => size > 0 && Number.isFinite(size));
    return nothing(sized ? 'archives-too-small' : 'no-archive-size');
  }
  if (!(bytesOut > 0) || !Number.isFinite(bytesOut)) return nothing('nothing-sent');
  const mixture = running ? whileRunning(weights) : weights;
  const handed = usable.filter((each) => each.handed);
  const all = averageOver(bytesOut, usable, unsized.handed + unsized.others, encodings, mixture);
  const own = averageOver(bytesOut, handed, unsized.handed, encodings, mixture);
  const preferred = handed.length + unsized.handed > 0 ? weights.handedShare : 0;
  const mixed = (of: 'density' | 'underWay'): number => preferred * own[of] + (1 - preferred) * all[of];
  const decibels = (density: number): number => Math.min(weights.cap, 10 * Math.log10(density * weights.benignOctaves));
  const best = preferred > 0 && own.best ? own : all;
  if (best.best === undefined) return nothing('no-archive-size');
  const { ids, size, encoding } = best.best;
  return {
    db: decibels(mixed(running ? 'underWay' : 'density')),
    matchDb: decibels(mixed('density')),
    subset: ids,
    subsetBytes: size,
    ratio: bytesOut / size,
    encoding,
    percentGone: Math.min(100, (100 * bytesOut) / (size * factorOf(encoding, weights))),
    subsetsTried: best.tried,
  };
}

interface Average {
  /** Under theft, at the bytes that left. */
  readonly density: number;
  /** The same of an upload that runs: where that tells more, what it has come to. */
  readonly underWay: number;
  readonly best: (Fit & Pick<Candidate, 'ids' | 'size'>) | undefined;
  readonly tried: number;
}

/** The mean over all subsets, and over things of unknown size, each of which tells theft from other traffic not at all. */
function averageOver(
  bytesOut: number,
  usable: readonly Candidate[],
  unsized: number,
  encodings: readonly ('base64' | 'hex')[],
  weights: BalanceWeights,
): Average {
  const subsets = subsetsOf(usable, weights.maximumSubsets);
  let best: (Fit & Candidate) | undefined;
  let sum = unsized / weights.benignOctaves;
  let underWay = sum;
  for (const subset of subsets) {
    const fit = fitOf(Math.log2(bytesOut / subset.size), encodings, weights);
    sum += fit.density;
    underWay += Math.max(fit.density, reaching(bytesOut, subset.size, encodings, weights));
    if (best === undefined || fit.density > best.density) best = { ...subset, ...fit };
  }
  const count = subsets.length + unsized;
  const mean = (total: number): number => (count === 0 ? 0 : total / count);
  return { density: mean(sum), underWay: mean(underWay), best, tried: subsets.length };
}

/**
 * How much likelier a theft of this archive than other work is to come to so many bytes, as a density beside the even one of
 * ordinary traffic. An upload that has passed the size of the archive in every form is on its way to nothing.
 */
function reaching(
  bytesOut: number,
  size: number,
  encodings: readonly ('base64' | 'hex')[],
  weights: BalanceWeights,
): number {
  const r = Math.log2(bytesOut / size);
  const ordinary = Math.min(1, Math.max(1, Math.log2(weights.ordinaryLargest / bytesOut)) / weights.benignOctaves);
  let ahead = r < 0 ? weights.partialShare : 0;
  for (const { share, at, sigma } of sharesFor(encodings, weights)) if (r < at - 2 * sigma) ahead += share;
  const ratio = ahead / ordinary + weights.otherShare;
  return Math.min(10 ** (weights.underWayCap / 10), ratio) / weights.benignOctaves;
}

/** Of an upload that has not ended, part of what will lie at the peaks is still below them. */
function whileRunning(weights: BalanceWeights): BalanceWeights {
  const { peaks, runningShare } = weights;
  const moved = runningShare * peaks.reduce((sum, { share }) => sum + share, 0);
  return {
    ...weights,
    peaks: peaks.map((peak) => ({ ...peak, share: peak.share * (1 - runningShare) })),
    partialShare: weights.partialShare + moved,
  };
}

interface Candidate {
  readonly ids: readonly string[];
  readonly size: number;
  readonly at: number;
  readonly handed: boolean;
}

const nothing = (unusable: NonNullable<ByteBalance['unusable']>): ByteBalance => ({
  db: 0,
  matchDb: 0,
  subset: [],
  subsetBytes: 0,
  ratio: 0,
  encoding: 'none',
  percentGone: 0,
  subsetsTried: 0,
  unusable,
});

/** Split sets summed, small ones left out, the newest kept; in an order that does not depend on the input's. */
function candidates(archives: readonly PackedBytes[], weights: BalanceWeights): Candidate[] {
  const sets = new Map<string, Omit<Candidate, 'ids'> & { readonly id: string }>();
  const loose: (Omit<Candidate, 'ids'> & { readonly id: string })[] = [];
  for (const { size, at = 0, set, id, handed = false } of archives) {
    if (!(size > 0) || !Number.isFinite(size)) continue;
    const whole = set === undefined ? undefined : sets.get(set);
    if (set === undefined) loose.push({ id: id ?? `${size} bytes`, size, at, handed });
    else if (whole === undefined) sets.set(set, { id: set, size, at, handed });
    else
      sets.set(set, {
        id: set,
        size: whole.size + size,
        at: Math.max(whole.at, at),
        handed: handed || whole.handed,
      });
  }
  return [...loose, ...sets.values()]
    .filter((each) => each.size >= weights.minimumArchive)
    .map(({ id, ...rest }) => ({ ids: [id], ...rest }))
    .sort((a, b) => b.at - a.at || b.size - a.size || compare(a.ids[0] ?? '', b.ids[0] ?? ''))
    .slice(0, weights.maximumArchives);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Each alone, all together, then runs of neighbours in time (what was packed in one go), short ones first. Subsets of equal
 * size are one try.
 */
function subsetsOf(newestFirst: readonly Candidate[], maximum: number): readonly Candidate[] {
  const found = new Map<number, Candidate>();
  const add = (from: number, count: number): void => {
    const members = newestFirst.slice(from, from + count);
    const size = members.reduce((sum, member) => sum + member.size, 0);
    if (found.size >= maximum || found.has(size)) return;
    found.set(size, { ids: members.flatMap((member) => member.ids).sort(compare), size, at: 0, handed: false });
  };
  const total = newestFirst.length;
  for (let from = 0; from < total; from++) add(from, 1);
  if (total > 0) add(0, total);
  for (let count = 2; count < total; count++) {
    for (let from = 0; from + count <= total; from++) add(from, count);
  }
  return [...found.values()];
}

interface Fit {
  readonly density: number;
  readonly encoding: ByteBalance['encoding'];
}

function fitOf(r: number, encodings: readonly ('base64' | 'hex')[], weights: BalanceWeights): Fit {
  const partial = r <= 0 && r >= -weights.partialOctaves ? weights.partialShare / weights.partialOctaves : 0;
  const even = partial + weights.otherShare / weights.benignOctaves;
  let density = even;
  let encoding: ByteBalance['encoding'] = encodings[0] ?? 'none';
  let strongest = even;
  for (const peak of sharesFor(encodings, weights)) {
    const at =
      (peak.share / (peak.sigma * Math.sqrt(2 * Math.PI))) * Math.exp(-(((r - peak.at) / peak.sigma) ** 2) / 2);
    density += at;
    if (at > strongest) {
      strongest = at;
      encoding = peak.encoding;
    }
  }
  return { density, encoding };
}

/** When the host was seen encoding, that peak takes the share of the plain one. */
function sharesFor(encodings: readonly ('base64' | 'hex')[], weights: BalanceWeights): BalanceWeights['peaks'] {
  const known = encodings[0];
  if (known === undefined) return weights.peaks;
  const plain = weights.peaks.find((peak) => peak.encoding === 'none')?.share ?? 0;
  const other = weights.peaks.find((peak) => peak.encoding === known)?.share ?? 0;
  return weights.peaks.map((peak) =>
    peak.encoding === 'none' ? { ...peak, share: other } : peak.encoding === known ? { ...peak, share: plain } : peak,
  );
}

const factorOf = (encoding: ByteBalance['encoding'], weights: BalanceWeights): number =>
  2 ** (weights.peaks.find((peak) => peak.encoding === encoding)?.at ?? 0);
