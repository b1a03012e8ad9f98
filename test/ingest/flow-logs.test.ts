import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  FLOW_LOG_LIMITS,
  type FlowLogLimits,
  type FlowLogSummary,
  readFlowLogs,
} from '../../enrich/ingest/flow-logs/read-flow-logs.ts';
import { eveLines } from '../../sensor/record/eve.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { zeekLines } from '../../sensor/record/zeek.ts';
import { FULL_RECORD, QUIC_RECORD, SSH_RECORD, withAction } from '../build/full-record.ts';

const directory = mkdtempSync(join(tmpdir(), 'flow-logs-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

interface Read {
  readonly records: readonly FlowRecord[];
  readonly summary: FlowLogSummary;
}

/** Every argument is one file. */
async function read(...contents: readonly (string | Uint8Array)[]): Promise<Read> {
  return readWithin({}, ...contents);
}

async function readWithin(
  limits: Partial<FlowLogLimits>,
  ...contents: readonly (string | Uint8Array)[]
): Promise<Read> {
  const paths = contents.map((content) => {
    const path = join(directory, `log-${files++}`);
    writeFileSync(path, content);
    return path;
  });
  const records: FlowRecord[] = [];
  const summary = await readFlowLogs(paths, (record) => void records.push(record), {
    ...FLOW_LOG_LIMITS,
    ...limits,
  });
  return { records, summary };
}

const json = (...lines: readonly unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const bothEnds = (record: FlowRecord): FlowRecord[] => [
  withAction(record, 'flow_open'),
  withAction(record, 'flow_end'),
];
const zeek = (record: FlowRecord) => bothEnds(record).flatMap(zeekLines);
const eve = (record: FlowRecord) => bothEnds(record).flatMap(eveLines);

/** What another sensor's log can carry of a record. */
const essence = ({ event, network, source, destination, tls }: FlowRecord) => ({
  start: event.start,
  end: event.end,
  transport: network.transport,
  protocol: network.protocol,
  community: network.community_id,
  direction: network.direction,
  source,
  destination,
  sni: tls?.client?.server_name,
  ja3: tls?.client?.ja3,
  ja4: tls?.client?.ja4,
});

const COMMUNITY = '1:CWUwXxLJ05zJaU0IfZqKFyzKrj8=';

describe('our own lines, read back', () => {
  it.each([
    ['TLS', FULL_RECORD],
    ['QUIC', QUIC_RECORD],
    ['SSH', SSH_RECORD],
  ])('as flow records are the same %s records', async (_, record) => {
    const { records, summary } = await read(json(...bothEnds(record)));
    expect(records).toEqual(bothEnds(record));
    expect(summary).toMatchObject({ flows: 2, unknown: 0 });
  });

  it.each([
    ['TLS', FULL_RECORD],
    ['QUIC', QUIC_RECORD],
  ])('as Zeek lines give the same %s flow', async (_, record) => {
    const { records } = await read(json(...zeek(record)));
    expect(records).toHaveLength(1);
    const { community: __, ...expected } = essence(record);
    expect(essence(records[0]!)).toMatchObject(expected);
  });

  it.each([
    ['TLS', FULL_RECORD],
    ['QUIC', QUIC_RECORD],
  ])('as EVE events give the same %s flow', async (_, record) => {
    const { records } = await read(json(...eve(record)));
    expect(records).toHaveLength(1);
    const { community: __, ...expected } = essence(record);
    expect(essence(records[0]!)).toMatchObject(expected);
  });

  it.each([
    ['Zeek', zeek],
    ['EVE', eve],
  ])('as %s lines give SSH as well', async (_, lines) => {
    const { records } = await read(json(...lines(SSH_RECORD)));
    expect(records.map((record) => record.network.protocol)).toEqual(['ssh']);
    expect(records[0]!.tls).toBeUndefined();
    expect(records[0]!.source).toEqual(SSH_RECORD.source);
  });
});

describe('Zeek JSON as sites have it', () => {
  const conn = {
    _path: 'conn',
    uid: 'CAcJw21BbVedgFnYH3',
    'id.orig_h': '10.1.2.3',
    'id.orig_p': 50123,
    'id.resp_h': '198.51.100.20',
    'id.resp_p': 443,
    proto: 'tcp',
    duration: 2.5,
    orig_bytes: 900,
    resp_bytes: 90,
    conn_state: 'SF',
  };
  const digest = 'ab'.repeat(32);
  const ssl = {
    ...conn,
    _path: 'ssl',
    version: 'TLSv12',
    established: true,
    cert_chain_fps: [digest, 'cd'.repeat(32)],
  };

  it.each([
    ['seconds', 1_715_688_000.25],
    ['milliseconds', 1_715_688_000_250],
    ['RFC 3339', '2024-05-14T12:00:00.250000Z'],
  ])('is read with times in %s', async (_, ts) => {
    const { records } = await read(json({ ...conn, ts }, { ...ssl, ts }));
    expect(records.map(({ event, source }) => [event.start, event.end, source.bytes])).toEqual([
      ['2024-05-14T12:00:00.250000Z', '2024-05-14T12:00:02.750000Z', 900],
    ]);
    expect(records[0]?.tls?.server?.hash).toEqual({ sha256: digest });
  });

  it('is read with underscores in place of dots', async () => {
    const flat = (row: Record<string, unknown>) =>
      Object.fromEntries(Object.entries({ ...row, ts: 1_715_688_000 }).map(([k, v]) => [k.replace('id.', 'id_'), v]));
    const { records } = await read(json(flat(conn), flat(ssl)));
    expect(records.map(({ source, destination }) => [source.port, destination.ip])).toEqual([[50123, '198.51.100.20']]);
  });

  it('takes no digest but SHA-256', async () => {
    for (const fps of [['ab'.repeat(20)], 'x', [5], [], `${digest}0`]) {
      const { records } = await read(json({ ...conn, ts: 1 }, { ...ssl, ts: 1, cert_chain_fps: fps }));
      expect(records[0]?.tls?.server?.hash).toBeUndefined();
    }
  });
});

const SSL_FIELDS = [
  'ts',
  'uid',
  'id.orig_h',
  'id.orig_p',
  'id.resp_h',
  'id.resp_p',
  'version',
  'server_name',
  'established',
  'ja3',
  'ja4',
];
const SSL_ROW = [
  '1715688000.250000',
  'CAcJw21BbVedgFnYH3',
  '10.1.2.3',
  '50123',
  '198.51.100.20',
  '443',
  'TLSv13',
  'Files.Example',
  'T',
  '-',
  't13d1516h2_8daaf6152771_e5627efa2ab1',
];
const CONN_FIELDS = [
  'ts',
  'uid',
  'id.orig_h',
  'id.orig_p',
  'id.resp_h',
  'id.resp_p',
  'proto',
  'service',
  'duration',
  'orig_bytes',
  'resp_bytes',
  'conn_state',
  'missed_bytes',
  'orig_pkts',
  'resp_pkts',
];
const CONN_ROW = [
  '1715688000.123456',
  'CAcJw21BbVedgFnYH3',
  '10.1.2.3',
  '50123',
  '198.51.100.20',
  '443',
  'tcp',
  'ssl',
  '7.126544',
  '104857',
  '5120',
  'SF',
  '0',
  '90',
  '41',
];

interface Dialect {
  readonly separator?: string;
  readonly unset?: string;
  readonly empty?: string;
  readonly path?: string;
}

/** A TSV log as Zeek's ascii writer lays it out. */
function tsv(fields: readonly string[], rows: readonly (readonly string[])[], d: Dialect = {}): string {
  const separator = d.separator ?? '\t';
  const escaped = [...Buffer.from(separator)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const head = [
    `#separator ${escaped}`,
    `#set_separator${separator},`,
    `#empty_field${separator}${d.empty ?? '(empty)'}`,
    `#unset_field${separator}${d.unset ?? '-'}`,
    `#path${separator}${d.path ?? 'ssl'}`,
    `#open${separator}2024-05-14-12-00-00`,
    `#fields${separator}${fields.join(separator)}`,
    `#types${separator}${fields.map(() => 'string').join(separator)}`,
  ];
  const body = rows.map((row) => row.map((value) => (value === '-' ? (d.unset ?? '-') : value)).join(separator));
  return [...head, ...body, `#close${separator}2024-05-14-13-00-00`, ''].join('\n');
}

const ssl = (d: Dialect = {}) => tsv(SSL_FIELDS, [SSL_ROW], d);
const conn = (d: Dialect = {}) => tsv(CONN_FIELDS, [CONN_ROW], { path: 'conn', ...d });

const expectTheFlow = ({ records, summary }: Read): void => {
  expect(records).toHaveLength(1);
  expect(essence(records[0]!)).toEqual({
    start: '2024-05-14T12:00:00.123456Z',
    end: '2024-05-14T12:00:07.250000Z',
    transport: 'tcp',
    protocol: 'tls',
    community: COMMUNITY,
    direction: 'egress',
    source: { ip: '10.1.2.3', port: 50_123, bytes: 104_857, packets: 90 },
    destination: { ip: '198.51.100.20', port: 443, bytes: 5_120, packets: 41, domain: 'files.example' },
    sni: 'Files.Example',
    ja3: undefined,
    ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1',
  });
  expect(summary).toMatchObject({ flows: 1, unknown: 0, damaged: [] });
};

describe('Zeek logs', () => {
  it('are brought together by uid from two files, in either order', async () => {
    expectTheFlow(await read(ssl(), conn()));
    expectTheFlow(await read(conn(), ssl()));
  });

  it.each<[string, Dialect]>([
    ['another separator', { separator: '|' }],
    ['a separator of several characters', { separator: '::' }],
    ['other marks for unset and empty', { unset: 'NIL', empty: 'NONE' }],
  ])('are read with %s', async (_, dialect) => {
    expectTheFlow(await read(ssl(dialect), conn(dialect)));
  });

  it('are read with carriage returns, gzip, and the whole day in one file', async () => {
    expectTheFlow(await read(ssl().replaceAll('\n', '\r\n'), conn()));
    expectTheFlow(await read(gzipSync(ssl()), gzipSync(conn())));
    expectTheFlow(await read(`${ssl()}${conn()}`));
  });

  it('may mix TSV and JSON', async () => {
    const row = Object.fromEntries(
      SSL_FIELDS.map((field, i) => [field, SSL_ROW[i]]).filter(([, value]) => value !== '-'),
    );
    expectTheFlow(await read(json({ ...row, ts: 1715688000.25, established: true }), conn()));
  });

  it('take ssl.log before quic.log, and quic.log where there is no other', async () => {
    const [sslLine, connLine] = zeek(QUIC_RECORD);
    const quic = { ...sslLine!, _path: 'quic', server_name: 'other.example' };
    for (const lines of [
      [quic, sslLine, connLine],
      [sslLine, connLine, quic],
      [connLine, quic, sslLine],
    ]) {
      const { records } = await read(json(...lines));
      expect(records.map((record) => record.destination.domain)).toEqual(['files.example']);
    }
    const { records } = await read(json(quic, connLine));
    expect(records.map((record) => record.destination.domain)).toEqual(['other.example']);
  });

  it('give a flow without byte counts when conn.log is not there, and none of small plain connections', async () => {
    const { records } = await read(ssl());
    expect(records[0]).toMatchObject({ source: { bytes: 0 }, waybill: { bytes_exact: false } });
    const http = await read(
      tsv(CONN_FIELDS, [CONN_ROW.map((v) => (v === 'ssl' ? 'http' : v === '104857' ? '4857' : v))], { path: 'conn' }),
    );
    expect(http.records).toEqual([]);
    expect(http.summary.ignored).toBe(1);
  });
});

describe('Suricata events', () => {
  it('take the names of the first QUIC event', async () => {
    const [handshake, flow] = eve(QUIC_RECORD);
    const answer = { ...handshake!, quic: { version: '1' } };
    const { records } = await read(json(handshake, answer, flow, answer));
    expect(records.map((record) => record.destination.domain)).toEqual(['files.example']);
  });

  it('of other kinds are left out', async () => {
    const [, flow] = eve(FULL_RECORD);
    const { records, summary } = await read(json({ ...flow!, event_type: 'alert' }, { ...flow!, event_type: 'stats' }));
    expect(records).toEqual([]);
    expect(summary).toMatchObject({ ignored: 2, unknown: 0 });
  });
});

describe('connections in plain text', () => {
  const { protocol: _, ...network } = FULL_RECORD.network;
  const { tls: __, ...rest } = FULL_RECORD;
  const sent = (bytes: number): FlowRecord => ({ ...rest, network, source: { ...rest.source, bytes } });

  it.each([
    ['Zeek', zeek],
    ['EVE', eve],
  ])('of %s logs are flows when they sent 64 KiB, and without handshake', async (_name, lines) => {
    const { records } = await read(json(...lines(sent(200_000))));
    expect(records.map(({ source }) => source.bytes)).toEqual([200_000]);
    expect(records[0]!.network).not.toHaveProperty('protocol');
    expect(records[0]).not.toHaveProperty('tls');
    expect((await read(json(...lines(sent(65_535))))).records).toEqual([]);
  });

  it('are none that the log calls encrypted, though nothing else is known of the handshake', async () => {
    const big = { ...FULL_RECORD, source: { ...FULL_RECORD.source, bytes: 200_000 } };
    expect((await read(json(zeek(big)[1]))).records).toEqual([]);
    expect((await read(json(eve(big)[1]))).records).toEqual([]);
  });
});

describe('rows that wait for their other half', () => {
  const flows = Array.from({ length: 50 }, (_, i) => zeek(FULL_RECORD).map((line) => ({ ...line, uid: `C${i}` })));
  const handshakes = flows.map(([line]) => line);
  const counters = flows.map(([, line]) => line);

  it('find it however far apart they are, within the cap', async () => {
    const { records } = await read(json(...handshakes, ...counters));
    expect(records.map((record) => record.source.bytes)).toEqual(flows.map(() => FULL_RECORD.source.bytes));
  });

  it.each<[string, Partial<FlowLogLimits>]>([
    ['number', { pending: 10 }],
    ['characters', { pendingChars: 4_000 }],
  ])('go out as they are beyond the cap on their %s, the oldest first, and each connection once', async (_, limits) => {
    const { records } = await readWithin(limits, json(...handshakes, ...counters));
    const whole = records.filter((record) => record.source.bytes > 0);
    expect(records).toHaveLength(50);
    expect(new Set(records.map((record) => record.waybill.flow_id)).size).toBe(50);
    expect(whole.length).toBeGreaterThan(0);
    expect(whole.length).toBeLessThanOrEqual(10);
  });
});

describe('damaged and hostile logs', () => {
  it('cost the damaged line only', async () => {
    const lines = json(...zeek(FULL_RECORD)).split('\n');
    const { records, summary } = await read(
      [lines[0], '{"uid":"C1","id.or', '\0\xff', 'no log at all', lines[1], ''].join('\n'),
    );
    expect(records).toHaveLength(1);
    expect(summary.unknown).toBe(3);
  });

  it('name the file that ends in the middle of its gzip stream', async () => {
    const whole = gzipSync(json(...zeek(FULL_RECORD)));
    const { summary } = await read(whole.subarray(0, whole.length - 12));
    expect(summary.damaged).toHaveLength(1);
  });

  it('name the file with a line without end', async () => {
    const { summary } = await read(`{"uid":"${'x'.repeat(3_000_000)}`);
    expect(summary.damaged[0]).toMatch(/longer than/);
  });

  it.each([
    ['times', { ts: 1e300 }],
    ['times before 1970', { ts: -5 }],
    ['durations', { duration: 1e300 }],
    ['negative durations', { duration: -1e12 }],
    ['byte counts', { orig_bytes: -1 }],
    ['fractions of bytes', { orig_bytes: 1.5 }],
    ['ports', { 'id.orig_p': 70_000 }],
    ['addresses', { 'id.orig_h': '10.1.2.300' }],
  ])('have no flow with impossible %s', async (_, change) => {
    const lines = zeek(FULL_RECORD).map((line) => ({ ...line, ...change }));
    const { records, summary } = await read(json(...lines));
    expect(records).toEqual([]);
    expect(summary.ignored).toBe(1);
  });

  it('have no name that is none', async () => {
    const lines = zeek(FULL_RECORD).map((line) => ({ ...line, server_name: '<script>' }));
    const { records } = await read(json(...lines));
    expect(records[0]!.destination.domain).toBeUndefined();
    expect(records[0]!.tls?.client?.server_name).toBe('<script>');
  });

  it('do not reach Object.prototype, nor be read from it', async () => {
    const keys = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString'];
    const hostile = keys.map((key) => `{"${key}":{"event_type":"tls","flow_id":1,"uid":"C1","id.orig_h":"1.1.1.1"}}`);
    const uids = keys.flatMap((key) => zeek(FULL_RECORD).map((line) => JSON.stringify({ ...line, uid: key })));
    const header = `#separator \\x09\n#path\tssl\n#fields\t__proto__\tuid\tconstructor\nx\t__proto__\ty\n`;
    const { records } = await read([...hostile, ...uids].join('\n'), header);
    expect(records).toHaveLength(keys.length);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['event_type']).toBeUndefined();
  });

  it('give flow records without what is unfit, and none that lacks what is needed', async () => {
    const odd = structuredClone(FULL_RECORD) as unknown as Record<string, Record<string, unknown>>;
    Object.assign(odd['tls']!['server']!, { issuer: 5, not_before: { a: 1 } });
    odd['waybill']!['anomalies'] = 'gap';
    odd['more'] = { x: 1 };
    const { records } = await read(json(odd));
    expect(records[0]!.tls!.server).not.toHaveProperty('issuer');
    expect(records[0]!.waybill).not.toHaveProperty('anomalies');
    expect(records[0]).not.toHaveProperty('more');
    for (const [part, field, value] of [
      ['event', 'start', 'yesterday'],
      ['source', 'ip', 'localhost'],
      ['source', 'bytes', '5'],
      ['destination', 'port', 65_536],
      ['network', 'transport', 'sctp'],
      ['waybill', 'flow_id', undefined],
    ] as const) {
      const lacking = structuredClone(FULL_RECORD) as unknown as Record<string, Record<string, unknown>>;
      lacking[part]![field] = value;
      const { records: none, summary } = await read(json(lacking));
      expect(none).toEqual([]);
      expect(summary.unknown).toBe(1);
    }
  });

  it('never throw, whatever a value is replaced by', async () => {
    const lines = [...zeek(FULL_RECORD), ...eve(FULL_RECORD), ...eve(QUIC_RECORD), FULL_RECORD].map((l) =>
      JSON.stringify(l),
    );
    const unprintable = { toString: [], valueOf: 1 };
    const odd = fc.constantFrom(1e308, -1, '', '9'.repeat(400), null, [], {}, unprintable, [unprintable]);
    const replacement = fc.oneof(fc.jsonValue(), odd);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(300), replacement), { minLength: 1, maxLength: 8 }), async (hits) => {
        const damaged = lines.map((line) => {
          let leaf = 0;
          return JSON.stringify(JSON.parse(line), (_, value: unknown) => {
            const hit = hits.find(([at]) => at === leaf);
            leaf++;
            return hit && leaf > 1 ? structuredClone(hit[1]) : value;
          });
        });
        const { records } = await read(damaged.join('\n'));
        for (const record of records) {
          expect(Number.isSafeInteger(record.source.bytes)).toBe(true);
          expect(record.event.end >= record.event.start || record.event.duration >= 0).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});
