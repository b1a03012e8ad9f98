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
}

export interface ByteBalance {
  /** Decibels; 0 when nothing could be compared. */
  readonly db: number;
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
 * at log2(4/3) for base64, an even part for uploads under way, an even rest; ordinary traffic is even over 20 octaves.
 * Which subset would have been sent is not known, so the densities are averaged: a fit found among n subsets weighs
 * 10·log10(n) less, and misses among them cost nothing more. The order of archives is irrelevant.
 */
export function byteBalance(
  bytesOut: number,
  archives: readonly PackedBytes[],
  encodings: readonly ('base64' | 'hex')[] = [],
  weights: BalanceWeights = WEIGHTS.balance,
): ByteBalance {
  const usable = candidates(archives, weights);
  if (usable.length === 0) {
    const sized = archives.some(({ size }) => size > 0 && Number.isFinite(size));
    return nothing(sized ? 'archives-too-small' : 'no-archive-size');
  }
  if (!(bytesOut > 0) || !Number.isFinite(bytesOut)) return nothing('nothing-sent');
  const subsets = subsetsOf(usable, weights.maximumSubsets);
  let best: (Fit & { subset: Candidate }) | undefined;
  let sum = 0;
  for (const subset of subsets) {
    const fit = fitOf(Math.log2(bytesOut / subset.size), encodings, weights);
    sum += fit.density;
    if (best === undefined || fit.density > best.density) best = { subset, ...fit };
  }
  if (best === undefined) return nothing('no-archive-size');
  const { subset, encoding } = best;
  const whole = subset.size * factorOf(encoding, weights);
  return {
    db: Math.min(weights.cap, 10 * Math.log10((sum / subsets.length) * weights.benignOctaves)),
    subset: subset.ids,
    subsetBytes: subset.size,
    ratio: bytesOut / subset.size,
    encoding,
    percentGone: Math.min(100, (100 * bytesOut) / whole),
    subsetsTried: subsets.length,
  };
}

interface Candidate {
  readonly ids: readonly string[];
  readonly size: number;
  readonly at: number;
}

const nothing = (unusable: NonNullable<ByteBalance['unusable']>): ByteBalance => ({
  db: 0,
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
  const sets = new Map<string, { id: string; size: number; at: number }>();
  const loose: { id: string; size: number; at: number }[] = [];
  for (const { size, at = 0, set, id } of archives) {
    if (!(size > 0) || !Number.isFinite(size)) continue;
    const whole = set === undefined ? undefined : sets.get(set);
    if (set === undefined) loose.push({ id: id ?? `${size} bytes`, size, at });
    else if (whole === undefined) sets.set(set, { id: set, size, at });
    else sets.set(set, { id: set, size: whole.size + size, at: Math.max(whole.at, at) });
  }
  return [...loose, ...sets.values()]
    .filter((each) => each.size >= weights.minimumArchive)
    .map(({ id, size, at }) => ({ ids: [id], size, at }))
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
    found.set(size, { ids: members.flatMap((member) => member.ids).sort(compare), size, at: 0 });
  };
  const total = newestFirst.length;
  for (let from = 0; from < total; from++) add(from, 1);
  add(0, total);
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
