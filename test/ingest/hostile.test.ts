import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpointEventToEcs } from '../../enrich/event/to-ecs.ts';
import { at, own, parseJson } from '../../enrich/ingest/json-object.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { scanXml } from '../../enrich/ingest/xml-scan.ts';
import {
  asimRow,
  cbCloud,
  cbEdr,
  cybereasonElement,
  ecsDocument,
  hxAlert,
  limaCharlie,
  sophosRow,
  taniumEvent,
  taniumRow,
  xdr,
} from '../build/edr-records.ts';
import {
  azure,
  eventXml,
  GUID,
  type Json,
  mordorFlat,
  SYSMON_SAMPLES,
  security,
  wazuh,
  winlogbeat7,
} from '../build/endpoint.ts';
import { hayabusaRow, otlp, xml2js } from '../build/endpoint-shapes.ts';
import { elasticDefend, fdr, mdeRow, ocsf, osqueryRow, sentinelone } from '../build/feed-records.ts';
import { readAll } from '../build/read-records.ts';

/** One record of every feed that names a path. */
const RECORDS: readonly Json[] = [
  winlogbeat7(SYSMON_SAMPLES.connection()),
  mordorFlat(SYSMON_SAMPLES.processStart()),
  azure(SYSMON_SAMPLES.dnsQuery(), 'json'),
  wazuh(SYSMON_SAMPLES.fileCreate()),
  elasticDefend('file', 'creation', { file: { path: 'C:\\x.zip', Ext: { header_bytes: '504b0304' } } }),
  mdeRow('ConnectionSuccess', { LocalIP: '10.1.2.3', RemoteIP: '203.0.113.9', AdditionalFields: '{"a":1}' }),
  fdr('NetworkConnectIP4', { LocalAddressIP4: '10.1.2.3', RemoteAddressIP4: '203.0.113.9' }),
  sentinelone('IPConnect', { 'src.ip.address': '10.1.2.3' }),
  ocsf(4001, 1, { src_endpoint: { ip: '10.1.2.3' } }),
  osqueryRow({ pid: '1', remote_address: '203.0.113.9', remote_port: '443' }),
  hayabusaRow(SYSMON_SAMPLES.processEnd(), 'json'),
  otlp(SYSMON_SAMPLES.processEnd()),
  xml2js(SYSMON_SAMPLES.processEnd()),
  cbCloud('netconn', { remote_ip: '203.0.113.9', netconn_publisher: [{ name: 'x' }] }),
  cbEdr('filemod', { action: 'create', path: 'c:\\out.rar' }),
  xdr('NETWORK_STREAM_CONNECT', { action_remote_ip: '203.0.113.9' }),
  limaCharlie('NETWORK_CONNECTIONS', { NETWORK_ACTIVITY: [{ SOURCE: { IP_ADDRESS: '10.1.2.3' } }] }),
  asimRow('FileEvent', 'FileCreated', { TargetFilePath: 'C:\\out.rar' }),
  ecsDocument('network', ['connection'], { source: { ip: '10.1.2.3' } }),
  hxAlert('fileWriteEvent', { fullPath: 'C:\\out.rar', lowestFileOffsetSeen: 0, dataAtLowestOffset: 'UEsDBA==' }),
  taniumEvent('network_connect', { local_ip: '10.1.2.3', remote_ip: '203.0.113.9', remote_port: 443 }),
  taniumRow({ create_time_raw: 1_715_687_999_000, end_time: '2024-05-14 12:00:00.123', parent_pid: -2 }),
  sophosRow({ source: '10.1.2.3', destination: '203.0.113.9', destination_port: 443, end_time: 0 }),
  cybereasonElement({
    elementDisplayName: '10.1.2.3:1 > 203.0.113.9:443',
    localPort: '1',
    creationTime: '1715688000123',
  }),
  {
    DeviceVendor: 'Microsoft',
    DeviceProduct: 'Sysmon',
    DeviceEventClassID: '11',
    Computer: 'PC1',
    FilePath: 'C:\\out.rar',
    TimeGenerated: '2024-05-14T12:00:00Z',
    AdditionalExtensions: 'a=b;c=d',
  },
];

/** Values that have broken readers before. */
const ODD: readonly unknown[] = [
  null,
  '',
  '-',
  0,
  -1,
  1.5,
  Number.MAX_VALUE,
  true,
  [],
  {},
  [[[]]],
  [null],
  { __proto__: null, x: 1 },
  { toString: [], valueOf: [] },
  '\ud800',
  '\u0000\u001b[31m\u202e\r\n',
  'x'.repeat(70_000),
  '0x'.concat('f'.repeat(40)),
  '9'.repeat(30),
  '{"a":',
  '<a b="',
  '99999-99-99T99:99:99Z',
  '0000-00-00 00:00:00',
  '%s%n',
  '{00000000-0000-0000-0000-000000000000}',
];

/** Every place of a record that holds a value, as the keys that lead to it. */
function places(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))];
}

function withValue(record: Json, path: readonly string[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  return { ...record, [first]: withValue((record[first] ?? {}) as Json, rest, value) };
}

describe('hostile records', () => {
  it('never throw, whatever stands in any one place of a record of any feed', () => {
    for (const record of RECORDS) {
      for (const path of places(record)) {
        for (const odd of ODD) {
          for (const event of readAll(withValue(record, path, odd))) {
            expect(JSON.stringify(endpointEventToEcs(event))).not.toContain('\n');
            expect(Number.isSafeInteger(event.at)).toBe(true);
          }
        }
      }
    }
  });

  it('of any shape at all never throw and are counted once', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const reader = new FeedNormalizer();
        reader.normalize(value);
        reader.drain();
      }),
      { numRuns: 1000 },
    );
  });

  it('cannot reach Object.prototype by their keys', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).sort();
    const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
    for (const record of RECORDS) {
      for (const key of keys) {
        const text = JSON.stringify(record).replace('{', `{"${key}":{"polluted":1,"isAdmin":true},`);
        readAll(JSON.parse(text));
        readAll(JSON.parse(`{"records":[${text}],"${key}":[{}]}`));
      }
    }
    expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(before);
    expect(({} as Json).polluted).toBeUndefined();
  });

  it('give no value that a record only inherits', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'constructor.name', '__proto__.constructor']) {
      expect(at({ a: 1 }, name)).toBeUndefined();
      expect(own({ a: 1 }, name)).toBeUndefined();
    }
    expect(readAll({ winlog: { event_id: 'constructor', event_data: {} } })).toEqual([]);
    const reader = new FeedNormalizer();
    reader.normalize(elasticDefend('constructor', 'toString', {}));
    expect(reader.summary.ignored.entries()).toEqual([['elastic-defend constructor tostring', 1]]);
  });

  it('keep a column called __proto__ a column', () => {
    const reader = new TextReader(new FeedNormalizer(), {});
    const text = `__proto__,Timestamp,DeviceId,ActionType,FolderPath\nx,2024-05-14T12:00:00Z,d,FileCreated,C:\\x.zip\n`;
    expect([...reader.push(text), ...reader.end()]).toMatchObject([{ kind: 'file_write', path: 'C:\\x.zip' }]);
  });

  it.each([
    ['deep nesting', '['.repeat(200_000), false],
    ['deep objects', '{"a":'.repeat(50_000), false],
    ['brackets inside a string', `{"a":"${'['.repeat(10_000)}"}`, true],
    ['a number beyond any', '{"a":1e400}', true],
    ['lone surrogates', '{"a":"\\ud800"}', true],
    ['a key twice', '{"a":1,"a":2}', true],
    ['a huge key', `{"${'k'.repeat(100_000)}":1}`, true],
    ['no JSON', '{nope}', false],
  ])('are parsed only within the caps: %s', (_name, text, fine) => {
    expect(parseJson(text).ok).toBe(fine);
  });

  it('that are ten megabytes of brackets are one damaged place', () => {
    const normalizer = new FeedNormalizer();
    const reader = new TextReader(normalizer, {});
    for (let i = 0; i < 160; i++) reader.push('['.repeat(65_536));
    reader.end();
    expect(normalizer.summary.damaged.total).toBeLessThanOrEqual(2);
  });

  it('have a length in every text and identifier', () => {
    const long = 'A'.repeat(200_000);
    const event = readAll(
      winlogbeat7({
        ...SYSMON_SAMPLES.processStart(),
        data: { ProcessGuid: long, ProcessId: '8', CommandLine: long, Image: long },
      }),
    )[0];
    expect(event).toMatchObject({ process: { entityKind: 'pid-start' } });
    expect(JSON.stringify(event).length).toBeLessThan(100_000);
  });
});

describe('hostile XML', () => {
  const event = (data: string) =>
    `<Event><System><Provider Name="Microsoft-Windows-Sysmon"/><EventID>11</EventID><TimeCreated SystemTime="2024-05-14T12:00:00Z"/><Computer>pc1</Computer></System><EventData><Data Name="ProcessGuid">${GUID}</Data>${data}</EventData></Event>`;
  const path = (data: string) => readAll(event(data)).map((found) => (found as { path?: string }).path);

  it.each([
    ['the five references', 'a&lt;b&gt;&amp;&quot;&apos;', 'a<b>&"\''],
    ['decimal and hexadecimal references', '&#65;&#x42;&#10;', 'AB\n'],
    ['references of its own, which stay as written', '&xxe;&lol9;', '&xxe;&lol9;'],
    ['numbers that name no character', '&#0;&#x110000;', '&#0;&#x110000;'],
    ['CDATA', 'x<![CDATA[<b>&amp;]]>y', 'x<b>&amp;y'],
    ['comments', 'x<!-- <Data Name="TargetFilename">z</Data> -->y', 'xy'],
    ['a lone ampersand', 'R&D.zip', 'R&D.zip'],
  ])('decodes %s', (_name, written, expected) => {
    expect(path(`<Data Name="TargetFilename">${written}</Data>`)).toEqual([expected]);
  });

  it('has no document type: nothing is fetched and nothing expands', () => {
    const bombs = Array.from({ length: 20 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
    const text = `<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">\n${bombs}]>\n${event('<Data Name="TargetFilename">&xxe;&l20;</Data>')}`;
    const reader = new TextReader(new FeedNormalizer(), {});
    expect([...reader.push(text), ...reader.end()]).toMatchObject([{ path: '&xxe;&l20;' }]);
  });

  it('takes the first of two fields of one name', () => {
    expect(path('<Data Name="TargetFilename">first</Data><Data Name="TargetFilename">second</Data>')).toEqual([
      'first',
    ]);
  });

  it('reads attributes in either quotes, with blanks and with > inside', () => {
    expect(path(`<Data  Type = 'a>b'  Name = "TargetFilename" >x</Data>`)).toEqual(['x']);
  });

  it('cannot break out of an attribute or a text', () => {
    const data = security(4663, {
      ObjectType: 'File',
      ObjectName: '"/></System><EventID>4688</EventID>\n</Event>',
      AccessMask: '0x1',
    });
    expect(readAll(eventXml(data))).toMatchObject([
      { kind: 'file_read', path: '"/></System><EventID>4688</EventID>\n</Event>' },
    ]);
  });

  it('never throws and always ends', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '=',
      '"',
      "'",
      '&',
      ';',
      '<!',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      'Data',
      ' Name="x"',
      '<Event>',
      '</Event>',
      '&#',
      '\u0000',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        let calls = 0;
        const count = () => calls++;
        scanXml(pieces.join(''), { open: (_name, attribute) => attribute('x') ?? count(), close: count, text: count });
        readAll(`<Event>${pieces.join('')}`);
        expect(calls).toBeLessThan(400);
      }),
      { numRuns: 1000 },
    );
  });
});
