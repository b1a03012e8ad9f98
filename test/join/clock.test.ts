import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOCK_MIN_MATCHES, CLOCK_STEP, learnClock, type MatchBody } from '../../enrich/join/clock.ts';
import type { Fact, StoredAlert } from '../../enrich/store/store.ts';
import { alertsAfter, alertsAhead, alertsOfAll, HOUR, MINUTE, SECOND, shifted, theft } from './world.ts';

let serial = 0;
const match = (offset: number, event = `e${serial++}`): Fact => ({
  shard: 'host:ws01',
  kind: 'match',
  id: `f${serial++}`,
  at: 0,
  keys: [],
  version: 1,
  body: { event, offset } satisfies MatchBody,
});

interface Body {
  readonly waybill: { readonly join: Record<string, unknown>; readonly score_db: number };
}
const bodyOf = (alert: StoredAlert): Body => alert.body as Body;

/** The alert without the offset itself, which is what may differ. */
function withoutOffset(alerts: readonly StoredAlert[]): string {
  return JSON.stringify(alerts, (key, value: unknown) => (key === 'clock_offset_seconds' ? undefined : value));
}

describe('a host clock', () => {
  it('is not judged by fewer than twenty matches', () => {
    const few = Array.from({ length: CLOCK_MIN_MATCHES - 1 }, () => match(300 * SECOND));
    expect(learnClock(few)).toMatchObject({ state: 'unknown', offset: 0 });
    expect(learnClock([...few, match(300 * SECOND)])).toMatchObject({ state: 'learned', offset: 300 * SECOND });
  });

  it('is the same for any order of the matches, and no quarter of wrong ones moves it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -170, max: 170 }),
        fc.array(fc.integer({ min: -6 * 3600, max: 6 * 3600 }), { maxLength: 9 }),
        (steps, wrong) => {
          const right = Array.from({ length: 40 }, () => match(steps * CLOCK_STEP));
          const all = [...right, ...wrong.map((seconds) => match(seconds * SECOND))];
          const clock = learnClock(all);
          expect(clock.offset + 0).toBe(steps * CLOCK_STEP + 0);
          expect(learnClock([...all].reverse())).toEqual(clock);
        },
      ),
    );
  });

  it('is not learned from an event that fits two flows, nor from offsets without agreement', () => {
    const twice = Array.from({ length: 40 }, (_, i) => match(100 * SECOND, `same-${i % 20}`));
    expect(learnClock(twice)).toMatchObject({ state: 'unknown', matches: 0 });
    const scattered = Array.from({ length: 40 }, (_, i) => match(i * 10 * SECOND));
    expect(learnClock(scattered)).toMatchObject({ state: 'unknown', offset: 0 });
  });
});

describe('a host whose clock is wrong', () => {
  it('by a constant up to five minutes gives the same alerts as with a right one', async () => {
    const { flows, events } = theft();
    const expected = await alertsAfter([[...flows, ...events]]);
    expect(expected).toHaveLength(1);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -60, max: 60 }), async (steps) => {
        const offset = steps * CLOCK_STEP;
        const alerts = await alertsAfter([[...flows, ...shifted(events, offset)]]);
        expect(withoutOffset(alerts)).toBe(withoutOffset(expected));
        expect(bodyOf(alerts[0]!).waybill.join['clock_offset_seconds']).toBe(steps === 0 ? undefined : offset / SECOND);
      }),
      { numRuns: 6 },
    );
  });

  it('by any number of milliseconds gives the same alert with the score within half a decibel', async () => {
    const { flows, events } = theft();
    const [expected] = await alertsAfter([[...flows, ...events]]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -300_000, max: 300_000 }), async (millis) => {
        const alerts = await alertsAfter([[...flows, ...shifted(events, millis * 1000)]]);
        expect(alerts.map((alert) => alert.id)).toEqual([expected!.id]);
        expect(Math.abs(bodyOf(alerts[0]!).waybill.score_db - bodyOf(expected!).waybill.score_db)).toBeLessThan(0.5);
      }),
      { numRuns: 6 },
    );
  });

  it('is corrected too when the matches come after the theft was judged', async () => {
    const { flows, events } = theft();
    const wrong = shifted(events, -4 * MINUTE);
    const whole = await alertsAfter([[...flows, ...wrong]]);
    const late = await alertsAfter([
      [flows.at(-1)!, ...wrong.slice(-5)],
      [...flows, ...wrong],
    ]);
    expect(withoutOffset(late)).toBe(withoutOffset(whole));
    expect(bodyOf(late[0]!).waybill.join['clock_offset_seconds']).toBe(-240);
  });

  it('by hours names no process and says why: the candidate is listed under method clock', async () => {
    const { flows, events } = theft();
    for (const offset of [2 * HOUR, -2 * HOUR]) {
      for (const { body } of await alertsAfter([[...flows, ...shifted(events, offset)]])) {
        expect(body).not.toHaveProperty('process');
        expect(body).toMatchObject({ waybill: { join: { method: 'clock', candidates: [{ entity_id: 'sender' }] } } });
      }
    }
  });
});

describe('alerts', () => {
  it('are the same for every order, repetition and division into settles of the same facts, put between them or meanwhile', async () => {
    const { flows, events } = theft();
    const all = [...flows, ...shifted(events, 2 * MINUTE)];
    const expected = withoutOffset(await alertsAfter([all]));
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.subarray(all, { maxLength: 8 }),
        fc.array(fc.nat(all.length), { maxLength: 6 }),
        fc.constantFrom(alertsAfter, alertsAhead, alertsOfAll, alertsOfAll),
        async (shuffled, repeated, cuts, alertsOf) => {
          const items = [...shuffled, ...repeated];
          const places = [0, ...cuts.sort((a, b) => a - b), items.length];
          const steps = places.slice(1).map((to, index) => items.slice(places[index], to));
          expect(withoutOffset(await alertsOf(steps))).toBe(expected);
        },
      ),
      { numRuns: 36 },
    );
  });
});
