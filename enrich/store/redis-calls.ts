import { setImmediate } from 'node:timers/promises';
import type { RedisLink, RedisReply } from './redis-link.ts';
import { StoreError } from './store-error.ts';

/** Things of one route may share a script call: of one tag in a cluster, all of them elsewhere. */
export function routeOf(link: RedisLink, tagOf: () => number): number {
  return link.mode === 'cluster' ? tagOf() : 0;
}

/**
 * Things in groups that each fit one script call: of one route, at most `most` of them. Groups are in the order of their
 * first things, and so are the things of a group.
 */
export function callsOf<T>(
  link: RedisLink,
  things: readonly T[],
  { tagOf, most }: { readonly tagOf: (thing: T) => number; readonly most: number },
): T[][] {
  const open = new Map<number, T[]>();
  const calls: T[][] = [];
  for (const thing of things) {
    const route = routeOf(link, () => tagOf(thing));
    let call = open.get(route);
    if (call === undefined || call.length === most) {
      call = [];
      open.set(route, call);
      calls.push(call);
    }
    call.push(thing);
  }
  return calls;
}

/** All of them, or the first error once none is under way any more: a caller that tries again meets no stragglers. */
export async function settled<T>(calls: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}

/** As `settled`, each begun when the one before it is on its way: Redis works on the first while the last is put together. */
export async function staggered<T, R>(calls: readonly T[], begin: (call: T) => Promise<R>): Promise<R[]> {
  const begun: Promise<R>[] = [];
  for (const [i, call] of calls.entries()) {
    const reply = begin(call);
    reply.catch(() => undefined); // told by `settled`
    begun.push(reply);
    if (i + 1 < calls.length) await setImmediate();
  }
  return settled(begun);
}

/** A flat reply of two-element rows. */
export function pairs(reply: RedisReply): [Buffer, Buffer][] {
  if (!Array.isArray(reply)) throw new StoreError('unexpected', 'Redis gave no list where one was asked for');
  const rows: [Buffer, Buffer][] = [];
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const [first, second] = [reply[i], reply[i + 1]];
    if (Buffer.isBuffer(first) && Buffer.isBuffer(second)) rows.push([first, second]);
  }
  return rows;
}

export function numbers(reply: RedisReply): number[] {
  return Array.isArray(reply) ? reply.map(Number) : [];
}

/** The end of a range of members, as ZRANGEBYLEX wants it. */
export function upTo(high: Buffer | undefined): Buffer {
  return high === undefined ? Buffer.from('+') : Buffer.concat([Buffer.from('('), high]);
}
