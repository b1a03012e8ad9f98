import { monotonicMillis } from '../../sensor/base/clock.ts';
import type { JoinedBody } from '../join/facts.ts';
import type { Fact, Store } from '../store/store.ts';
import type { AlertIndex } from './alert-index.ts';
import type { RowQuery } from './traffic-rows.ts';
import { hostShards, isoOf, MAX_HOSTS } from './traffic-scan.ts';
import { type FlowRow, type Rows, SEARCH_FIELDS, type SearchField } from './view.ts';

/** Joined flows of one search: of all hosts, and of one host. */
const MAX_SCANNED = 50_000;
const LEAST_OF_ONE = 50;
const MOST_OF_ONE = 10_000;
/** Flows that a search finds; the newest are kept. */
const MAX_FOUND = 5_000;
/** A search is good for this long, so that paging through it reads the store once, milliseconds. */
const GOOD_MILLIS = 30_000;
/** Alerts opened to see which flows of one page they list. */
const MAX_OPENED = 40;

export interface FlowQuery extends RowQuery {
  readonly field: SearchField;
  /** Microseconds since 1970, both included. */
  readonly from: number;
  readonly to: number;
}

interface Found {
  readonly facts: readonly Fact[];
  readonly capped: string | undefined;
}

/** Searches joined flows: one search at a time, and never more of the store than the caps above. */
export class FlowSearch {
  private readonly store: Store;
  private readonly alerts: AlertIndex;
  private key = '';
  private foundAt = Number.NEGATIVE_INFINITY;
  private found: Promise<Found> | undefined;

  constructor(store: Store, alerts: AlertIndex) {
    this.store = store;
    this.alerts = alerts;
  }

  /** Newest first. */
  async rows(query: FlowQuery): Promise<Rows<FlowRow>> {
    const { facts, capped } = await this.search(query);
    const shown = facts.slice(query.offset, query.offset + query.limit);
    const owners = await this.owners(shown);
    return {
      rows: shown.map((fact) => rowOf(fact, owners)),
      matched: facts.length,
      offset: query.offset,
      ...(capped === undefined ? {} : { capped }),
    };
  }

  private search({ text, field, from, to }: FlowQuery): Promise<Found> {
    const key = JSON.stringify([text, field, from, to]);
    if (this.found && key === this.key && monotonicMillis() - this.foundAt < GOOD_MILLIS) return this.found;
    const before = this.found?.catch(() => undefined) ?? Promise.resolve();
    const found = before.then(() => scan(this.store, holds(text.toLowerCase(), field), from, to));
    [this.key, this.foundAt, this.found] = [key, monotonicMillis(), found];
    found.catch(() => {
      if (this.found === found) this.found = undefined;
    });
    return found;
  }

  /** Alerts that list these flows, by flow id: looked for among those about the same host and destination. */
  private async owners(facts: readonly Fact[]): Promise<Map<string, string>> {
    const candidates = new Set<string>();
    for (const { body } of facts) {
      const { record, join } = body as JoinedBody;
      const { domain, ip } = record.destination;
      for (const id of await this.alerts.about([join.host?.name, join.host?.id], [domain, ip])) {
        if (candidates.size < MAX_OPENED) candidates.add(id);
      }
    }
    const owners = new Map<string, string>();
    for (const id of candidates) {
      const body = (await this.store.getAlert(id))?.body as
        | { readonly waybill?: { readonly flows?: readonly { readonly flow_id?: string }[] } }
        | undefined;
      for (const { flow_id: flow } of body?.waybill?.flows ?? []) if (flow !== undefined) owners.set(flow, id);
    }
    return owners;
  }
}

export const searchFieldOf = (text: string | null): SearchField => SEARCH_FIELDS.find((f) => f === text) ?? 'any';

async function scan(store: Store, fits: (body: JoinedBody) => boolean, from: number, to: number): Promise<Found> {
  const { shards, more } = await hostShards(store);
  const each = Math.min(MOST_OF_ONE, Math.max(LEAST_OF_ONE, Math.floor(MAX_SCANNED / Math.max(1, shards.length))));
  let found: Fact[] = [];
  let [hasLeftFlows, hasLeftFound] = [false, false];
  for (const shard of shards) {
    const facts = await store.between(shard, 'joined', from, to, each);
    hasLeftFlows ||= facts.length >= each;
    for (const fact of facts) {
      const body = fact.body as JoinedBody;
      if (body.moved !== true && fits(body)) found.push(fact);
    }
    if (found.length > 2 * MAX_FOUND) {
      found = newest(found);
      hasLeftFound = true;
    }
  }
  hasLeftFound ||= found.length > MAX_FOUND;
  const left = [
    ...(more ? [`The first ${MAX_HOSTS} hosts were searched.`] : []),
    ...(hasLeftFlows
      ? [`Of each host the newest ${each} flows of this time were searched: a shorter time reaches further.`]
      : []),
    ...(hasLeftFound ? [`The newest ${MAX_FOUND} that fit are shown.`] : []),
  ];
  return { facts: newest(found), capped: left.length > 0 ? left.join(' ') : undefined };
}

const newest = (facts: readonly Fact[]): Fact[] =>
  [...facts].sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1)).slice(0, MAX_FOUND);

/** Text anywhere in the field, whatever its case. @param wanted lower case */
function holds(wanted: string, field: SearchField): (body: JoinedBody) => boolean {
  if (wanted === '') return () => true;
  return ({ record, join }) => {
    const { source, destination, tls, network } = record;
    const fields: Readonly<Record<Exclude<SearchField, 'any'>, readonly (string | undefined)[]>> = {
      host: [join.host?.name, join.host?.id],
      process: [join.process?.image, join.process?.originalName],
      destination: [destination.domain],
      ip: [source.ip, destination.ip],
      ja4: [tls?.client?.ja4],
      community_id: [network?.community_id],
    };
    const looked = field === 'any' ? Object.values(fields).flat() : fields[field];
    return looked.some((value) => value?.toLowerCase().includes(wanted) === true);
  };
}

function rowOf({ at, body }: Fact, owners: ReadonlyMap<string, string>): FlowRow {
  const { record, join } = body as JoinedBody;
  const { source, destination, tls, network } = record;
  const alert = owners.get(record.waybill?.flow_id ?? '');
  return {
    at: isoOf(at)!,
    host: join.host?.name ?? join.host?.id ?? '',
    process: join.process?.image ?? join.process?.originalName ?? '',
    destination: destination.domain ?? '',
    address: `${destination.ip}${destination.port === undefined ? '' : ` port ${destination.port}`}`,
    bytesOut: source.bytes,
    bytesIn: destination.bytes,
    ja4: tls?.client?.ja4 ?? '',
    communityId: network?.community_id ?? '',
    ...(alert === undefined ? {} : { alert }),
  };
}
