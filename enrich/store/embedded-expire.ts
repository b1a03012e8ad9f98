import { setImmediate } from 'node:timers/promises';
import type { Committer } from './embedded-commit.ts';
import type { EmbeddedFacts } from './embedded-facts.ts';
import type { EmbeddedFamiliarity } from './embedded-familiarity.ts';

/** Facts or entries that one transaction removes. */
const EXPIRE_AT_A_TIME = 1_000;
/** Series, entries or days looked at between two turns of the event loop. */
const SCAN_AT_A_TIME = 5_000;

/** One look at a table: what is stale in it, and where to go on. */
interface Look {
  readonly stale: Buffer[];
  readonly next: Buffer | undefined;
}

/** Removes facts with at < before, a little at a time so that others get their turn; returns how many. */
export async function expireFacts(facts: EmbeddedFacts, committer: Committer, before: number): Promise<number> {
  let gone = 0;
  await sweep(
    (last) => facts.staleAfter(last, before, EXPIRE_AT_A_TIME),
    async (stale) => {
      for (let some = EXPIRE_AT_A_TIME; some === EXPIRE_AT_A_TIME; gone += some) {
        some = await committer.runFreeing(some, () => facts.expire(stale, before, EXPIRE_AT_A_TIME));
      }
    },
  );
  return gone;
}

/** Removes entries last seen before `day`, then the novelty of the days before it; returns how many entries. */
export async function expireFamiliarity(
  known: EmbeddedFamiliarity,
  committer: Committer,
  day: number,
): Promise<number> {
  let gone = 0;
  await sweep(
    (last) => known.staleAfter(last, day, SCAN_AT_A_TIME),
    async (stale) => {
      for (let i = 0; i < stale.length; i += EXPIRE_AT_A_TIME) {
        const some = stale.slice(i, i + EXPIRE_AT_A_TIME);
        gone += await committer.runFreeing(some.length, () => known.forget(some, day));
      }
    },
  );
  await committer.runFreeing(1, () => known.raiseHorizon(day));
  await sweep(
    (last) => known.staleNoveltyAfter(last, SCAN_AT_A_TIME),
    (stale) => committer.runFreeing(stale.length, () => known.forgetNovelty(stale)),
  );
  return gone;
}

async function sweep(
  look: (last: Buffer | undefined) => Look,
  remove: (stale: Buffer[]) => Promise<void>,
): Promise<void> {
  let last: Buffer | undefined;
  do {
    const { stale, next } = look(last);
    if (stale.length > 0) await remove(stale);
    else await setImmediate();
    last = next;
  } while (last !== undefined);
}
