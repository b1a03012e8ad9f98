/** The rules that people have today, read literally, over the same flows and events: what Waybill is measured beside. */
import type { EndpointEvent } from '../../../enrich/event/endpoint-event.ts';
import { BROWSER_IMAGES } from './programs.ts';

/** A flow as these rules see it: with the process that the exact 5-tuple names, when one is known. */
export interface SeenFlow {
  readonly id: string;
  /** By the network's side: the source address. */
  readonly source: string;
  readonly host?: string | undefined;
  readonly entityId?: string | undefined;
  /** File name of the image, lower case. */
  readonly image?: string | undefined;
  /** Registrable domain or address. */
  readonly destination: string;
  /** Microseconds. */
  readonly start: number;
  readonly sent: number;
}

export interface Packing {
  readonly host: string;
  readonly at: number;
  readonly entityId: string;
  readonly parent: string | undefined;
}

export const RULES = ['AN1413, read literally', 'archive, then network', 'rare destination', 'volume'] as const;
export type Rule = (typeof RULES)[number];

const MINUTE = 60_000_000;
const DAY = 1440 * MINUTE;
/** MITRE's example for the window of AN1413; also the span of the usual sequence rules. */
const WINDOW = 5 * MINUTE;
/** MITRE's example for one connection (AN0367), bytes. */
const LARGE = 50_000_000;

const ARCHIVE = /\.(zip|7z|rar|cab|gz|tgz|tar|001)$/i;
const PACKS = /(\b(7z|7za|7zg|rar|winrar)(\.exe)?"?\s+[au]\b)|compress-archive|\bmakecab\b|\btar(\.exe)?\s+-[a-z]*c/i;

/** That something was packed, as a rule by name and command line sees it. */
export function packingOf(event: EndpointEvent): Packing | undefined {
  if (event.kind !== 'process_start' && event.kind !== 'file_write') return undefined;
  const { process } = event;
  const packs =
    event.kind === 'process_start'
      ? PACKS.test(process.commandLine ?? '')
      : event.op === 'create' && ARCHIVE.test(event.path);
  if (!packs) return undefined;
  return { host: event.host.id, at: event.at, entityId: process.entityId, parent: process.parent?.entityId };
}

/** Flow ids that each rule raises. `parents`: of processes, as their starts told. Flows and packings by time. */
export function raisedBy(
  flows: readonly SeenFlow[],
  packings: readonly Packing[],
  parents: ReadonlyMap<string, string>,
): ReadonlyMap<Rule, ReadonlySet<string>> {
  const byHost = new Map<string, Packing[]>();
  for (const packing of packings) {
    const list = byHost.get(packing.host);
    if (list) list.push(packing);
    else byHost.set(packing.host, [packing]);
  }
  const before = (flow: SeenFlow): Packing[] =>
    (byHost.get(flow.host ?? '') ?? []).filter(({ at }) => at <= flow.start && flow.start - at <= WINDOW);
  const raised = new Map<Rule, Set<string>>(RULES.map((rule) => [rule, new Set()]));
  const firstMet = firstDays(flows, (flow) => `${flow.host}|${flow.destination}`);
  const prevalence = rareOn(flows);
  for (const flow of flows) {
    const named = flow.image !== undefined && !BROWSER_IMAGES.has(flow.image);
    const near = named ? before(flow) : [];
    const unfamiliar = firstMet.get(`${flow.host}|${flow.destination}`) === dayOf(flow);
    if (near.length > 0 && unfamiliar) raised.get('AN1413, read literally')!.add(flow.id);
    if (near.some((packing) => related(packing, flow, parents))) raised.get('archive, then network')!.add(flow.id);
    if (prevalence(flow)) raised.get('rare destination')!.add(flow.id);
    if (flow.sent >= LARGE) raised.get('volume')!.add(flow.id);
  }
  return raised;
}

const dayOf = ({ start }: SeenFlow): number => Math.floor(start / DAY);

function firstDays(flows: readonly SeenFlow[], keyOf: (flow: SeenFlow) => string): Map<string, number> {
  const first = new Map<string, number>();
  for (const flow of flows) if (!first.has(keyOf(flow))) first.set(keyOf(flow), dayOf(flow));
  return first;
}

/** The sender packed itself, is the packer's child or parent, or has the packer's parent. */
function related(packing: Packing, flow: SeenFlow, parents: ReadonlyMap<string, string>): boolean {
  if (flow.entityId === undefined) return false;
  if (packing.entityId === flow.entityId) return true;
  const parent = parents.get(flow.entityId);
  return parent !== undefined && (parent === packing.entityId || parent === packing.parent);
}

/** New to the organisation on that day, and met by one address only. */
function rareOn(flows: readonly SeenFlow[]): (flow: SeenFlow) => boolean {
  const first = firstDays(flows, ({ destination }) => destination);
  const sources = new Map<string, Set<string>>();
  for (const flow of flows) {
    if (first.get(flow.destination) !== dayOf(flow)) continue;
    const known = sources.get(flow.destination);
    if (known) known.add(flow.source);
    else sources.set(flow.destination, new Set([flow.source]));
  }
  return (flow) => first.get(flow.destination) === dayOf(flow) && sources.get(flow.destination)?.size === 1;
}
