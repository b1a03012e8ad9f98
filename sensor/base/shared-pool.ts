/**
 * Values that many holders share, each kept once and known by a number as long as anyone holds it. 0 stands for
 * `undefined`. Objects are the same when they are one object, texts when they read the same.
 */
export class SharedPool<V> {
  private readonly ids = new Map<V, number>();
  private readonly values: (V | undefined)[] = [undefined];
  private readonly holders: number[] = [0];
  private readonly free: number[] = [];

  /** Values held now. */
  get size(): number {
    return this.ids.size;
  }

  /** The number of a value; the caller holds it until it gives it back with `release`. */
  hold(value: V | undefined): number {
    if (value === undefined) return 0;
    let id = this.ids.get(value);
    if (id === undefined) {
      id = this.free.pop() ?? this.values.length;
      this.ids.set(value, id);
      this.values[id] = value;
      this.holders[id] = 0;
    }
    this.holders[id]!++;
    return id;
  }

  get(id: number): V | undefined {
    return this.values[id];
  }

  release(id: number): void {
    if (id === 0 || --this.holders[id]! > 0) return;
    this.ids.delete(this.values[id]!);
    this.values[id] = undefined;
    this.free.push(id);
  }
}
