import { expect, it } from 'vitest';
import { withdrawalOf } from '../../enrich/alert/withdrawn.ts';
import { Enricher } from '../../enrich/enricher.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';
import { putAll, theft } from '../join/world.ts';

const { flows, events } = theft();
const defaults = defaultSettings();
/** So that what is known before the sender is enough. */
const settings = { ...defaults, score: { ...defaults.score, prior: 0.05 } };
/** Who sent it is told of last. */
const isOfSender = (event: (typeof events)[number]): boolean =>
  'process' in event && event.process.entityId === 'sender';

it('an alert whose sender becomes known is withdrawn in favour of the one that names him', async () => {
  const dropped: [StoredAlert, string | undefined][] = [];
  const store = openMemory();
  const enricher = new Enricher(store, settings, async (alert, heir) => void dropped.push([alert, heir]));
  await putAll(enricher, [...flows, ...events.filter((event) => !isOfSender(event))]);
  const [early] = await enricher.settle();
  expect(early?.body).not.toHaveProperty('process');
  await putAll(enricher, events.filter(isOfSender));
  const [named] = await enricher.settle();
  expect(named?.body).toMatchObject({ process: { entity_id: 'sender' } });
  expect(dropped.map(([{ id }, heir]) => [id, heir])).toEqual([[early!.id, named!.id]]);

  const withdrawal = withdrawalOf(...dropped[0]!);
  expect(withdrawal.id).toBe(early!.id);
  expect(withdrawal.body).toMatchObject({
    message: expect.stringMatching(new RegExp(`^Withdrawn: .* Alert ${named!.id} takes its place\\.$`)),
    waybill: { state: 'withdrawn', replaced_by: named!.id },
  });
  expect(withdrawalOf(early!).body).not.toHaveProperty('waybill.replaced_by');
});
