import type { JoinedBody } from '../join/facts.ts';
import type { Store, StoredAlert } from '../store/store.ts';
import { isoOf } from './traffic-scan.ts';
import type { DestinationHistory } from './view.ts';

const DAY_MICROS = 86_400_000_000;
/** Days shown, the alert's own the last of them. */
const SHOWN_DAYS = 32;
/** Flows of the host that are looked through: the newest. */
const MAX_FLOWS = 5_000;

interface AboutDestination {
  readonly host?: { readonly id?: string };
  readonly destination?: { readonly domain?: string; readonly ip?: string };
  readonly waybill?: { readonly destination?: { readonly entity?: string } };
}

/** What went from an alert's host to its destination on each day, and since when anybody here knows that destination. */
export async function destinationHistory(store: Store, { at, body }: StoredAlert): Promise<DestinationHistory> {
  const { host, destination, waybill } = body as AboutDestination;
  const shard = `host:${host?.id ?? ''}`;
  const lastDay = Math.floor(at / DAY_MICROS);
  const firstDay = lastDay - SHOWN_DAYS + 1;
  const entity = waybill?.destination?.entity;
  const [facts, known] = await Promise.all([
    store.between(shard, 'joined', firstDay * DAY_MICROS, (lastDay + 1) * DAY_MICROS - 1, MAX_FLOWS),
    entity === undefined ? [] : store.familiarity([{ scope: 'org', destination: entity }]),
  ]);
  const days = Array.from({ length: SHOWN_DAYS }, (_, n) => ({
    day: isoOf((firstDay + n) * DAY_MICROS)!.slice(0, 10),
    flows: 0,
    bytesOut: 0,
  }));
  for (const fact of facts) {
    const { record, moved } = fact.body as JoinedBody;
    const isThere =
      destination?.domain === undefined
        ? record.destination.ip === destination?.ip
        : record.destination.domain === destination.domain;
    const day = days[Math.floor(fact.at / DAY_MICROS) - firstDay];
    if (!isThere || moved === true || day === undefined) continue;
    day.flows++;
    day.bytesOut += record.source.bytes;
  }
  const first = known[0]?.firstDay;
  return {
    name: destination?.domain ?? destination?.ip ?? '',
    days,
    ...(first === undefined ? {} : { knownSince: isoOf(first * DAY_MICROS)!.slice(0, 10) }),
    ...(facts.length >= MAX_FLOWS ? { capped: `Only the newest ${MAX_FLOWS} flows of the host were looked at.` } : {}),
  };
}
