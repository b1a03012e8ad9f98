/**
 * A bounded memory of results by key, in two generations: when the young one is full it becomes the old one, and the old
 * one is dropped. What is asked for again moves to the young one, so frequent keys survive a flood of rare ones, and no
 * more than 2 × `capacity` entries exist.
 */
export class GenerationCache<V, K = string> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  private readonly capacity: number;

  /** @param capacity entries of one generation */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Entries held now. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  get(key: K): V | undefined {
    const found = this.young.get(key);
    if (found !== undefined) return found;
    const kept = this.old.get(key);
    if (kept !== undefined) {
      this.old.delete(key);
      this.set(key, kept);
    }
    return kept;
  }

  set(key: K, value: V): void {
    if (this.young.size >= this.capacity && !this.young.has(key)) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }
}
