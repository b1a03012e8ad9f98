/**
 * Every number that weighs evidence, in one place. Decibels are 10·log10 of a likelihood ratio: +10 dB = ten times as
 * likely under theft as under ordinary work. They are coherent defaults, not measurements: their sum over invented stories
 * was tried, their efficacy was not. `WEIGHT_SOURCES` says where each group comes from; a configuration may override any.
 */
export interface Weights {
  readonly version: string;
  /** Probability that a candidate episode (one that passed the gate) is a theft. */
  readonly prior: number;
  readonly groups: Readonly<Record<'novelty' | 'staging' | 'volume' | 'process' | 'tls' | 'context', GroupLimits>>;
  readonly tiers: TierLimits;
  readonly novelty: NoveltyWeights;
  readonly link: LinkWeights;
  readonly time: TimeWeights;
  readonly strength: Readonly<Record<'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G', number>>;
  readonly trait: Readonly<Record<string, number>>;
  /** Largest sum of traits, dB. */
  readonly traitCap: number;
  readonly balance: BalanceWeights;
  readonly volume: VolumeWeights;
  readonly process: ProcessWeights;
  readonly tls: TlsWeights;
  readonly context: ContextWeights;
}

/** Sums of a group are clipped to these, dB: caps stand in for the independence the pieces do not have. */
export interface GroupLimits {
  readonly floor: number;
  readonly cap: number;
}

export interface TierLimits {
  /** Probabilities. */
  readonly high: number;
  readonly medium: number;
  readonly ledger: number;
  /** Candidates below `medium` are remembered with this half-life, days. */
  readonly ledgerHalfLifeDays: number;
}

export interface NoveltyWeights {
  /** dB of each rung of the ladder. */
  readonly rung: Readonly<Record<'F0' | 'F1' | 'F2' | 'F3' | 'F4' | 'F5', number>>;
  /** The same signed program meets the destination on many hosts at once. */
  readonly rollout: number;
  /** Time constant of maturity m = 1 - e^(-days/τ). */
  readonly maturityDays: number;
  /** Distinct days within `windowDays` that make a destination established. */
  readonly establishedDays: number;
  readonly windowDays: number;
  /** A destination first met after staging counts as new for this long. */
  readonly probationDays: number;
  /** Share of first sightings among thefts, in 10·log10(share / ν). */
  readonly theftNovelty: number;
  /** Rate of first sightings at which the rungs are meant. */
  readonly referenceRate: number;
  readonly rateFloor: number;
  readonly rateCeiling: number;
  /** Fewer destinations than this say nothing of the rate. */
  readonly minimumSample: number;
  /** Largest correction up and down by the scope's own rate, dB. */
  readonly correctionUp: number;
  readonly correctionDown: number;
  /** A host of less maturity than this is judged by its peer group, when it has one that can judge. */
  readonly backOffBelow: number;
  /** dB of F3 on a host without any history, where the program has established the destination on others. */
  readonly newHostF3: number;
  /** Hosts seen on one day from which a peer group says what is usual: fewer are a few people's habits. */
  readonly peerHosts: number;
  /** Maturity that the days since then must have. */
  readonly peerMaturity: number;
  /** So many other hosts that use a destination with a program make it work of the group: one thief is one host. */
  readonly peersWithIt: number;
}

export interface LinkWeights {
  readonly referenced: number;
  readonly referencedDirectory: number;
  readonly lineage: number;
  readonly logon: number;
  readonly sameProcess: number;
  readonly sameUser: number;
  readonly hostOnly: number;
  /** Nobody knows which process sends: what ties it to the packing was not seen. */
  readonly unknown: number;
  /** Probability that who held the archive when a connection of an unknown maker began is the maker. */
  readonly holderShare: number;
  readonly none: number;
}

export interface TimeWeights {
  /** Mixture of exponentials: share and mean, seconds. */
  readonly mixture: readonly { readonly share: number; readonly meanSeconds: number }[];
  readonly floor: number;
  readonly ceiling: number;
  /** Archives a day taken for a host that is not known yet, and the days of history that this guess is worth. */
  readonly priorPerDay: number;
  readonly priorDays: number;
  /** MITRE's TimeWindow (settings): staging longer ago than this is not linked, seconds. */
  readonly horizonSeconds: number;
  /** MITRE's example window (settings): labels the story, weighs nothing, seconds. */
  readonly tightSeconds: number;
  /** Staging may seem to come this much after the first byte, because clocks differ, seconds. */
  readonly slackSeconds: number;
}

export interface BalanceWeights {
  /** Peaks of log2(bytes out / archive): share of thefts, place, width in octaves. */
  readonly peaks: readonly {
    readonly encoding: 'none' | 'base64' | 'hex';
    readonly share: number;
    readonly at: number;
    readonly sigma: number;
  }[];
  /** Uploads that are under way, spread evenly over this many octaves below the archive's size. */
  readonly partialShare: number;
  readonly partialOctaves: number;
  /** Share of the peaks that lies in that part while a flow has not ended. */
  readonly runningShare: number;
  /** Bytes that next to no ordinary upload comes to: `benignOctaves` end there. */
  readonly ordinaryLargest: number;
  /** Most that an upload on its way to an archive's size weighs, dB. */
  readonly underWayCap: number;
  /** Share of thefts that send of what was packed only what the sender was handed, when it was handed any of it. */
  readonly handedShare: number;
  /** Everything else, spread over the whole range. */
  readonly otherShare: number;
  /** Octaves over which benign ratios are spread evenly. */
  readonly benignOctaves: number;
  readonly cap: number;
  /** An archive smaller than this matches too much, bytes. */
  readonly minimumArchive: number;
  /** Archives and subsets tried at most. */
  readonly maximumArchives: number;
  readonly maximumSubsets: number;
}

export interface VolumeWeights {
  readonly pcrHigh: number;
  readonly pcrHighAbove: number;
  readonly pcrLow: number;
  readonly pcrLowBelow: number;
  readonly chunk: number;
  readonly tooLittle: number;
  /** What it sends to an established place is what it sends there on other days. */
  readonly habit: number;
  /** Days with volumes that make a habit, and times their largest that is still within it. */
  readonly habitDays: number;
  readonly habitTimes: number;
  readonly tooLittleBytes: number;
  readonly zPerUnit: number;
  readonly zFrom: number;
  readonly zCap: number;
}

export interface ProcessWeights {
  readonly masquerade: number;
  readonly ja4Mismatch: number;
  readonly renamed: number;
  readonly lolbin: number;
  readonly uploadTool: number;
  readonly uploadVerb: number;
  readonly newInOrg: number;
  readonly unsigned: number;
  readonly userPath: number;
  readonly young: number;
  readonly youngSeconds: number;
  readonly trusted: number;
  readonly affinity: number;
  /** Affinity by folder alone, where the feed knows no signer. */
  readonly affinityByPath: number;
}

export interface TlsWeights {
  readonly issuerDenylist: number;
  readonly selfSigned: number;
  readonly addressWithoutName: number;
  readonly nameWithoutLookup: number;
  readonly pasteSite: number;
  readonly fileSharing: number;
  readonly newCertificate: number;
  readonly cloudStorage: number;
  /** The address is of an operator that rents servers to anybody. */
  readonly rentedServer: number;
}

export interface ContextWeights {
  readonly offHours: number;
  /** Distinct days of a user's or host's history from which its hours can be called unusual. */
  readonly hoursDays: number;
  /** Days of history from which a day of the week can. */
  readonly weekdayDays: number;
  readonly noSession: number;
  readonly mostEver: number;
  /** Times its largest sum of the days before from which a program never sent so much. */
  readonly mostEverTimes: number;
}

export const WEIGHTS: Weights = {
  version: 'waybill-2026.6',
  prior: 1e-5,
  groups: {
    novelty: { floor: -30, cap: 20 },
    staging: { floor: -30, cap: 24 },
    volume: { floor: -30, cap: 22 },
    process: { floor: -30, cap: 15 },
    tls: { floor: -30, cap: 8 },
    context: { floor: -30, cap: 3 },
  },
  tiers: { high: 0.5, medium: 0.1, ledger: 0.01, ledgerHalfLifeDays: 7 },
  novelty: {
    rung: { F0: 18, F1: 15, F2: 9, F3: 3, F4: -4, F5: -15 },
    rollout: -12,
    maturityDays: 7,
    establishedDays: 3,
    windowDays: 30,
    probationDays: 14,
    theftNovelty: 0.9,
    referenceRate: 0.05,
    rateFloor: 0.005,
    rateCeiling: 0.9,
    minimumSample: 50,
    correctionUp: 4,
    correctionDown: 8,
    backOffBelow: 0.5,
    newHostF3: -8,
    peerHosts: 5,
    peerMaturity: 0.5,
    peersWithIt: 3,
  },
  link: {
    referenced: 15,
    referencedDirectory: 10,
    lineage: 8,
    logon: 5,
    sameProcess: 3,
    sameUser: 1,
    hostOnly: -3,
    unknown: 0,
    holderShare: 0.5,
    none: -8,
  },
  time: {
    mixture: [
      { share: 0.6, meanSeconds: 900 },
      { share: 0.3, meanSeconds: 7_200 },
      { share: 0.1, meanSeconds: 43_200 },
    ],
    floor: -10,
    ceiling: 12,
    priorPerDay: 0.5,
    priorDays: 2,
    horizonSeconds: 86_400,
    tightSeconds: 300,
    slackSeconds: 5,
  },
  strength: { A: 0, B: -1, C: -2, D: -3, E: -5, F: -6, G: -4 },
  trait: {
    password: 5,
    'header-encryption': 1,
    split: 3,
    'staging-dir': 4,
    'extension-mismatch': 5,
    'deletes-sources': 3,
    'deleted-after': 6,
    'mass-read': 4,
    'log-dir': -4,
    'alternate-stream': 5,
    'unc-source': 3,
    'sensitive-source': 4,
    recursive: 1,
    'renamed-tool': 5,
    'encoded-command': 4,
    'low:wer': -15,
    'low:updater': -10,
    'low:servicing': -12,
    'low:log-rotation': -12,
    'low:office': -8,
    'low:package': -6,
    'low:dev-cache': -10,
    'low:explorer': -1,
    'low:download': -12,
    'low:agent': -10,
    'low:backup': -6,
    'low:single-file': -4,
    'low:listing': -6,
    'low:encodes-program': -5,
  },
  traitCap: 12,
  balance: {
    peaks: [
      { encoding: 'none', share: 0.48, at: 0, sigma: 0.05 },
      { encoding: 'base64', share: 0.15, at: 0.42, sigma: 0.05 },
      { encoding: 'hex', share: 0.02, at: 1, sigma: 0.05 },
    ],
    partialShare: 0.15,
    partialOctaves: 8,
    runningShare: 0.5,
    ordinaryLargest: 2 ** 30,
    underWayCap: 8,
    handedShare: 0.9,
    otherShare: 0.2,
    benignOctaves: 20,
    cap: 18,
    minimumArchive: 100_000,
    maximumArchives: 12,
    maximumSubsets: 64,
  },
  volume: {
    pcrHigh: 5,
    pcrHighAbove: 0.9,
    pcrLow: -8,
    pcrLowBelow: 0,
    chunk: 5,
    tooLittle: -8,
    habit: -18,
    habitDays: 3,
    habitTimes: 2,
    tooLittleBytes: 20_000,
    zPerUnit: 2,
    zFrom: 2,
    zCap: 6,
  },
  process: {
    masquerade: 12,
    ja4Mismatch: 10,
    renamed: 8,
    lolbin: 5,
    uploadTool: 3,
    uploadVerb: 4,
    newInOrg: 5,
    unsigned: 4,
    userPath: 3,
    young: 2,
    youngSeconds: 600,
    trusted: -4,
    affinity: -15,
    affinityByPath: -8,
  },
  tls: {
    issuerDenylist: 8,
    selfSigned: 5,
    addressWithoutName: 5,
    nameWithoutLookup: 4,
    pasteSite: 3,
    fileSharing: 3,
    newCertificate: 2,
    cloudStorage: 2,
    rentedServer: 2,
  },
  context: { offHours: 2, hoursDays: 10, weekdayDays: 22, noSession: 2, mostEver: 1, mostEverTimes: 2 },
};

/** Where the numbers of each group come from. */
export const WEIGHT_SOURCES: Readonly<Record<keyof Omit<Weights, 'version'>, string>> = {
  prior: 'Own judgement after Axelsson 1999 on base rates; to be re-estimated from the site’s own candidates.',
  groups: 'Own judgement; caps in place of calibration, since redundant evidence makes a naive sum over-confident.',
  tiers: 'Own judgement: an alert budget of about one high alert per 1,000 hosts and day.',
  novelty:
    'Own judgement. Distinct days as in Zeek and RITA baselines; own rate after Good–Turing; probation against training by the intruder. A new host: what will be F5 there (9 in 10 of its ordinary work, by the weights of F3 and F5 1 in 8 of thefts) is F3 on its first days, 10·log10(0.13 / 0.9) = -8. Peers: from the maturity at which a host judges for itself (five days); three hosts as for a roll-out, five so that these are most of the smallest group.',
  link: 'Own judgement after the order of ties in ATT&CK analytics: same file, lineage, session, process, host. A tie that was not seen weighs 0; who holds the archive counts as a join by look-up does.',
  time: 'MITRE AN1413 example (5 minutes), published incident timelines (hours to a day); mixture by own judgement.',
  strength: 'Own judgement: content over name over command line over circumstance.',
  trait:
    'ATT&CK T1560, T1074, T1070.004, T1027, T1564.004 procedures and public detection rules; sizes by own judgement.',
  traitCap: 'Own judgement.',
  balance:
    'TLS and HTTP framing adds 0.1–3 % (RFC 8446, RFC 9110 arithmetic); base64 is 4/3 (RFC 4648). Ordinary uploads end at 1 GiB, the largest threshold of public volume rules (Elastic: 1 GiB in 8 hours; ATT&CK DET0131: 50 MB on a connection). Shares by own judgement.',
  volume:
    'Producer–consumer ratio after Bullard and Gerth; chunk sizes from the tools’ documentation; robust z as in Slips; a habit takes back what a byte match may add.',
  process: 'ATT&CK T1036, T1218 and public rules on renamed and user-writable programs; sizes by own judgement.',
  tls: 'MITRE AN1413 CertificateIssuerDenylist; ATT&CK T1567; sizes by own judgement.',
  context: 'Own judgement: hours, session and amount say little each, so the group is small.',
};

/** Changes to the numbers: what is not named stays. */
export type WeightOverrides = Changes<Omit<Weights, 'version'>>;

type Changes<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: Changes<T[Key]> }
    : T;

/** Weights with an operator's changes, however deep they stand; lists are replaced whole. */
export const withOverrides = (overrides: WeightOverrides, base: Weights = WEIGHTS): Weights =>
  merged(base, overrides) as Weights;

function merged(base: unknown, changes: unknown): unknown {
  if (changes === undefined) return base;
  if (Array.isArray(base) || typeof base !== 'object' || base === null) return changes;
  const named = changes as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(base).map(([name, value]) => [name, merged(value, named[name])]));
}
