import type { AlertIndex } from './alert-index.ts';
import { type Gathered, isoOf, type SeenHost, type Traffic } from './traffic-scan.ts';
import type { DestinationRow, FingerprintRow, HostRow, Rows } from './view.ts';

/** Programs that one row names. */
const LISTED_PROGRAMS = 6;

export interface RowQuery {
  readonly text: string;
  readonly offset: number;
  readonly limit: number;
}

/** Hosts by name, those with alerts first. */
export async function hostRows(traffic: Traffic, alerts: AlertIndex, query: RowQuery): Promise<Rows<HostRow>> {
  const { hosts: tally } = await alerts.tally();
  const rows = traffic.hosts.map((host) => hostRow(host, tally.get(host.name) ?? tally.get(host.id) ?? 0));
  const found = rows.filter((r) => holds(query.text, r.name, r.id, ...r.ips));
  found.sort((a, b) => b.alerts - a.alerts || (a.name < b.name ? -1 : 1));
  return paged(found, query, traffic.capped);
}

function hostRow({ gaps: _, lastFlow, lastEvent, ...host }: SeenHost, alerts: number): HostRow {
  const [flow, event] = [isoOf(lastFlow), isoOf(lastEvent)];
  return { ...host, alerts, ...(flow ? { lastFlow: flow } : {}), ...(event ? { lastEvent: event } : {}) };
}

/** Destinations by bytes that went there, those with alerts first. */
export async function destinationRows(
  traffic: Traffic,
  alerts: AlertIndex,
  query: RowQuery,
): Promise<Rows<DestinationRow>> {
  const { destinations: tally } = await alerts.tally();
  const found = [...traffic.destinations]
    .filter(([name, seen]) => holds(query.text, name, ...seen.programs.keys()))
    .map(([name, seen]) => ({
      name,
      hosts: seen.hosts.size,
      processes: programsOf(seen).map(({ image }) => image),
      flows: seen.flows,
      bytesOut: seen.bytesOut,
      bytesIn: seen.bytesIn,
      first: isoOf(seen.first)!,
      last: isoOf(seen.last)!,
      alerts: tally.get(name) ?? 0,
    }));
  found.sort((a, b) => b.alerts - a.alerts || b.bytesOut - a.bytesOut || (a.name < b.name ? -1 : 1));
  return paged(found, query, traffic.capped);
}

/** Fingerprints, the rarest first: those tell most about who speaks. */
export function fingerprintRows(traffic: Traffic, query: RowQuery): Rows<FingerprintRow> {
  const found = [...traffic.fingerprints]
    .filter(([ja4, seen]) => holds(query.text, ja4, ...seen.programs.keys()))
    .map(([ja4, seen]) => ({
      ja4,
      flows: seen.flows,
      hosts: seen.hosts.size,
      destinations: seen.destinations.size,
      programs: programsOf(seen),
      unnamed: seen.unnamed,
      last: isoOf(seen.last)!,
    }));
  found.sort((a, b) => a.hosts - b.hosts || a.flows - b.flows || (a.ja4 < b.ja4 ? -1 : 1));
  return paged(found, query, traffic.capped);
}

/** Programs by file name: every user may have a copy of their own. */
function programsOf({ programs }: Gathered): { image: string; flows: number }[] {
  const byName = new Map<string, { image: string; flows: number }>();
  for (const [image, flows] of programs) {
    const name = image.split(/[\\/]/).at(-1) || image;
    const known = byName.get(name.toLowerCase());
    if (known) known.flows += flows;
    else byName.set(name.toLowerCase(), { image: name, flows });
  }
  const found = [...byName.values()].sort((a, b) => b.flows - a.flows || (a.image < b.image ? -1 : 1));
  return found.slice(0, LISTED_PROGRAMS);
}

function holds(text: string, ...fields: readonly string[]): boolean {
  const wanted = text.toLowerCase();
  return wanted === '' || fields.some((field) => field.toLowerCase().includes(wanted));
}

function paged<Row>(found: readonly Row[], { offset, limit }: RowQuery, capped: string | undefined): Rows<Row> {
  const rows = found.slice(offset, offset + limit);
  return { rows, matched: found.length, offset, ...(capped === undefined ? {} : { capped }) };
}
