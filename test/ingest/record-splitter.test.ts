import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RECORD_CHARS, parseJson } from '../../enrich/ingest/json-object.ts';
import { RecordSplitter } from '../../enrich/ingest/record-splitter.ts';
import type { RawRecord } from '../../enrich/ingest/text-window.ts';
import { eventXml, SYSMON_SAMPLES } from '../build/endpoint.ts';

interface Split {
  readonly records: RawRecord[];
  readonly damage: [offset: number, why: string][];
}

function split(...chunks: readonly string[]): Split {
  const found: Split = { records: [], damage: [] };
  const splitter = new RecordSplitter({
    record: (raw) => found.records.push(raw),
    damage: (offset, why) => found.damage.push([offset, why]),
  });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return found;
}

const texts = (found: Split): unknown[] => found.records.map((raw) => raw.row ?? raw.text);
const values = (found: Split): unknown[] => found.records.map((raw) => raw.row ?? JSON.parse(raw.text ?? 'null'));

const a = { a: 1, deep: { list: [1, { x: '}]"\\' }] } };
const b = { b: 'x\n{"y":1}' };
const line = (value: unknown): string => JSON.stringify(value);
const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

describe('the splitter', () => {
  it.each([
    ['lines', `${line(a)}\n${line(b)}\n`],
    ['lines with CRLF and blank ones', `\r\n${line(a)}\r\n\r\n${line(b)}`],
    ['an array', line([a, b])],
    ['a pretty array', pretty([a, b])],
    ['an array over lines', `[\n${line(a)},\n${line(b)}\n]\n`],
    ['concatenated', line(a) + line(b)],
    ['pretty and concatenated', `${pretty(a)}\n${pretty(b)}`],
    ['two arrays', `${line([a])}\n${line([b])}`],
    ['record separators', `\x1e${line(a)}\n\x1e${line(b)}\n`],
    [
      'lines behind syslog headers',
      `<134>1 2024-05-14T12:00:00Z h app - - - ${line(a)}\n<134>May 14 12:00:00 h app: ${line(b)}\n`,
    ],
    ['the headings of evtx_dump', `Record 1\n${pretty(a)}\nRecord 2\n${pretty(b)}\n`],
    ['a byte order mark', `\ufeff${line(a)}\n${line(b)}`],
  ])('cuts %s', (_name, text) => {
    expect(values(split(text))).toEqual([a, b]);
    expect(split(text).damage).toEqual([]);
  });

  it.each([
    ['lines', (xml: string) => `${xml}\n${xml}\n`],
    ['concatenated', (xml: string) => xml + xml],
    ['a root', (xml: string) => `<?xml version="1.0"?>\n<Events>\n${xml}\n<!-- between --> ${xml}\n</Events>`],
    ['a root with a namespace', (xml: string) => `<Events xmlns="x">${xml}${xml}</Events>`],
    ['lines with a header', (xml: string) => `May 14 12:00:00 host ${xml}\nMay 14 12:00:01 host ${xml}`],
  ])('cuts Event XML in %s', (_name, wrap) => {
    const xml = eventXml(SYSMON_SAMPLES.connection());
    expect(texts(split(wrap(xml)))).toEqual([xml, xml]);
    expect(split(wrap(xml)).damage).toEqual([]);
  });

  it('cuts JSON and XML that are mixed', () => {
    const xml = eventXml(SYSMON_SAMPLES.connection());
    expect(texts(split(`${line(a)}\n${xml}\n${line(a)}\n`))).toEqual([line(a), xml, line(a)]);
  });

  it('cuts classic text where the next event begins', () => {
    const event = (n: number) =>
      `05/14/2024 0${n}:00:00 AM\nLogName=Security\nEventCode=4688\nMessage=A new process.\n\nSubject:\n\tName:\t{x}\n\n`;
    const found = split(event(1) + event(2) + event(3));
    expect(texts(found)).toEqual([event(1), event(2), event(3)]);
    const wevtutil = (n: number) => `Event[${n}]:\n  Log Name: Security\n  Event ID: 5156\n\n`;
    expect(texts(split(wevtutil(0) + wevtutil(1)))).toEqual([wevtutil(0), wevtutil(1)]);
  });

  it('gives the elements of a batch that is larger than a record may be one by one', () => {
    const element = { pad: 'x'.repeat(1000) };
    const batch = { schema: [1], records: new Array(3000).fill(element), after: { more: [1] } };
    const found = split(`${line(batch)}\n${line(a)}\n`);
    expect(found.records).toHaveLength(3001);
    expect(found.damage).toEqual([]);
    expect(JSON.parse(found.records.at(-1)!.text!)).toEqual(a);
  });

  describe('of a table that is larger than a record may be', () => {
    const ROWS = 3_000;
    const rows = Array.from({ length: ROWS }, (_, i) => [i, `x${'y'.repeat(900)}`, [{ deep: i }]]);
    const objects = rows.map(([n, text, list]) => ({ n, text, list }));
    const names = ['n', 'text', 'list'];
    const other = { name: 'Other', columns: [{ name: 'z' }], rows: [[1]] };
    const table = { name: 'PrimaryResult', columns: names.map((name) => ({ name, type: 'string' })), rows };
    const tables: readonly (readonly [string, unknown])[] = [
      ['Log Analytics', { tables: [table, other], statistics: { rows: [[1]] } }],
      [
        'Kusto',
        { Tables: [{ TableName: 'Table_0', Columns: names.map((name) => ({ ColumnName: name })), Rows: rows }, other] },
      ],
      [
        'a frame of Kusto',
        { FrameType: 'DataTable', Columns: names.map((ColumnName) => ({ ColumnName })), Rows: rows, IsLast: true },
      ],
      ['one that a record holds', { answer: { columns: [{ name: 'n' }, { name: 'text' }, { name: 'list' }], rows } }],
    ];

    it.each(tables)('gives the rows one by one as objects: %s', (_, value) => {
      for (const text of [line(value), pretty(value), pretty([value])]) {
        const found = split(`${text}\n${line(a)}\n`);
        expect(found.damage).toEqual([]);
        expect(values(found)).toEqual([...objects, a]);
      }
    });

    it('says the same however it arrives, and where it is cut off', () => {
      const text = line(tables[0]![1]);
      const cut = text.slice(0, text.lastIndexOf('"deep":2999') - 20);
      for (const size of [1_000, 65_536, 700_001]) {
        const chunks = (of: string) => of.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
        expect(values(split(...chunks(text)))).toEqual(objects);
        const broken = split(...chunks(cut));
        expect(values(broken)).toEqual(objects.slice(0, -1));
        expect(broken.damage).toHaveLength(1);
      }
    });

    it('takes no columns of another object for its own, and no rows for records without columns', () => {
      const without = { tables: [other, { name: 'x', rows }] };
      expect(values(split(line(without)))).not.toContainEqual(expect.objectContaining({ z: 0 }));
      expect(split(line({ columns: 'n', rows })).records.every(({ row }) => row === undefined)).toBe(true);
    });

    it('loses a row that is no array of values, and no other', () => {
      const [head, tail] = line({ columns: [{ name: 'n' }], rows: [['cut', 'here'], ...rows] }).split('["cut","here"]');
      const found = split(`${head}["a" "b"],[1,{"x":}],[7]${tail}`);
      expect(values(found).filter((value) => typeof (value as { n: unknown }).n === 'number')).toHaveLength(ROWS + 1);
      expect(found.damage.map(([, why]) => why)).toEqual(['not JSON', 'not JSON']);
    });
  });

  it('says the same of a text however it arrives', () => {
    const xml = eventXml(SYSMON_SAMPLES.connection());
    const piece = fc.constantFrom(
      line(a),
      pretty(b),
      line([a, b]),
      xml,
      '{"cut": "o',
      '{"cut":',
      'junk',
      '<Event><x',
      ']',
      '{"records":[',
      '"',
      '\n',
      '\n',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.array(fc.nat({ max: 300 }), { maxLength: 20 }),
        (pieces, cuts) => {
          const text = pieces.join('\n');
          const chunks: string[] = [];
          let at = 0;
          for (const cut of cuts) {
            chunks.push(text.slice(at, at + cut));
            at += cut;
          }
          chunks.push(text.slice(at));
          expect(split(...chunks)).toEqual(split(text));
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('a damaged record', () => {
  const good = (n: number) => ({ n, s: 'x{"', o: { l: [1, { m: null }] } });
  const whole = line({ k: 'v"{', o: { l: [{ a: 'x' }, 2] }, z: [[1], {}] });
  /**
   * A line cut off anywhere, or what can stand on a line by mistake. No lone brace that closes: with one, a line cut off behind a
   * colon and the good line after it are one object that nobody could tell from a pretty-printed one.
   */
  const damaged = fc.oneof(
    fc.integer({ min: 1, max: whole.length - 1 }).map((cut) => whole.slice(0, cut)),
    fc.constantFrom('not json', '{', ']', '{]', '{"a":1]', '{"a"}{', '\u0000', '"', '{{', '{"a":[}', 'x'.repeat(5000)),
  );

  it('loses only itself between good lines', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant(undefined), damaged), { minLength: 1, maxLength: 20 }), (plan) => {
        let n = 0;
        const lines = plan.map((bad) => bad ?? line(good(n++)));
        const found = split(lines.join('\n'));
        const parsed = found.records.map((raw) => parseJson(raw.text ?? ''));
        const kept = parsed.flatMap((json) =>
          json.ok && Object.hasOwn(json.value as object, 'n') ? [json.value] : [],
        );
        expect(kept).toEqual(Array.from({ length: n }, (_, i) => good(i)));
        if (n < plan.length) expect(found.damage.length + parsed.filter((json) => !json.ok).length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('does not take the lines after it along, however many there are', () => {
    const lines = Array.from({ length: 3000 }, (_, n) => line({ n, pad: 'x'.repeat(1000) }));
    for (const cut of ['{"a":', '{"a":[1', '{"a":{"b":"c"']) {
      const found = split(`${cut}\n${lines.join('\n')}\n`);
      expect(found.records).toHaveLength(3000);
      expect(found.damage.map(([, why]) => why)).toEqual(['cut off']);
    }
  });

  it('is named with its place', () => {
    expect(split(`${line(a)}\n{"cut": "of\n${line(b)}\n`)).toMatchObject({
      records: [{ offset: 0 }, { offset: line(a).length + 13 }],
      damage: [[line(a).length + 1, 'cut off inside a string']],
    });
  });

  it('is one that is longer than 1 MiB, and the next line is read', () => {
    const long = line({ x: 'y'.repeat(MAX_RECORD_CHARS) });
    const found = split(`${line(a)}\n${long}\n${line(b)}\n`);
    expect(values(found)).toEqual([a, b]);
    expect(found.damage.map(([, why]) => why)).toEqual(['longer than 1 MiB']);
  });

  it('is one that is nested too deeply', () => {
    const found = split(`${'{"a":'.repeat(70)}1${'}'.repeat(70)}\n${line(b)}\n`);
    expect(values(found)).toEqual([b]);
    expect(found.damage.map(([, why]) => why)).toEqual(['nested deeper than 64']);
  });

  it('is an event cut off by the next one, or by the end', () => {
    const xml = eventXml(SYSMON_SAMPLES.connection());
    const found = split(`${xml.slice(0, 200)}\n${xml}\n${xml.slice(0, 300)}`);
    expect(texts(found)).toEqual([xml]);
    expect(found.damage.map(([, why]) => why)).toEqual(['cut off', 'cut off at the end']);
  });

  it('is an array that never closes', () => {
    expect(split(`[${line(a)},${line(b)}`)).toMatchObject({
      records: [{}, {}],
      damage: [[expect.any(Number), 'array cut off at the end']],
    });
  });
});

describe('a table', () => {
  const header = 'Timestamp,DeviceId,ActionType,InitiatingProcessCommandLine';

  it('is read by its header: quotes, doubled quotes, line breaks inside cells, either line end', () => {
    const text = `${header}\r\n2024,d1,ConnectionSuccess,"a ""b"", c\nd"\r\n2025,d2,X,\n`;
    expect(values(split(text))).toEqual([
      {
        Timestamp: '2024',
        DeviceId: 'd1',
        ActionType: 'ConnectionSuccess',
        InitiatingProcessCommandLine: 'a "b", c\nd',
      },
      { Timestamp: '2025', DeviceId: 'd2', ActionType: 'X', InitiatingProcessCommandLine: '' },
    ]);
  });

  it.each([[';'], ['\t'], ['|']])('may be delimited by %j', (delimiter) => {
    const text = `${header.replaceAll(',', delimiter)}\n${['1', '2', '3', '4'].join(delimiter)}`;
    expect(values(split(text))).toEqual([
      { Timestamp: '1', DeviceId: '2', ActionType: '3', InitiatingProcessCommandLine: '4' },
    ]);
  });

  it('may have an unnamed first column, quoted names and the zone in a name', () => {
    const text = `,"TimeGenerated [UTC]",DeviceId,ActionType\n0,"5/14/2024, 12:00:00.123 PM",d,X\n`;
    expect(values(split(text))).toEqual([
      { '': '0', TimeGenerated: '5/14/2024, 12:00:00.123 PM UTC', DeviceId: 'd', ActionType: 'X' },
    ]);
  });

  it('leaves a time that states its zone as it is, also under a name that does', () => {
    const text = 'Timestamp [UTC],DeviceId,ActionType\n2024-05-14T12:00:00.1234567Z,d,X\n,d,Y\n';
    expect(values(split(text))).toEqual([
      { Timestamp: '2024-05-14T12:00:00.1234567Z', DeviceId: 'd', ActionType: 'X' },
      { Timestamp: '', DeviceId: 'd', ActionType: 'Y' },
    ]);
  });

  it('may have the .NET type of its rows above the header', () => {
    const text =
      '#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\r\n"Message","Id","ProviderName"\r\n"a","3","p"\r\n';
    for (const chunks of [[text], [...text]]) {
      expect(split(...chunks)).toMatchObject({ damage: [] });
      expect(values(split(...chunks))).toEqual([{ Message: 'a', Id: '3', ProviderName: 'p' }]);
    }
  });

  it('loses a damaged row and reads the next', () => {
    const found = split(`${header}\n1,2,3,4\n1,2,3\n"a"x,2,3,4\n1,2,3,"5"\n1,2,3,"open\n`);
    expect(values(found)).toEqual([
      { Timestamp: '1', DeviceId: '2', ActionType: '3', InitiatingProcessCommandLine: '4' },
      { Timestamp: '1', DeviceId: '2', ActionType: '3', InitiatingProcessCommandLine: '5' },
    ]);
    expect(found.damage.map(([, why]) => why)).toEqual([
      'another number of columns than the header',
      'text after a quoted cell',
      'cut off inside a quoted cell',
    ]);
  });

  it('gives back any cells it was written from, however the text arrives', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '{'), maxLength: 8 });
    const rows = fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 6 });
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 40 }), (cells, size) => {
        const text = `${header}\n${cells.map((row) => row.map(quote).join(',')).join('\n')}\n`;
        const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
          text.slice(i * size, (i + 1) * size),
        );
        const names = header.split(',');
        const expected = cells.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])));
        expect(values(split(...chunks))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('is not seen in lines that only look like one', () => {
    expect(split('one,two,three\n1,2,3\n').records).toEqual([]);
  });
});
