import { SORTABLE_BYTES, sortable } from './sortable.ts';

export interface Ranked {
  readonly id: string;
  readonly record: Buffer;
  /** Sortable time, then id: the order of every list of the store. */
  readonly rank: Buffer;
}

export function ranked(id: string, at: Buffer, record: Buffer): Ranked {
  return { id, record, rank: Buffer.concat([at, Buffer.from(id)]) };
}

/**
 * Records in order of (time, id). What comes in order is appended; what does not moves what is after it, which is memory
 * moved in one go: 0.1 ms at 200,000.
 */
export class RankedList {
  private readonly order: Ranked[] = [];

  get size(): number {
    return this.order.length;
  }

  get first(): Ranked | undefined {
    return this.order[0];
  }

  /** Adds what is not there yet. */
  insert(entry: Ranked): void {
    const place = this.placeOf(entry.rank);
    if (this.order[place]?.rank.equals(entry.rank) === true) return;
    if (place === this.order.length) this.order.push(entry);
    else this.order.splice(place, 0, entry);
  }

  remove({ rank }: Ranked): void {
    const place = this.placeOf(rank);
    if (this.order[place]?.rank.equals(rank) === true) this.order.splice(place, 1);
  }

  /** The newest with from <= time <= to; oldest of them first. */
  newest(from: number, to: number, most: number): Ranked[] {
    return this.lastOf(this.placeOf(sortable(from)), this.placeAfter(to), most);
  }

  /** The oldest with from <= time <= to. */
  oldest(from: number, to: number, most: number): Ranked[] {
    const start = this.placeOf(sortable(from));
    return this.order.slice(start, Math.max(start, Math.min(this.placeAfter(to), start + most)));
  }

  /** The newest with time < to; oldest of them first. */
  newestBefore(to: number, most: number): Ranked[] {
    return this.lastOf(0, to === Infinity ? this.order.length : this.placeOf(sortable(to)), most);
  }

  /** Removes all with time < to and gives them. */
  takeBefore(to: number): Ranked[] {
    return this.order.splice(0, to === Infinity ? this.order.length : this.placeOf(sortable(to)));
  }

  count(from: number, to: number): number {
    return Math.max(0, this.placeAfter(to) - this.placeOf(sortable(from)));
  }

  private lastOf(start: number, end: number, most: number): Ranked[] {
    return this.order.slice(Math.max(start, end - most), Math.max(start, end));
  }

  /** Number of records whose rank is less. */
  private placeOf(rank: Buffer): number {
    return this.search((entry) => entry.rank.compare(rank) < 0);
  }

  /** Number of records with a time <= at. */
  private placeAfter(at: number): number {
    const bytes = sortable(at);
    return this.search((entry) => entry.rank.compare(bytes, 0, SORTABLE_BYTES, 0, SORTABLE_BYTES) <= 0);
  }

  /** First place whose record does not pass; most questions are about the end, so that is looked at first. */
  private search(passes: (entry: Ranked) => boolean): number {
    let high = this.order.length;
    const last = this.order[high - 1];
    if (last === undefined || passes(last)) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (passes(this.order[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
