/** QUIC and DTLS conversations, whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { linkOf, WAYS } from '../build/carriers.ts';
import { certificate } from '../build/der.ts';
import { dtlsFragment, dtlsRecord } from '../build/dtls.ts';
import { concat, ethernet, hex } from '../build/frames.ts';
import { certificateBody, clientHelloBody, extension, handshake, serverHelloBody } from '../build/hellos.ts';
import { observe, observeOne } from '../build/observe.ts';
import { frame, otherPacket, QUIC_V1, QUIC_V2, retryPacket, sealInitial } from '../build/quic.ts';
import { bytesFrom, helloMessage, ordinaryExtensions, SERVER_NAME, type Turn } from '../build/tls-flights.ts';
import { datagrams } from '../build/udp-conversation.ts';

const anomalies = (record: FlowRecord): readonly string[] => record.waybill.anomalies ?? [];
const noise = (bytes: number, first: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? first : (i * 37 + bytes * 11) & 0xff));

const DCID = [1, 2, 3, 4, 5, 6, 7, 8];
const SCID = [9, 9, 9, 9];
const hello = helloMessage({ extensions: [...ordinaryExtensions(SERVER_NAME), extension.of(57, [1, 2, 0x40, 0])] });
const serverHello = handshake(
  2,
  serverHelloBody({ suite: 0x1301, extensions: [extension.selectedVersion(0x0304), extension.of(51, [1, 2, 3])] }),
);

/** A client's Initial with bytes [from, to) of the hello. */
function initial(packetNumber: number, from = 0, to = hello.length, more: readonly number[] = []): Turn {
  const payload = [...more, ...frame.crypto(from, hello.subarray(from, to)), ...frame.padding(900)];
  return ['client', sealInitial({ dcid: DCID, scid: SCID, packetNumber, payload })];
}
const accepted: Turn = [
  'server',
  concat(
    sealInitial({
      side: 'server',
      keyId: DCID,
      dcid: SCID,
      payload: [...frame.ack(), ...frame.crypto(0, serverHello)],
    }),
    otherPacket(QUIC_V1, 2, SCID, 600),
  ),
];
/** Short headers: data that only the ends can read. */
const data = (who: 'client' | 'server', bytes: number): Turn => [who, noise(bytes, 0x41)];
const upload = Array.from({ length: 40 }, (_, i) => data('client', 1_200 + i));
const QUIC: readonly Turn[] = [
  initial(0),
  accepted,
  data('client', 60),
  data('server', 80),
  ...upload,
  data('server', 33),
];

const quicRecord = observeOne(datagrams(QUIC));

describe('a QUIC conversation', () => {
  it('is recorded with its names, fingerprint and payload bytes', () => {
    expect(quicRecord).toMatchObject({
      network: { transport: 'udp', protocol: 'quic' },
      source: { ip: '192.0.2.10', port: 50_000, bytes: bytesFrom('client', QUIC), packets: 42 },
      destination: { bytes: bytesFrom('server', QUIC), domain: SERVER_NAME },
      tls: {
        version: '1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        established: true,
        client: { server_name: SERVER_NAME },
      },
      waybill: { bytes_exact: true },
    });
    expect(quicRecord.tls?.client?.ja4?.[0]).toBe('q');
    expect(quicRecord.waybill.anomalies).toBeUndefined();
  });

  it.each(WAYS)('is read in $name', (way) => {
    const record = observeOne(datagrams(QUIC, way.options), linkOf(way));
    expect(record.tls).toEqual(quicRecord.tls);
    expect(record.source.bytes).toBe(quicRecord.source.bytes);
    expect(record.network.vlan?.id).toBe(way.vlan);
    expect(record.waybill.tunnel).toEqual(way.tunnel);
  });

  it('is the same however the hello is spread over CRYPTO frames and datagrams, in any order', () => {
    const cuts = fc.array(fc.nat(hello.length - 1), { maxLength: 5 });
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.nat(1_000)), (at, ranks) => {
        const ends = [...new Set([...at.filter((cut) => cut > 0), hello.length])].sort((a, b) => a - b);
        const parts = ends.map((end, i) => initial(i, ends[i - 1] ?? 0, end, i % 2 ? frame.ping() : []));
        const shuffled = parts
          .map((turn) => ({ turn, rank: ranks.next().value! }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ turn }) => turn);
        const turns = [...shuffled, ...QUIC.slice(1)];
        const record = observeOne(datagrams(turns));
        expect(record.tls).toEqual(quicRecord.tls);
        expect(record.source.bytes).toBe(bytesFrom('client', turns));
      }),
      { numRuns: 60 },
    );
  });

  it('does not change when every packet is captured twice', () => {
    const twice = datagrams(QUIC, { carrier: (packet) => [ethernet(packet, { vlans: [5] }), ethernet(packet)] });
    const record = observeOne(twice);
    expect([record.source, record.destination]).toEqual([quicRecord.source, quicRecord.destination]);
    expect(anomalies(record)).toEqual(['duplicate_packets']);
  });

  it('is told after a Retry, with the keys made anew', () => {
    const again = { dcid: SCID.concat(DCID), scid: SCID, token: [1, 2, 3] };
    const payload = [...frame.crypto(0, hello), ...frame.padding(900)];
    const record = observeOne(
      datagrams([
        initial(0),
        ['server', retryPacket(QUIC_V1, SCID, again.dcid)],
        ['client', sealInitial({ ...again, payload })],
        data('server', 70),
        data('client', 70),
      ]),
    );
    expect(record.tls?.client).toEqual(quicRecord.tls?.client);
    expect(anomalies(record)).toContain('quic_retry');
  });

  it('is told after the server refused the version', () => {
    const refused = concat(hex('80 00000000'), [SCID.length], SCID, [DCID.length], DCID, hex('00000001 6b3343cf'));
    const first = sealInitial({
      quic: QUIC_V2,
      dcid: DCID,
      scid: SCID,
      payload: [...frame.crypto(0, hello.subarray(0, 9)), ...frame.padding(900)],
    });
    const record = observeOne(datagrams([['client', first], ['server', refused], ...QUIC]));
    expect(record.tls?.client).toEqual(quicRecord.tls?.client);
    expect(anomalies(record)).toContain('quic_version_negotiated');
  });

  it('captured from the client alone is told, and that it was one-sided', () => {
    const record = observeOne(datagrams(QUIC.filter(([who]) => who === 'client')));
    expect(record.tls?.client).toEqual(quicRecord.tls?.client);
    expect(anomalies(record)).toEqual(['one_sided']);
  });

  it('whose hello never became whole is told without a name', () => {
    const turns = [initial(0, 0, 60), accepted, ...upload];
    const record = observeOne(datagrams(turns));
    expect(record.network.protocol).toBe('quic');
    expect(record.tls?.client).toBeUndefined();
    expect(record.source.bytes).toBe(bytesFrom('client', turns));
    expect(anomalies(record)).toContain('hello_incomplete');
  });

  it('whose first packets were not captured is not guessed', () => {
    expect(observe(datagrams(QUIC.slice(1))).records).toEqual([]);
  });
});

const dtlsExtensions = [extension.serverName(SERVER_NAME), extension.groups(29), extension.signatureAlgorithms(0x0403)];
const dtlsHello = (cookie: readonly number[]): Uint8Array =>
  clientHelloBody({ version: 0xfefd, cookie, suites: [0xc02b], extensions: dtlsExtensions });
const dtls = (type: number, body: Uint8Array, messageSeq = 0): Uint8Array =>
  dtlsRecord(22, dtlsFragment({ type, body, messageSeq }));
const dtlsData = (bytes: number): Uint8Array => dtlsRecord(23, [...noise(bytes, 7)], 1);
const dtlsServer: readonly Turn[] = [
  ['server', dtls(2, serverHelloBody({ version: 0xfefd, suite: 0xc02b }), 1)],
  ['server', dtls(11, certificateBody(certificate()), 2)],
  ['server', dtls(14, new Uint8Array(0), 3)],
];
const DTLS: readonly Turn[] = [
  ['client', dtls(1, dtlsHello([]))],
  ['server', dtls(3, Uint8Array.of(0xfe, 0xfd, 2, 7, 7))],
  ['client', dtls(1, dtlsHello([7, 7]), 1)],
  ...dtlsServer,
  ['client', concat(dtls(16, new Uint8Array(66), 2), dtlsRecord(20, [1]), dtlsRecord(22, [...noise(40, 3)], 1))],
  ['server', concat(dtlsRecord(20, [1]), dtlsRecord(22, [...noise(40, 4)], 1))],
  ['client', dtlsData(500)],
  ['server', dtlsData(70)],
];
const STUN = hex('0001 0000 2112a442 000102030405060708090a0b');
const dtlsRecorded = observeOne(datagrams(DTLS));

describe('a DTLS conversation', () => {
  it('is recorded with its names, fingerprint, certificate and payload bytes', () => {
    expect(dtlsRecorded).toMatchObject({
      network: { transport: 'udp', protocol: 'dtls' },
      source: { port: 50_000, bytes: bytesFrom('client', DTLS) },
      destination: { bytes: bytesFrom('server', DTLS), domain: SERVER_NAME },
      tls: { version: '1.2', version_protocol: 'dtls', established: true, server: { subject: 'CN=files.example' } },
    });
    expect(dtlsRecorded.tls?.client?.ja4?.slice(0, 3)).toBe('dd2');
    expect(dtlsRecorded.waybill.anomalies).toBeUndefined();
  });

  it('is read behind STUN and RTP on the same ports', () => {
    const before: Turn[] = Array.from({ length: 100 }, (_, i) => [
      i % 2 ? 'server' : 'client',
      i < 60 ? concat(STUN.subarray(0, 19), [i]) : noise(172 + i, 0x80),
    ]);
    const record = observeOne(datagrams([...before, ...DTLS]));
    expect(record.tls).toEqual(dtlsRecorded.tls);
    expect(record.source.bytes).toBe(bytesFrom('client', [...before, ...DTLS]));
  });

  it('is read from fragments of its messages in any order', () => {
    const body = dtlsHello([7, 7]);
    const part = (from: number, to: number): Turn => [
      'client',
      dtlsRecord(22, dtlsFragment({ type: 1, body, messageSeq: 0, from, to })),
    ];
    const record = observeOne(datagrams([part(50, body.length), part(0, 30), part(20, 50), ...DTLS.slice(3)]));
    expect(record.tls?.client).toEqual(dtlsRecorded.tls?.client);
  });

  it('makes a flow of its own when the other end begins one, as after a conflict of roles', () => {
    const unanswered: Turn[] = [
      ['server', dtls(1, dtlsHello([]))],
      ['server', dtls(1, dtlsHello([]))],
    ];
    const { ends } = observe(datagrams([...unanswered, ...DTLS]));
    expect(ends.map(({ source, waybill }) => [source.port, waybill.end_reason])).toEqual([
      [443, 'reused'],
      [50_000, 'capture-end'],
    ]);
    expect(ends[1]?.tls).toEqual(dtlsRecorded.tls);
    expect(ends[0]?.tls?.client).toEqual(dtlsRecorded.tls?.client);
  });

  it('captured from the server alone has its certificate, and the client for its source', () => {
    const record = observeOne(datagrams(DTLS.filter(([who]) => who === 'server').slice(1)));
    expect(record.source).toMatchObject({ port: 50_000, packets: 0 });
    expect(record.tls?.server?.subject).toBe('CN=files.example');
    expect(anomalies(record)).toContain('one_sided');
  });
});

describe('other datagrams', () => {
  it('make no record', () => {
    const talk = fc.array(
      fc.tuple(fc.constantFrom('client' as const, 'server' as const), fc.uint8Array({ maxLength: 300 })),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(talk, (turns) => {
        expect(observe(datagrams(turns)).records).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('are taken as plain after a while, so that they hold no place', () => {
    const many = Array.from({ length: 160 }, (_, i): Turn => ['client', noise(100 + i, 0x80)]);
    expect(observe(datagrams([...many, ...DTLS])).records).toEqual([]);
  });
});
