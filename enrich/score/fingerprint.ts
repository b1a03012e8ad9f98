import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { ja4Core, ja4Family } from '../evidence/ja4-family.ts';
import type { TlsFamily } from '../evidence/ja4-table.ts';
import { knownBy } from '../evidence/novelty.ts';
import type { Tables } from '../evidence/tables.ts';
import type { FamiliarityKey, Store } from '../store/store.ts';

/** Days with handshakes of a program from which a new one is unusual for it. */
const ENOUGH_DAYS = 7;
const HISTORY_DAYS = 30;
/** Fingerprints of one episode that are looked at. */
const MAX_FINGERPRINTS = 4;
const FAMILIES: readonly TlsFamily[] = [
  'chromium',
  'gecko',
  'schannel',
  'go',
  'python',
  'openssl',
  'java',
  'node',
  'gnutls',
];

/** A handshake and what the past says of it for this program. */
export interface Fingerprint {
  readonly ja4: string;
  readonly flowId: string;
  /** Library, where our table knows it. */
  readonly family?: TlsFamily;
  /** Libraries that this program was seen with before, when its history is long enough and does not hold this one. */
  readonly usual: readonly TlsFamily[];
}

/** What a flow teaches of its program's handshakes: only what an exact match attributes. */
export function fingerprintKeys(identity: string, record: FlowRecord, tables: Tables): FamiliarityKey[] {
  const ja4 = record.tls?.client?.ja4;
  if (ja4 === undefined || identity === 'unknown') return [];
  const scope = `ja4:${identity}`;
  const family = ja4Family(ja4, tables.ja4);
  return [
    { scope, destination: `ja4:${ja4Core(ja4)}` },
    ...(family === undefined ? [] : [{ scope, destination: `family:${family}` }]),
  ];
}

/** Reads what is known of the handshakes of an episode as of the day before it. */
export async function fingerprintsOf(
  store: Store,
  identity: string,
  records: readonly FlowRecord[],
  day: number,
  tables: Tables,
): Promise<Fingerprint[]> {
  const byJa4 = new Map<string, string>();
  for (const record of records) {
    const ja4 = record.tls?.client?.ja4;
    if (ja4 !== undefined && !byJa4.has(ja4)) byJa4.set(ja4, record.waybill.flow_id);
  }
  const scope = `ja4:${identity}`;
  const days = identity === 'unknown' ? [] : await store.novelty(scope, day - HISTORY_DAYS, day - 1);
  const keys = FAMILIES.map((family) => ({ scope, destination: `family:${family}` }));
  const known = days.length < ENOUGH_DAYS ? [] : await store.familiarity(keys);
  const usual = FAMILIES.filter((_, index) => knownBy(known[index], day - 1).met);
  return Promise.all(
    [...byJa4].slice(0, MAX_FINGERPRINTS).map(async ([ja4, flowId]): Promise<Fingerprint> => {
      const family = ja4Family(ja4, tables.ja4);
      const [seen] = await store.familiarity([{ scope, destination: `ja4:${ja4Core(ja4)}` }]);
      const unusual = family !== undefined && !usual.includes(family) && !knownBy(seen, day - 1).met;
      return { ja4, flowId, ...(family === undefined ? {} : { family }), usual: unusual ? usual : [] };
    }),
  );
}
