import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { ZoneClock } from '../../enrich/ingest/zone-clock.ts';
import {
  type Json,
  mordorFlat,
  NOON,
  nxlog,
  SECURITY_SAMPLES,
  SYSMON_SAMPLES,
  sysmon,
  type WindowsEvent,
} from '../build/endpoint.ts';

function readAll(records: readonly Json[], reader = new FeedNormalizer()): EndpointEvent[] {
  return [...records.flatMap((record) => reader.normalize(record)), ...reader.drain()];
}

const onHost = (event: WindowsEvent, computer: string, minutes: number): WindowsEvent => {
  const logged = NOON + minutes * 60_000;
  const shift = (text: string) =>
    new Date(Date.parse(`${text.replace(' ', 'T')}Z`) + minutes * 60_000).toISOString().replace('T', ' ').slice(0, 23);
  const data = event.data.UtcTime === undefined ? event.data : { ...event.data, UtcTime: shift(event.data.UtcTime) };
  return { ...event, computer, logged, data };
};

/** A stream of two hosts in two zones, with every kind of clock. */
function stream(): Json[] {
  const makers = [...Object.values(SYSMON_SAMPLES), ...Object.values(SECURITY_SAMPLES)];
  const east = makers.flatMap((make, i) => [0, 20].map((more) => onHost(make(), 'EAST.example', i + more)));
  const west = makers.flatMap((make, i) =>
    [0, 20].map((more) => onHost(make(), i % 2 ? 'WEST' : 'WEST.example', i + more)),
  );
  return [...east.map((event) => nxlog(event, 5.5)), ...west.map((event) => mordorFlat(event, -5))];
}

const byId = (events: readonly EndpointEvent[]): string[] => events.map((event) => JSON.stringify(event)).sort();

describe('a log clock in an unknown zone', () => {
  it('is corrected by what other events of the same host tell, for Sysmon 3 and 22 and the Security log alike', () => {
    const events = readAll(stream());
    expect(events).toHaveLength(44);
    for (const event of events) {
      expect(event.at).toBeGreaterThanOrEqual((NOON - 1000) * 1000);
      expect(event.at).toBeLessThan((NOON + 3_600_000) * 1000);
    }
    const qualities = new Set(events.filter((event) => event.kind === 'connection').map((event) => event.timeQuality));
    expect(qualities).toEqual(new Set(['offset-corrected']));
  });

  it('gives the same events in any order of the records', () => {
    const records = stream();
    const expected = byId(readAll(records));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(records, { minLength: records.length, maxLength: records.length }),
        (shuffled) => {
          expect(byId(readAll(shuffled))).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('moves the start and the key of a process along with its time', () => {
    const start = SECURITY_SAMPLES.processStart();
    const events = readAll([mordorFlat(start, 2), mordorFlat(SYSMON_SAMPLES.processEnd(), 2)]);
    const started = events.find((event) => event.kind === 'process_start');
    expect(started).toMatchObject({
      at: NOON * 1000,
      process: { startedAt: NOON * 1000, entityId: `pid:4660@${NOON * 1000}` },
    });
  });

  it('follows the change to daylight saving inside one recording', () => {
    const change = Date.UTC(2024, 2, 10, 7);
    const at = (hours: number, make: () => WindowsEvent): Json => {
      const logged = change + hours * 3_600_000;
      const event = sysmon(
        make().id,
        { ...make().data, UtcTime: new Date(logged).toISOString().replace('T', ' ').slice(0, 23) },
        { logged },
      );
      return nxlog(event, hours < 0 ? -5 : -4);
    };
    const hours = [-6, -4, -2, 2, 4, 6];
    const records = hours.flatMap((h) => [0, 0.1, 0.2].map((more) => at(h + more, SYSMON_SAMPLES.processEnd)));
    const connections = hours.map((h) => at(h, SYSMON_SAMPLES.connection));
    const events = readAll([...connections, ...records]).filter((event) => event.kind === 'connection');
    expect(events.map((event) => (event.at / 1000 - change) / 3_600_000).sort((a, b) => a - b)).toEqual(hours);
  });

  it('falls back to the sender, then to the distance of receipt, then to a drifting clock', () => {
    const connection = SYSMON_SAMPLES.connection();
    const other = onHost(SYSMON_SAMPLES.processEnd(), 'OTHER', 0);
    const sameSender = readAll([nxlog(connection, 3), nxlog(other, 3)]).find((event) => event.kind === 'connection');
    expect(sameSender?.at).toBe(NOON * 1000);

    const received = {
      ...nxlog(connection, 3),
      UtcTime: '',
      EventReceivedTime: '2024-05-14 15:00:04',
      '@timestamp': '2024-05-14T12:00:05.100Z',
    };
    expect(readAll([received])[0]).toMatchObject({ at: NOON * 1000, timeQuality: 'offset-corrected' });

    const drifting = sysmon(3, { ...connection.data, UtcTime: '2024-05-14 11:58:58.000' });
    expect(readAll([nxlog(drifting, 3)])[0]).toMatchObject({ at: NOON * 1000, timeQuality: 'offset-corrected' });
  });

  it('is taken as written, and said to be unknown, when nothing tells', () => {
    const reader = new FeedNormalizer();
    expect(readAll([nxlog(SECURITY_SAMPLES.connection(), 3)], reader)[0]).toMatchObject({
      at: (NOON + 3 * 3_600_000) * 1000,
      timeQuality: 'received',
    });
    expect(reader.summary.unzoned).toBe(1);
  });

  it('is held for a bounded number of events only', () => {
    const reader = new FeedNormalizer({ maxHeld: 10 });
    const given = Array.from({ length: 25 }, () => reader.normalize(nxlog(SECURITY_SAMPLES.connection(), 3))).flat();
    expect(given).toHaveLength(20);
    expect(reader.drain()).toHaveLength(5);
    expect(reader.summary.releasedEarly).toBe(20);
  });

  it('keeps what it learned for the next batch', () => {
    const reader = new FeedNormalizer();
    readAll([nxlog(SYSMON_SAMPLES.processEnd(), -7)], reader);
    expect(readAll([nxlog(SECURITY_SAMPLES.connection(), -7)], reader)[0]).toMatchObject({ at: NOON * 1000 });
  });
});

describe('ZoneClock', () => {
  it('gives the same answers for the same votes in any order', () => {
    const votes = fc.array(
      fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 200 }), fc.integer({ min: -56, max: 56 })),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(votes, fc.infiniteStream(fc.nat()), (cast, keys) => {
        const shuffled = cast
          .map((v) => [keys.next().value as number, v] as const)
          .sort(([a], [b]) => a - b)
          .map(([, v]) => v);
        const [one, two] = [cast, shuffled].map((list) => {
          const clock = new ZoneClock();
          for (const [host, hour, steps] of list)
            clock.observe({ sender: 's', host }, hour * 3.6e9, hour * 3.6e9 - steps * 9e8);
          return clock;
        });
        for (let hour = 0; hour <= 200; hour += 7) {
          const source = { sender: 's', host: hour % 2 ? 'a' : 'b' };
          expect(one!.offset(source, hour * 3.6e9)).toBe(two!.offset(source, hour * 3.6e9));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('changes its mind when more votes come', () => {
    const clock = new ZoneClock();
    const source = { sender: 's', host: 'h' };
    const vote = (steps: number, times: number) => {
      for (let i = 0; i < times; i++) clock.observe(source, 3.6e9 * 10, 3.6e9 * 10 - steps * 9e8);
    };
    vote(4, 3);
    vote(8, 2);
    expect(clock.offset(source, 3.6e9 * 10)).toBe(4 * 9e8);
    vote(8, 5);
    expect(clock.offset(source, 3.6e9 * 10)).toBe(8 * 9e8);
  });

  it('ignores distances that are no zone', () => {
    const clock = new ZoneClock();
    clock.observe({ sender: 's', host: 'h' }, 77 * 86_400e6, 0);
    expect(clock.offset({ sender: 's', host: 'h' }, 0)).toBeUndefined();
  });
});
