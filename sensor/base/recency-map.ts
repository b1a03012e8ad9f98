/** Renewals after which the walk begins anew: until then it keeps the tables alive that the map has outgrown. */
const WALK_RENEWALS = 1_024;

/**
 * A map in the order of last renewal that knows its oldest entry. A Map alone does as well, but the entries that were
 * taken from its front leave holes, which whoever asks for the first entry passes again each time: with ten thousand entries
 * a renewal then takes twenty times as long. Here a walk through the map stays where the oldest entry was found.
 */
export class RecencyMap<V> {
  private readonly entries = new Map<string, V>();
  private walk = this.entries.keys();
  /** The key that the walk has come to; not in the map any more, or renewed since, when `stale`. */
  private front: string | undefined;
  private stale = true;
  private renewals = 0;

  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    return this.entries.get(key);
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** Gives the key this value and makes its entry the youngest. */
  renew(key: string, value: V): void {
    this.delete(key);
    this.entries.set(key, value);
    if (++this.renewals < WALK_RENEWALS) return;
    this.renewals = 0;
    this.stale = true;
    this.walk = this.entries.keys();
  }

  delete(key: string): void {
    if (key === this.front) this.stale = true;
    this.entries.delete(key);
  }

  /** The key that was renewed longest ago; undefined when the map is empty. */
  oldest(): string | undefined {
    if (!this.stale) return this.front;
    let next = this.walk.next();
    if (next.done) {
      // An iterator that has come to its end stays there.
      this.walk = this.entries.keys();
      next = this.walk.next();
    }
    this.front = next.done ? undefined : next.value;
    this.stale = this.front === undefined;
    return this.front;
  }
}
