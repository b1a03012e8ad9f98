import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { datesOf, inOrder, orderIn } from '../../enrich/ingest/date-order.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { UndatedRecords } from '../../enrich/ingest/undated-records.ts';
import { asimRow } from '../build/edr-records.ts';
import { classicText, type Json, mordorFlat, SECURITY_SAMPLES, SYSMON_SAMPLES, sysmon } from '../build/endpoint.ts';
import { mdeRow } from '../build/feed-records.ts';

interface Found {
  readonly times: readonly string[];
  readonly ambiguous: number;
}

const iso = ({ at }: EndpointEvent): string => new Date(at / 1000).toISOString().slice(0, 19);

function found(records: readonly unknown[], reader = new FeedNormalizer()): Found {
  const events = [...records.flatMap((record) => reader.normalize(record)), ...reader.drain()];
  return { times: events.map(iso).sort(), ambiguous: reader.summary.ambiguousDates };
}

/** A row whose only time is this. */
const row = (time: string, more: Json = {}): Json => {
  const full = asimRow('ProcessEvent', 'ProcessCreated', { TargetProcessName: 'C:\\x.exe', TargetProcessId: '4660' });
  delete full.TimeGenerated;
  return { ...full, EventStartTime: time, ...more };
};

/** The Security log, whose time is the log's, with a date of its locale. */
const logged = (time: string): Json => {
  const flat = mordorFlat(SECURITY_SAMPLES.processStart());
  delete flat['@timestamp'];
  return { ...flat, TimeCreated: time };
};

/** An event in classic text. */
const text = (date: string): string =>
  classicText(date, 4689, [
    'A process has exited.',
    '',
    'Process Information:',
    '\tProcess ID:\t0x1234',
    '\tProcess Name:\tC:\\x.exe',
  ]);

const MAY = '2024-05-06T10:00:00';
const JUNE = '2024-06-05T10:00:00';

describe('a date that may have the day or the month first', () => {
  it('is in the order that another record of the stream proves, be it before or after', () => {
    expect(found([row('05/06/2024 10:00:00'), row('14/06/2024 10:00:00')])).toEqual({
      times: [JUNE, '2024-06-14T10:00:00'],
      ambiguous: 0,
    });
    expect(found([row('06/14/2024 10:00:00'), row('05/06/2024 10:00:00')])).toEqual({
      times: [MAY, '2024-06-14T10:00:00'],
      ambiguous: 0,
    });
  });

  it('has the month first when nothing tells, and is counted', () => {
    expect(found([row('05/06/2024 10:00:00')])).toEqual({ times: [MAY], ambiguous: 1 });
  });

  it('has the month first when the stream proves both, and is counted', () => {
    const both = [row('14/06/2024 10:00:00'), row('06/15/2024 10:00:00')];
    expect(found([...both, row('05/06/2024 10:00:00')])).toEqual({
      times: [MAY, '2024-06-14T10:00:00', '2024-06-15T10:00:00'],
      ambiguous: 1,
    });
  });

  it('needs no proof when both readings are one day', () => {
    expect(found([row('05/05/2024 10:00:00'), row('05-05-2024 11:00:00')])).toEqual({
      times: ['2024-05-05T10:00:00', '2024-05-05T11:00:00'],
      ambiguous: 0,
    });
  });

  it('is read with dashes once its order is known, and gives no event before', () => {
    expect(found([row('05-06-2024 10:00:00.123 +02:00'), row('14-06-2024 10:00:00')]).times).toEqual([
      '2024-06-05T08:00:00',
      '2024-06-14T10:00:00',
    ]);
    const reader = new FeedNormalizer();
    expect(found([row('05-06-2024 10:00:00')], reader)).toEqual({ times: [], ambiguous: 1 });
    expect(reader.summary.rejected.total).toBe(1);
  });

  it.each([
    ['its own time in UTC', { UtcTime: '2024-06-05 08:00:00.123' }, JUNE],
    ['its own time in UTC, the month first', { UtcTime: '2024-05-06 08:00:00.123' }, MAY],
    ['the time it was taken in', { TimeGenerated: '2024-06-05T12:00:00Z' }, JUNE],
    ['a count of seconds', { unixTime: 1_717_581_600 }, JUNE],
    ['a time in an object of the record', { data: { UtcTime: '2024-06-05 08:00:00.123' } }, JUNE],
    ['the time in its message', { Message: 'Process Create:\r\nUtcTime: 2024-06-05 08:00:00.123\r\nx' }, JUNE],
  ])('is in the order that the record proves by %s', (_, more, expected) => {
    expect(found([row('05/06/2024 10:00:00', more)])).toEqual({ times: [expected], ambiguous: 0 });
  });

  it('is not told by a time that is far from both readings, is that of another thing, or by two that are near one each', () => {
    expect(found([row('05/06/2024 10:00:00', { TimeGenerated: '2021-06-05T00:00:00Z' })]).ambiguous).toBe(1);
    const older = { ProcessCreationTime: '2024-05-06T00:00:00Z', CreationUtcTime: '2024-05-06 00:00:00' };
    expect(found([row('05/06/2024 10:00:00', older)]).ambiguous).toBe(1);
    expect(
      found([row('05/06/2024 10:00:00', { A_time: '2024-05-06T10:00:00', B_time: '2024-06-05T10:00:00' })]),
    ).toEqual({ times: [MAY], ambiguous: 1 });
  });

  it('is told by the time of its envelope', () => {
    expect(found([{ time: 1_717_581_600, event: row('05/06/2024 10:00:00') }])).toEqual({
      times: [JUNE],
      ambiguous: 0,
    });
  });

  it('proves its own order, whatever another of its record proves', () => {
    expect(found([row('13/06/2024 10:00:00', { Updated: '06/14/2024 10:00:00' })])).toEqual({
      times: ['2024-06-13T10:00:00'],
      ambiguous: 0,
    });
  });

  it("is told to the stream by a record's own evidence", () => {
    const proof = row('05/06/2024 10:00:00', { UtcTime: '2024-06-05 10:00:00' });
    expect(found([logged('07/06/2024 10:00:00'), proof])).toEqual({
      times: [JUNE, '2024-06-07T10:00:00'],
      ambiguous: 0,
    });
  });

  it('leaves the UTC time of Sysmon as it is', () => {
    const event = sysmon(1, { ...SYSMON_SAMPLES.processStart().data, UtcTime: '2024-06-05 10:00:00.000' });
    const flat = mordorFlat(event);
    delete flat['@timestamp'];
    expect(found([{ ...flat, TimeCreated: '05/06/2024 12:00:00' }])).toEqual({ times: [JUNE], ambiguous: 0 });
  });

  it('is the first line of classic text', () => {
    expect(found([text('05/06/2024 10:00:00'), text('14/06/2024 10:00:00')])).toEqual({
      times: [JUNE, '2024-06-14T10:00:00'],
      ambiguous: 0,
    });
    expect(found([text('05/06/2024 10:00:00 AM')])).toEqual({ times: [MAY], ambiguous: 1 });
    expect(found([{ event: { original: text('05/06/2024 10:00:00') } }, text('14/06/2024 10:00:00')]).times[0]).toBe(
      JUNE,
    );
  });

  it('waits in the text that a record keeps, too', () => {
    const original = text('05/06/2024 10:00:00');
    const reader = new FeedNormalizer();
    expect(found([{ ingested_time: '05/06/2024 10:00:00', event: { original } }], reader).times).toEqual([MAY]);
  });

  it('is a cell of a table', () => {
    const cells = ['05/06/2024 10:00:00', '14/06/2024 10:00:00'].map((time) =>
      Object.values({ ...mdeRow('ProcessCreated', { FileName: 'x.exe', ProcessId: 4660 }), Timestamp: time }),
    );
    const header = Object.keys(mdeRow('ProcessCreated', { FileName: '', ProcessId: 0 }));
    const table = [header, ...cells].map((line) => line.join(',')).join('\r\n');
    const reader = new TextReader(new FeedNormalizer(), {});
    expect([...reader.push(table), ...reader.end()].map(iso).sort()).toEqual([JUNE, '2024-06-14T10:00:00']);
  });

  it('waits within the cap of what may be held', () => {
    const reader = new FeedNormalizer({ maxHeld: 2 });
    const records = ['05/06/2024 10:00:00', '05/07/2024 10:00:00', '14/06/2024 10:00:00', '05/06/2024 10:00:00'];
    expect(
      found(
        records.map((time) => row(time)),
        reader,
      ),
    ).toEqual({
      times: [MAY, '2024-05-07T10:00:00', JUNE, '2024-06-14T10:00:00'],
      ambiguous: 2,
    });
    expect(reader.summary.releasedEarly).toBe(2);
  });

  it('gives the same events in any order of the records', () => {
    const times = ['05/06/2024 10:00:00', '01/02/2024 10:00:00', '14/06/2024 10:00:00', '07-08-2024 10:00:00'];
    const records = [...times.map((time) => row(time)), ...times.slice(0, 2).map(logged)];
    const expected = found(records);
    expect(expected).toMatchObject({ ambiguous: 0, times: { length: 6 } });
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: 6, maxLength: 6 }), (shuffled) => {
        expect(found(shuffled)).toEqual(expected);
      }),
    );
  });
});

describe('the order of dates', () => {
  it('is proven by each date whose day is above twelve, and written the same way back', () => {
    const day = fc.integer({ min: 1, max: 31 });
    fc.assert(
      fc.property(day, fc.integer({ min: 1, max: 12 }), fc.constantFrom('/', '-'), (d, m, mark) => {
        const dayFirst = `${d}${mark}${m}${mark}2024 10:00:00`;
        const order = orderIn([dayFirst], []);
        if (d > 12) expect(order).toBe('day-first');
        else expect(order).toBe(d === m ? undefined : 'either');
        expect(inOrder(dayFirst, 'day-first')).toBe(`${m}/${d}/2024 10:00:00`);
        expect(inOrder(`${m}${mark}${d}${mark}2024 10:00:00`, 'month-first')).toBe(`${m}/${d}/2024 10:00:00`);
      }),
    );
  });

  it('is proven by thirteen, not by twelve', () => {
    expect(orderIn(['13/06/2024 10:00:00'], [])).toBe('day-first');
    expect(orderIn(['06/13/2024 10:00:00'], [])).toBe('month-first');
    expect(orderIn(['12/06/2024 10:00:00'], [])).toBe('either');
    expect(orderIn(['13/14/2024 10:00:00'], [])).toBeUndefined();
  });

  it('is asked only of fields that hold a time', () => {
    const date = '05/06/2024 10:00:00';
    const record = { EventTime: date, Message: date, CommandLine: date, Time: `${date}${'x'.repeat(48)}`, date: 7 };
    expect([...(datesOf(record) ?? [])]).toEqual([['EventTime', date]]);
    expect(datesOf({ EventTime: '2024-06-05 10:00:00', time: '1.2.2024 10:00:00' })).toBeUndefined();
  });

  it('takes no time of any text', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string({ maxLength: 60 }), fc.jsonValue())), (record) => {
        const dates = datesOf(record);
        orderIn(dates?.values() ?? [], []);
        found([record, { time: `1/2/2024 ${JSON.stringify(record)}` }]);
      }),
    );
  });
});

describe('records that wait', () => {
  it('count with their characters until they are released', () => {
    const records = new UndatedRecords<undefined>();
    const waiting = { chars: 7, origin: undefined, read: () => [] };
    records.hold(waiting);
    records.hold(waiting);
    expect([records.count, records.chars]).toEqual([2, 14]);
    expect(records.release()).toEqual({ records: [waiting, waiting], order: undefined });
    expect([records.count, records.chars]).toEqual([0, 0]);
  });
});
