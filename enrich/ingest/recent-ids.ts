/** Most ids remembered. */
const MAX_IDS = 16_384;

/** The ids that were seen last. */
export class RecentIds {
  private readonly ids = new Set<string>();

  /** Whether this id was among them; it is from now on. */
  seen(id: string): boolean {
    if (this.ids.has(id)) return true;
    this.ids.add(id);
    if (this.ids.size > MAX_IDS) {
      const [oldest] = this.ids;
      if (oldest !== undefined) this.ids.delete(oldest);
    }
    return false;
  }
}
