/** TLS and DTLS that UDP carries in packets of other protocols, and Google's QUIC before TLS. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dtlsFragment, dtlsRecord } from '../build/dtls.ts';
import { be16, be32, concat, hex } from '../build/frames.ts';
import { chlo, longHeader, publicHeader } from '../build/google-quic.ts';
import { certificateBody, serverHelloBody } from '../build/hellos.ts';
import { observe, observeOne } from '../build/observe.ts';
import { inOpenVpn, type OpenVpnOptions } from '../build/openvpn.ts';
import { inRdpUdp } from '../build/rdp-udp.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import {
  bytesFrom,
  helloMessage,
  leaf,
  ordinaryExtensions,
  SERVER_NAME,
  type Turn,
  tls12,
} from '../build/tls-flights.ts';
import { datagrams } from '../build/udp-conversation.ts';

const plain = observeOne(frames(new TcpConnection().open().say(tls12()).close().packets));
const record = (turns: readonly Turn[]) => observeOne(datagrams(turns));

/** The order in which a network delivers; each datagram at most three places late. */
const late = fc.infiniteStream(fc.nat(3));
function delayed(turns: readonly Turn[], ranks: Stream): Turn[] {
  return turns
    .map((turn, i) => ({ turn, rank: i + ranks.next().value! }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ turn }) => turn);
}
type Stream = { next(): IteratorResult<number> };

describe('TLS inside OpenVPN over UDP', () => {
  it.each([0, 16, 20, 28, 32, 48, 64])('is read with %i bytes of tls-auth', (hmac) => {
    const turns = inOpenVpn(tls12(), { hmac, udp: true });
    const { tls, waybill, source, network } = record(turns);
    expect(tls).toEqual(plain.tls);
    expect(waybill.via).toBe('openvpn');
    expect(network).toMatchObject({ transport: 'udp', protocol: 'tls' });
    expect(source.bytes).toBe(bytesFrom('client', turns));
  });

  it('is read from packets of any size, late and sent again', () => {
    const options = fc.record({ hmac: fc.constantFrom(0, 20, 64), size: fc.integer({ min: 90, max: 1_200 }) });
    fc.assert(
      fc.property(options, late, fc.boolean(), (o: OpenVpnOptions, ranks, twice) => {
        const [first, second, ...rest] = inOpenVpn(tls12(), { ...o, udp: true });
        const sent = twice ? rest.flatMap((turn) => [turn, turn]) : rest;
        const { tls, waybill } = record([first!, second!, ...delayed(sent, ranks)]);
        expect(tls).toEqual(plain.tls);
        expect(waybill.via).toBe('openvpn');
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  it('is read when the first packet was sent again before it was captured', () => {
    const [reset, ...rest] = inOpenVpn(tls12(), { hmac: 20, udp: true }) as [Turn, ...Turn[]];
    const again: Turn = ['client', reset[1].map((byte, i) => (i === 1 + 8 + 20 + 3 ? 7 : byte))];
    expect(record([again, ...rest]).tls).toEqual(plain.tls);
  });

  it('makes no record without TLS in it, and none of encrypted packets', () => {
    const noise: Turn[] = Array.from({ length: 300 }, (_, i) => [
      i % 2 ? 'server' : 'client',
      new Uint8Array(200 + (i % 90)).fill(0x20 | (i & 7)),
    ]);
    expect(observe(datagrams([...inOpenVpn([], { udp: true }), ...noise])).records).toEqual([]);
  });
});

describe('TLS inside RDP over UDP', () => {
  it.each([1, 2, 3] as const)('is read with version %i', (version) => {
    const { tls, waybill, source } = record(inRdpUdp(tls12(), { version }));
    expect(tls).toEqual(plain.tls);
    expect(waybill.via).toBe('rdp');
    expect(source.ip).toBe('192.0.2.10');
  });

  it('is read from datagrams of any size, late and sent again', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3), fc.integer({ min: 40, max: 1_000 }), late, (version, size, ranks) => {
        const [first, second, ...rest] = inRdpUdp(tls12(), { version: version as 1 | 2 | 3, size });
        const sent = rest.flatMap((turn, i) => (i % 3 ? [turn] : [turn, turn]));
        expect(record([first!, second!, ...delayed(sent, ranks)]).tls).toEqual(plain.tls);
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  it('is DTLS when the connection may lose datagrams', () => {
    const { network, tls, waybill } = record(inRdpUdp(DTLS, { version: 1, lossy: true }));
    expect(network.protocol).toBe('dtls');
    expect(tls).toEqual(record(DTLS).tls);
    expect(waybill.via).toBe('rdp');
  });

  it('is not looked for behind anything but a SYN', () => {
    const [syn, ...rest] = inRdpUdp(tls12(), { version: 3 }) as [Turn, ...Turn[]];
    // What it acknowledges, unknown flags, the SYN flag, both MTUs.
    for (const [at, value] of [
      [0, 1],
      [6, 0xf8],
      [7, 0],
      [12, 9],
      [14, 9],
    ] as const) {
      const changed: Turn = ['client', syn[1].map((byte, i) => (i === at ? value : byte))];
      expect(observe(datagrams([changed, ...rest])).records).toEqual([]);
    }
  });
});

const DTLS_HELLO = dtlsRecord(22, dtlsFragment({ type: 1, body: dtlsHello() }));
const DTLS: readonly Turn[] = [
  ['client', DTLS_HELLO],
  [
    'server',
    concat(
      dtlsRecord(22, dtlsFragment({ type: 2, body: serverHelloBody({ version: 0xfefd, suite: 0xc02f }) })),
      dtlsRecord(22, dtlsFragment({ type: 11, messageSeq: 1, body: certificateBody(leaf) })),
    ),
  ],
  ['client', concat(dtlsRecord(20, [1]), dtlsRecord(22, new Array(40).fill(9), 1))],
  ['server', concat(dtlsRecord(20, [1]), dtlsRecord(22, new Array(40).fill(9), 1))],
  ['client', dtlsRecord(23, new Array(90).fill(7), 1)],
  ['server', dtlsRecord(23, new Array(90).fill(7), 1)],
];

/** A DTLS hello: as over TLS, with a cookie behind the session id. */
function dtlsHello(): Uint8Array {
  const body = helloMessage({
    version: 0xfefd,
    extensions: ordinaryExtensions(SERVER_NAME).filter(([type]) => type !== 43 && type !== 51),
  }).subarray(4);
  const cookieAt = 2 + 32 + 1 + 32;
  return concat(body.subarray(0, cookieAt), [0], body.subarray(cookieAt));
}

const padded = (bytes: Uint8Array): Uint8Array => concat(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
const stun = (type: number, attributes: Uint8Array): Uint8Array =>
  concat(be16(type), be16(attributes.length), be32(0x2112a442), new Uint8Array(12).fill(3), attributes);
const address = hex('0012 0008 0001 c0de e112a5c4');
const carried: readonly (readonly [name: string, via: string, wrap: (turn: Turn) => Turn])[] = [
  ['a TURN channel', 'turn', ([who, b]) => [who, concat(be16(0x4001), be16(b.length), b)]],
  ['a TURN channel with padding', 'turn', ([who, b]) => [who, padded(concat(be16(0x4fff), be16(b.length), b))]],
  [
    'TURN indications',
    'turn',
    ([who, b]) => [
      who,
      stun(who === 'client' ? 0x0016 : 0x0017, concat(address, be16(0x0013), be16(b.length), padded(b))),
    ],
  ],
  ['CAPWAP', 'capwap', ([who, b]) => [who, concat(hex('01000000'), b)]],
];

describe('DTLS behind the headers of other protocols', () => {
  const bare = record(DTLS);

  it.each(carried)('is read in %s', (_, via, wrap) => {
    const turns = DTLS.map(wrap);
    const { network, tls, waybill, source } = record(turns);
    expect(network.protocol).toBe('dtls');
    expect(tls).toEqual(bare.tls);
    expect(tls?.client?.server_name).toBe(SERVER_NAME);
    expect(waybill.via).toBe(via);
    expect(source.bytes).toBe(bytesFrom('client', turns));
  });

  it('is read when indications give way to a channel, and that to nothing', () => {
    const [indication, channel] = [carried[2]![2], carried[0]![2]];
    const turns = DTLS.map((turn, i) => (i === 0 ? indication(turn) : i < 3 ? channel(turn) : turn));
    expect(record(turns).tls).toEqual(bare.tls);
  });

  it('is not seen in channels and indications without it', () => {
    const rtp: Turn = ['client', hex('8060 0001 00000001 00000001 aabbccdd')];
    for (const [, , wrap] of carried) expect(observe(datagrams([rtp, rtp].map(wrap))).records).toEqual([]);
  });
});

describe('Google QUIC', () => {
  const tags = [
    ['PAD\0', '-'.repeat(400)],
    ['SNI\0', 'video.example'],
  ] as const;
  const answer: Turn = ['server', hex('0c 0102030405060708 01 aabbccdd')];
  const data: Turn = ['client', hex('0c 0102030405060708 02 aabbccdd')];

  it.each([
    ['Q039', publicHeader('Q039', chlo(tags))],
    ['Q043', publicHeader('Q043', chlo(tags))],
    ['Q046', longHeader('Q046', chlo(tags))],
  ])('%s is recorded with the name in its hello, and without TLS', (_, hello) => {
    const { network, tls, waybill, destination } = record([['client', hello], answer, data, answer]);
    expect(network.protocol).toBe('quic');
    expect(tls).toEqual({ established: true });
    expect(waybill).toMatchObject({ via: 'gquic', via_target: 'video.example:443', domain_source: 'gquic' });
    expect(destination.domain).toBe('video.example');
  });

  it('is recorded without a name when its hello has none', () => {
    const { network, waybill } = record([['client', publicHeader('Q043', chlo([['PAD\0', '--']]))], answer, data]);
    expect([network.protocol, waybill.via, waybill.via_target]).toEqual(['quic', 'gquic', undefined]);
  });

  it('is not seen in a datagram with a version and no hello', () => {
    expect(observe(datagrams([['client', publicHeader('Q043', [])], answer, data])).records).toEqual([]);
  });

  it('keeps a hostile name as safe text', () => {
    const evil = publicHeader('Q043', chlo([['SNI\0', 'a\x1b[2J\n"']]));
    expect(record([['client', evil], answer, data]).waybill.via_target).toBe('a\\x1b[2J\\x0a":443');
  });
});

describe('any datagrams behind a carrier’s first one', () => {
  it('make no fuss', () => {
    const openings = [
      inOpenVpn([], { udp: true }),
      inRdpUdp([], { version: 1 }),
      inRdpUdp([], { version: 3 }),
      inRdpUdp([], { version: 2, lossy: true }),
      DTLS.slice(0, 1).map(carried[0]![2]),
    ];
    const who = fc.constantFrom('client' as const, 'server' as const);
    const said = fc.array(fc.tuple(who, fc.uint8Array({ minLength: 1, maxLength: 60 })), { maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...openings), said, (opening, turns) => {
        expect(() => observe(datagrams([...opening, ...turns]))).not.toThrow();
      }),
      { numRuns: 150 },
    );
  });
});
