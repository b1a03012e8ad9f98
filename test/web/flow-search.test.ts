import { beforeAll, describe, expect, it } from 'vitest';
import { openMemory } from '../../enrich/store/memory.ts';
import { AlertIndex } from '../../enrich/web/alert-index.ts';
import { type FlowQuery, FlowSearch } from '../../enrich/web/flow-search.ts';
import { alertAbout, joinedFlow } from '../build/console.ts';

const store = openMemory();
const search = new FlowSearch(store, new AlertIndex(store, () => 0));
const EVERYTHING: FlowQuery = {
  ...{ text: '', field: 'any', offset: 0, limit: 50, from: 0, to: Number.MAX_SAFE_INTEGER },
};
const FLOWS = 5_200;

beforeAll(async () => {
  for (let n = 0; n < FLOWS; n++) {
    const fact = joinedFlow(1, 'word-1');
    await store.put([{ ...fact, id: `flow-${n}`, at: fact.at + n }]);
  }
  await store.put([joinedFlow(2, 'word-2')]);
  const { shard, kind, id, at, body } = joinedFlow(3, 'word-3');
  const given = body as { readonly record: object };
  const record = { ...given.record, waybill: { flow_id: 'word-3' } };
  await store.put([{ shard, kind, id, at, keys: [], version: 2, body: { ...given, record } }]);
  for (const n of [1, 2, 3]) await store.putAlert(alertAbout(n));
}, 60_000);

describe('a search over waybills', () => {
  it('says what its cap left out, and pages through the newest', async () => {
    const { matched, capped, rows } = await search.rows(EVERYTHING);
    expect([matched, rows.length]).toEqual([5_000, 50]);
    expect(capped).toBe('The newest 5000 that fit are shown.');
    const last = await search.rows({ ...EVERYTHING, offset: 4_990 });
    expect(last.rows).toHaveLength(10);
    expect(last.rows[0]!.at < rows[0]!.at).toBe(true);
  });

  it('names the alert that lists a flow, and none for a flow that none lists', async () => {
    const listed = await search.rows({ ...EVERYTHING, text: 'WORD-3' });
    expect(listed.rows).toMatchObject([{ alert: alertAbout(3).id, host: 'word-3' }]);
    const other = await search.rows({ ...EVERYTHING, text: 'word-2' });
    expect(other.rows).toHaveLength(1);
    expect(other.rows[0]).not.toHaveProperty('alert');
  });

  it.each([
    ['host', 'word-2', 1],
    ['process', 'word-2', 1],
    ['ja4', 'word-2', 1],
    ['destination', '198.51.100.7', 0],
    ['ip', '198.51.100.7', 5_000],
    ['community_id', 'word-2', 0],
    ['any', '.*', 0],
  ] as const)('looks for text in %s as it stands: %s', async (field, text, matched) => {
    expect((await search.rows({ ...EVERYTHING, field, text })).matched).toBe(matched);
  });

  it('keeps to the time asked for', async () => {
    const { at } = joinedFlow(1, '');
    const { rows } = await search.rows({ ...EVERYTHING, text: 'word-1', from: at + 5, to: at + 6 });
    expect(rows).toHaveLength(2);
  });
});
