import type { ProcessRef } from '../event/endpoint-event.ts';
import type { Fact } from '../store/store.ts';
import type { ProcessBody } from './facts.ts';

/** Ancestors followed upwards. Deeper trees are cut and say so. */
export const MAX_DEPTH = 16;

/**
 * Processes that start everything in a session or on a machine: a lineage ends below them, else all that a user does
 * would be one lineage.
 */
const SESSION_ROOTS = new Set([
  'explorer.exe',
  'services.exe',
  'svchost.exe',
  'wininit.exe',
  'winlogon.exe',
  'userinit.exe',
  'lsass.exe',
  'csrss.exe',
  'smss.exe',
  'system',
  'taskhostw.exe',
  'sihost.exe',
  'runtimebroker.exe',
]);

export interface ProcessInfo extends ProcessRef {
  /** Raw events that the merged description rests on. */
  readonly events: readonly string[];
  readonly endedAt?: number;
  /** A start event of it was seen. */
  readonly started: boolean;
  /** It is no parent of the one before it, but asked a service of Windows to transfer for it, or to start that one. */
  readonly asked?: 'transfer' | 'start';
}

/** Looks up what is known of one process of a host: facts by entity key, and by pid. */
export interface ProcessFacts {
  byEntity(entityId: string): Promise<readonly Fact[]>;
  /** Those that may say whose it was at a time, microseconds by the host's clock. */
  byPid(pid: number, at: number): Promise<readonly Fact[]>;
}

/**
 * Everything known of one process as one description. Start events win, then earlier sightings; a field that one
 * record lacks is filled from the next. The result does not depend on the order of the facts.
 */
export function mergeProcess(entity: ProcessRef, facts: readonly Fact[]): ProcessInfo {
  const ranked = [...facts].sort((a, b) => rank(a) - rank(b) || a.at - b.at || (a.id < b.id ? -1 : 1));
  let merged: ProcessRef = { entityId: entity.entityId, entityKind: entity.entityKind };
  let endedAt: number | undefined;
  for (const fact of ranked) {
    const body = fact.body as ProcessBody;
    merged = fill(merged, body.process);
    if (body.kind === 'end') endedAt = fact.at;
  }
  merged = fill(merged, entity);
  return {
    ...merged,
    events: ranked.slice(0, 8).map((f) => (f.body as ProcessBody).event),
    ...(endedAt === undefined ? {} : { endedAt }),
    started: ranked.some((f) => (f.body as ProcessBody).kind === 'start'),
  };
}

const RANKS = { start: 0, seen: 1, end: 2 } as const;
const rank = (fact: Fact): number => RANKS[(fact.body as ProcessBody).kind];

function fill(into: ProcessRef, from: ProcessRef): ProcessRef {
  const parent = { ...from.parent, ...into.parent };
  const user = { ...from.user, ...into.user };
  return {
    ...from,
    ...into,
    ...(from.parent || into.parent ? { parent } : {}),
    ...(from.user || into.user ? { user } : {}),
  };
}

/**
 * The process as a vendor entity where one covers this pid at this time: a Security 5156 names a pid, Sysmon knows
 * which process had it. Without one the reference stays as it was.
 */
export async function resolve(process: ProcessRef, at: number, look: ProcessFacts): Promise<ProcessRef> {
  if (process.entityKind === 'vendor' || process.pid === undefined) return process;
  const facts = await look.byPid(process.pid, at);
  let best: Fact | undefined;
  for (const fact of facts) {
    const body = fact.body as ProcessBody;
    if (body.kind !== 'start' || body.process.entityKind !== 'vendor' || fact.at > at + 1_000_000) continue;
    if (!best || fact.at > best.at || (fact.at === best.at && fact.id < best.id)) best = fact;
  }
  if (!best) {
    const seen = facts.filter((f) => (f.body as ProcessBody).process.entityKind === 'vendor');
    const entities = new Set(seen.map((f) => (f.body as ProcessBody).process.entityId));
    return entities.size === 1 ? (seen[0]!.body as ProcessBody).process : process;
  }
  const entity = (best.body as ProcessBody).process;
  const ended = (await look.byEntity(entity.entityId)).find((f) => (f.body as ProcessBody).kind === 'end');
  return ended && ended.at + 5_000_000 < at ? process : entity;
}

/** The process and its ancestors, nearest first, on ids alone: an ancestor without a start record still has its place. */
export async function lineage(process: ProcessRef, look: ProcessFacts): Promise<ProcessInfo[]> {
  const chain: ProcessInfo[] = [];
  const met = new Set<string>();
  let current: ProcessRef | undefined = process;
  while (current && chain.length < MAX_DEPTH && !met.has(current.entityId)) {
    met.add(current.entityId);
    const info: ProcessInfo = mergeProcess(current, await look.byEntity(current.entityId));
    chain.push(info);
    const parent: ProcessRef['parent'] = info.parent;
    if (!parent || (parent.entityId === undefined && parent.image === undefined)) break;
    const entityId: string = parent.entityId ?? `parent-of:${info.entityId}`;
    current = {
      entityId,
      entityKind: parent.entityId === undefined ? 'none' : 'vendor',
      ...(parent.pid === undefined ? {} : { pid: parent.pid }),
      ...(parent.image === undefined ? {} : { image: parent.image }),
      ...(parent.commandLine === undefined ? {} : { commandLine: parent.commandLine }),
    };
  }
  return chain;
}

/** Times of the process by the sensor's clock. */
export function shifted(info: ProcessInfo, offset: number): ProcessInfo {
  if (offset === 0) return info;
  return {
    ...info,
    ...(info.startedAt === undefined ? {} : { startedAt: info.startedAt - offset }),
    ...(info.endedAt === undefined ? {} : { endedAt: info.endedAt - offset }),
  };
}

/** The topmost ancestor that still belongs to this activity. */
export function lineageRoot(chain: readonly ProcessInfo[]): ProcessInfo {
  let root = chain[0]!;
  for (const process of chain.slice(1)) {
    if (isSessionRoot(process)) break;
    root = process;
  }
  return root;
}

export function isSessionRoot(process: ProcessRef): boolean {
  const name = (process.image ?? '').toLowerCase().split(/[\\/]/).at(-1) ?? '';
  return SESSION_ROOTS.has(name);
}
