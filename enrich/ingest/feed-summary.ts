/** Most distinct names counted apart in one list of a summary; the rest are counted together. */
const MAX_NAMES = 512;
/** Most distinct shapes of unknown records counted apart. */
const MAX_SHAPES = 64;
/** Most damaged places described; all are counted. */
const MAX_EXAMPLES = 20;
const OTHERS = '(others)';

/** A tally by name that cannot grow without bound: beyond `cap` names, the rest are one. */
export class Tally {
  private readonly counts = new Map<string, number>();
  private readonly cap: number;
  /** Sum over all names. */
  total = 0;

  constructor(cap: number) {
    this.cap = cap;
  }

  add(name: string, count = 1): void {
    const key = this.counts.has(name) || this.counts.size < this.cap ? name : OTHERS;
    this.counts.set(key, (this.counts.get(key) ?? 0) + count);
    this.total += count;
  }

  get(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  /** Name and count, the most frequent first, equal ones by name. */
  entries(): [name: string, count: number][] {
    return [...this.counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  }

  merge(other: Tally): void {
    for (const [name, count] of other.entries()) this.add(name, count);
  }
}

/** What became of the records of a feed. Every record is in exactly one of the tallies. */
export class FeedSummary {
  /** Events given out, by kind. */
  readonly accepted = new Tally(MAX_NAMES);
  /** Records of a known feed that say nothing we use, by feed and type. */
  readonly ignored = new Tally(MAX_NAMES);
  /** Records of a known type that lack what it must have, by feed, type and reason. */
  readonly rejected = new Tally(MAX_NAMES);
  /** Records of no known feed, by their first keys. */
  readonly unknown = new Tally(MAX_SHAPES);
  /** Places that could not be read, by reason. */
  readonly damaged = new Tally(MAX_NAMES);
  /** Where: one line each, the first ones. */
  readonly damagedAt: string[] = [];
  /** Why the whole input was refused, e.g. a binary .evtx. */
  refused: string | undefined;
  /** Events whose clock had no known zone, so that their time is as the log wrote it. */
  unzoned = 0;
  /** Records with a date whose day and month nothing told apart, so that the month was taken to stand first. */
  ambiguousDates = 0;
  /** Events given out before the end of input because more were held than may be (their offset is what was known by then). */
  releasedEarly = 0;

  noteDamage(where: string, why: string): void {
    this.damaged.add(why);
    if (this.damagedAt.length < MAX_EXAMPLES) this.damagedAt.push(`${where}: ${why}`);
  }

  merge(other: FeedSummary): void {
    this.accepted.merge(other.accepted);
    this.ignored.merge(other.ignored);
    this.rejected.merge(other.rejected);
    this.unknown.merge(other.unknown);
    this.damaged.merge(other.damaged);
    for (const line of other.damagedAt) if (this.damagedAt.length < MAX_EXAMPLES) this.damagedAt.push(line);
    this.refused ??= other.refused;
    this.unzoned += other.unzoned;
    this.ambiguousDates += other.ambiguousDates;
    this.releasedEarly += other.releasedEarly;
  }
}

/** Most keys, and characters of each, in the signature of an unknown record. */
const SHAPE_KEYS = 8;
const SHAPE_KEY_CHARS = 24;

/** A short signature of a record nobody knows: its first keys in order of the alphabet. */
export function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return '(array)';
  if (typeof value !== 'object' || value === null) return `(${value === null ? 'null' : typeof value})`;
  const keys = Object.keys(value).sort();
  const names = keys.slice(0, SHAPE_KEYS).map((key) => key.slice(0, SHAPE_KEY_CHARS));
  return `{${names.join(', ')}${keys.length > SHAPE_KEYS ? `, +${keys.length - SHAPE_KEYS}` : ''}}`;
}
