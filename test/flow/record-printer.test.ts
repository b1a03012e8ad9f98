import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conversation } from '../../sensor/flow/conversation.ts';
import type { FlowView } from '../../sensor/flow/flow-reports.ts';
import { FlowTable } from '../../sensor/flow/flow-table.ts';
import { RecordPrinter } from '../../sensor/flow/record-printer.ts';
import { toRecord } from '../../sensor/flow/to-record.ts';
import { Segment } from '../../sensor/wire/segment.ts';

/** Quotes, backslashes, controls, line separators, lone surrogates, anything. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom('', '"', '\\', '\u2028', '\ud800', 'a\nb', '</script>', `${'x'.repeat(90)}"`),
  fc.domain(),
);
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const count = fc.integer({ min: 0, max: 2 ** 45 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });
/** 2001 to 2255. */
const micros = fc.integer({ min: 1e15, max: 9e15 });

const clientFacts = fc.record({
  serverName: maybe(fc.record({ text: hostile, domain: maybe(hostile) })),
  ja3: hex(32),
  offer: fc.record({
    ja4: fc.constantFrom('t13d1516h2_8daaf6152771_e5627efa2ab1', 'q00i000000_000000000000_000000000000'),
    version: fc.constantFrom('1.3', 'ssl3', '0x7e03'),
    alpn: fc.array(hostile, { maxLength: 3 }),
    ech: maybe(fc.constantFrom('outer' as const, 'grease' as const, 'esni' as const)),
  }),
  inFull: maybe(
    fc.record({
      ja3String: fc.constant('771,4865-4866,0-11-10,29-23,0'),
      ciphers: fc.array(fc.integer({ min: 0, max: 65_535 }), { maxLength: 4 }),
    }),
  ),
});

const serverFacts = fc.record({
  ja3s: hex(32),
  version: fc.constantFrom('1.3', '1.2'),
  versionProtocol: fc.constantFrom('tls' as const, 'ssl' as const, 'dtls' as const),
  cipher: fc.constantFrom('TLS_AES_128_GCM_SHA256', '0xfafa'),
  alpn: maybe(hostile),
});

const certificateFacts = fc.record({
  sha256: hex(64),
  subject: hostile,
  issuer: hostile,
  serialNumber: fc.constantFrom('', '01AB'),
  alternativeNames: fc.array(hostile, { maxLength: 120 }),
  alternativeNameCount: count,
  notBefore: maybe(fc.constant('2026-09-24T08:38:48Z')),
  notAfter: maybe(fc.constant('2027-09-24T08:38:48Z')),
  publicKeyAlgorithm: fc.constantFrom('RSA', '1.2.3.4'),
  selfSigned: fc.boolean(),
});

const conversation = fc
  .record({
    protocol: maybe(fc.constantFrom('tls' as const, 'quic' as const, 'dtls' as const, 'ssh' as const)),
    via: maybe(hostile),
    viaTarget: maybe(hostile),
    dnsName: maybe(hostile),
    dnsSeen: maybe(fc.boolean()),
    clientFacts: maybe(clientFacts),
    serverFacts: maybe(serverFacts),
    certificateFacts: maybe(certificateFacts),
    certificateSha256: maybe(hex(64)),
    certificateNameMatches: maybe(fc.boolean()),
    ssh: maybe(fc.record({ client: hostile, hassh: hex(32) }, { requiredKeys: [] })),
    established: fc.boolean(),
    resumed: maybe(fc.boolean()),
    tunnels: fc.integer({ min: 0, max: 511 }),
    vlan: fc.integer({ min: -1, max: 4095 }),
    firstBytesAt: fc.oneof(fc.constant(0), micros),
    bursts: fc.array(count, { maxLength: 8 }),
  })
  .map((fields) => Object.assign(new Conversation(), fields));

const view = fc
  .record({
    conversation,
    ipv6: fc.boolean(),
    words: fc.array(word, { minLength: 8, maxLength: 8 }),
    ports: fc.tuple(fc.nat(65_535), fc.nat(65_535)),
    transport: fc.constantFrom(6, 17),
    client: fc.constantFrom(0, 1),
    counts: fc.array(count, { minLength: 4, maxLength: 4 }),
    times: fc.tuple(micros, fc.nat(1e9)),
    endReason: maybe(fc.constantFrom('fin' as const, 'over-flows' as const)),
    missedBytes: fc.oneof(fc.constant(0), count),
    exact: fc.boolean(),
    tailBytes: fc.tuple(fc.nat(9), fc.nat(9)),
    anomalies: fc.nat(2 ** 30 - 1),
  })
  .map((v): FlowView => {
    const table = new FlowTable(16);
    const segment = new Segment();
    const [a, b, c, d, e, f, g, h] = v.words as [number, number, number, number, number, number, number, number];
    if (v.ipv6) Object.assign(segment, { src0: a, src1: b, src2: c, src3: d, dst0: e, dst1: f, dst2: g, dst3: h });
    else Object.assign(segment, { src2: 0xffff, src3: a, dst2: 0xffff, dst3: b });
    Object.assign(segment, { srcPort: v.ports[0], dstPort: v.ports[1], transport: v.transport, tsMicros: v.times[0] });
    table.find(segment);
    const slot = table.add(segment);
    table.lastSeen[slot] = v.times[0] + v.times[1];
    for (const side of [0, 1]) {
      table.bytes[slot * 2 + side] = v.counts[side]!;
      table.packets[slot * 2 + side] = v.counts[2 + side]!;
    }
    return { ...v, table, slot };
  });

const options = fc.record(
  {
    observer: hostile,
    interface: hostile,
    tsSource: fc.constant('arrival' as const),
    communityIdSeed: fc.nat(65_535),
    verbose: fc.boolean(),
  },
  { requiredKeys: ['observer', 'communityIdSeed', 'verbose'] },
);

describe('a printed record', () => {
  it('is what JSON.stringify makes of the record, whatever names and values it carries', () => {
    fc.assert(
      fc.property(
        view,
        options,
        micros,
        fc.constantFrom('flow_open' as const, 'flow_end' as const),
        (v, o, now, action) => {
          const line = Buffer.from(new RecordPrinter(o).print(action, v, now)).toString();
          expect(line).toBe(`${JSON.stringify(toRecord(action, v, now, o))}\n`);
        },
      ),
      { numRuns: 500 },
    );
  });
});
