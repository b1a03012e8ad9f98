import { expect, it } from 'vitest';
import type { Store, StoredAlert } from '../../enrich/store/store.ts';
import { codeOf, unused } from './fixtures.ts';

export function alertContract(the: () => Store): void {
  const alert = (changes: Partial<StoredAlert>): StoredAlert => ({
    id: 'a',
    at: 1,
    revision: 1,
    body: { x: 1 },
    ...changes,
  });

  it('keeps the alert with the higher revision', async () => {
    const id = unused('alert');
    expect(await the().putAlert(alert({ id, revision: 2, body: 'two' }))).toBe(true);
    expect(await the().putAlert(alert({ id, revision: 1, body: 'one' }))).toBe(false);
    expect(await the().putAlert(alert({ id, revision: 2, body: 'two' }))).toBe(false);
    expect(await the().putAlert(alert({ id, revision: 10, body: 'ten', at: 7 }))).toBe(true);
    expect(await the().putAlert(alert({ id, revision: 3, body: 'three' }), { replace: true })).toBe(true);
    expect(await the().getAlert(id)).toEqual(alert({ id, revision: 3, body: 'three' }));
    expect(await the().putAlert(alert({ id, revision: 3, body: 'three' }), { replace: true })).toBe(false);
    expect((await the().listAlerts({ limit: 10 })).filter((each) => each.id === id)).toHaveLength(1);
    expect(await the().putAlert(alert({ id, revision: 10, body: 'ten', at: 7 }))).toBe(true);
    expect(await the().getAlert(id)).toEqual({ id, revision: 10, at: 7, body: 'ten' });
    await the().dropAlert(id);
  });

  it('lists alerts newest first, once each, before a time when asked', async () => {
    const names = ['p', 'q', 'r', 's'].map(unused);
    for (const [i, id] of names.entries()) await the().putAlert(alert({ id, at: 100 + i, revision: 1 }));
    await the().putAlert(alert({ id: names[0]!, at: 200, revision: 2 }));
    const listed = async (options: { limit: number; before?: number }) =>
      (await the().listAlerts(options)).map((a) => a.id);
    expect(await listed({ limit: 9 })).toEqual([names[0], names[3], names[2], names[1]]);
    expect(await listed({ limit: 2 })).toEqual([names[0], names[3]]);
    expect(await listed({ limit: 9, before: 103 })).toEqual([names[2], names[1]]);
    for (const id of names) await the().dropAlert(id);
    expect(await listed({ limit: 9 })).toEqual([]);
  });

  it('forgets a dropped alert and takes no offence at one it never had', async () => {
    const id = unused('alert');
    await the().putAlert(alert({ id }));
    await the().dropAlert(id);
    await the().dropAlert(id);
    await the().dropAlert('x'.repeat(5_000));
    expect(await the().getAlert(id)).toBeUndefined();
    expect(await the().listAlerts({ limit: 9 })).toEqual([]);
  });

  it('refuses an alert over its limit', async () => {
    expect(await codeOf(the().putAlert(alert({ body: 'x'.repeat(256 * 1024) })))).toBe('refused');
    expect(await codeOf(the().putAlert(alert({ id: '' })))).toBe('refused');
  });
}
