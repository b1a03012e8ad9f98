import type { Tables } from './embedded-tables.ts';
import { StoreError } from './store-error.ts';

/** Work waiting for a transaction; more is refused as `busy`. */
const MAX_WAITING = 1_000;
/** Weight (facts, sightings) of one transaction: it runs on the main thread, about 20 µs each. */
const MAX_GROUP_WEIGHT = 1_000;

interface Job {
  readonly work: () => void;
  readonly weight: number;
  /** It gives room back, so a nearly full disk is no reason to refuse it. */
  readonly frees: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives while one transaction is on its way to the disk shares the next one, so that the cost of
 * the flush (5 to 8 ms where this was measured) is divided by the number of writers, and never blocks the event loop.
 * A promise is kept after its transaction was committed and flushed.
 */
export class Committer {
  private readonly tables: Tables;
  private readonly refuse: () => StoreError | undefined;
  private readonly waiting: Job[] = [];
  private running: Promise<void> | undefined;
  private closed = false;

  /** `refuse` is asked before each transaction: an error of it is given to all that wait (disk nearly full). */
  constructor(tables: Tables, refuse: () => StoreError | undefined) {
    this.tables = tables;
    this.refuse = refuse;
  }

  /** Runs `work` in a write transaction of its own or a shared one; its throw undoes it alone. */
  run<T>(weight: number, work: () => T): Promise<T> {
    return this.enqueue(weight, false, work);
  }

  /** The same for work that removes: it may use the room that is held back from `run`. */
  runFreeing<T>(weight: number, work: () => T): Promise<T> {
    return this.enqueue(weight, true, work);
  }

  /** Refuses further work and waits for what was accepted. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private enqueue<T>(weight: number, frees: boolean, work: () => T): Promise<T> {
    if (this.closed) return Promise.reject(new StoreError('closed', 'the embedded store is closed'));
    if (this.waiting.length >= MAX_WAITING) {
      return Promise.reject(new StoreError('busy', `${MAX_WAITING} writes wait for the disk already; try again later`));
    }
    return new Promise<T>((resolve, reject) => {
      let result: T;
      const keep = () => {
        result = work();
      };
      this.waiting.push({ weight, frees, work: keep, resolve: () => resolve(result), reject });
      this.running ??= this.drain();
    });
  }

  private async drain(): Promise<void> {
    await null; // callers of this turn share the first transaction
    while (this.waiting.length > 0) await this.commit(this.nextGroup());
    this.running = undefined;
  }

  private nextGroup(): Job[] {
    let weight = 0;
    let jobs = 0;
    while (jobs < this.waiting.length && (jobs === 0 || weight + this.waiting[jobs]!.weight <= MAX_GROUP_WEIGHT)) {
      weight += this.waiting[jobs++]!.weight;
    }
    return this.waiting.splice(0, jobs);
  }

  private async commit(group: readonly Job[]): Promise<void> {
    const refused = this.refuse();
    if (refused !== undefined) for (const job of group) if (!job.frees) job.reject(refused);
    const jobs = refused === undefined ? group : group.filter((job) => job.frees);
    const outcomes = await Promise.allSettled(jobs.map((job) => this.transact(job)));
    outcomes.forEach((outcome, i) => {
      if (outcome.status === 'fulfilled') jobs[i]!.resolve();
      else jobs[i]!.reject(outcome.reason);
    });
  }

  private async transact(job: Job): Promise<void> {
    try {
      await this.tables.root.childTransaction(job.work);
    } catch (error) {
      throw commitError(error);
    }
  }
}

/** An error of lmdb as ours; `otherwise` when it is none that we know. */
export function lmdbError(error: unknown, otherwise: StoreError): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (/MDB_CORRUPTED|MDB_PAGE_NOTFOUND|MDB_INVALID|MDB_PANIC|MDB_BAD_TXN/.test(text)) {
    return new StoreError('corrupt', `the embedded store is damaged (${text}). Restore a backup.`, { cause: error });
  }
  if (/Read-only|Permission denied/.test(text)) {
    return new StoreError('read-only', `the embedded store cannot write: ${text}`, { cause: error });
  }
  return otherwise;
}

function commitError(error: unknown): StoreError {
  // lmdb rejects a second promise with the cause, later; unheard it would end the process.
  if (error instanceof Error && 'commitError' in error && error.commitError instanceof Promise) {
    error.commitError.catch(() => undefined);
  }
  // LMDB reports a write cut short by a full disk as EIO, without saying so.
  const message = 'the embedded store could not write to its disk: it is full or failing. Free space.';
  return lmdbError(error, new StoreError('full', message, { cause: error }));
}
