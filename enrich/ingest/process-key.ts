import type { ParentRef, ProcessRef } from '../event/endpoint-event.ts';

/** What a feed knows of a process, before it has a key. */
export interface ProcessFacts extends Omit<Partial<ProcessRef>, 'entityId' | 'entityKind'> {
  /** The vendor's unique key, already normalised. */
  readonly key?: string | undefined;
}

/**
 * A process reference with the best key the facts allow: the vendor's; else pid and start; else the pid alone, which only
 * means something together with host and time; else none.
 */
export function processRef(facts: Loose<ProcessFacts>): ProcessRef {
  const { key, ...rest } = facts;
  const known = compact(rest) as Omit<ProcessRef, 'entityId' | 'entityKind'>;
  if (key !== undefined) return { entityId: key, entityKind: 'vendor', ...known };
  if (known.pid === undefined) return { entityId: '', entityKind: 'none', ...known };
  if (known.startedAt === undefined) return { entityId: `pid:${known.pid}`, entityKind: 'pid-only', ...known };
  return { entityId: startKey(known.pid, known.startedAt), entityKind: 'pid-start', ...known };
}

export const startKey = (pid: number, startedAt: number): string => `pid:${pid}@${startedAt}`;

/** The parent, or undefined when nothing is known of it. */
export function parentRef(facts: Loose<ParentRef>): ParentRef | undefined {
  const known = compact(facts) as ParentRef;
  return Object.keys(known).length > 0 ? known : undefined;
}

/** Every property may be given as undefined, which means: leave it out. */
export type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** The object without its undefined properties. Only ever given objects of ours, never a record. */
export function compact<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const known: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) known[name] = value;
  return known as { [K in keyof T]: Exclude<T[K], undefined> };
}
