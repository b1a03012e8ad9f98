import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ja3 } from '../../sensor/tls/ja3.ts';
import { ja4 } from '../../sensor/tls/ja4.ts';
import { initialKeys, initialSecret, openInitial } from '../../sensor/tls/quic-crypto.ts';
import { QuicHandshake } from '../../sensor/tls/quic-handshake.ts';
import { looksLikeQuicInitial, readPacket } from '../../sensor/tls/quic-packet.ts';
import { quicVersion } from '../../sensor/tls/quic-versions.ts';
import {
  clientHelloBody,
  concat,
  extension,
  handshake,
  RETRY_REQUEST_RANDOM,
  serverHelloBody,
} from '../build/hellos.ts';
import {
  frame,
  type InitialParts,
  otherPacket,
  QUIC_DRAFT_22,
  QUIC_DRAFT_27,
  QUIC_DRAFT_29,
  QUIC_MVFST,
  QUIC_MVFST_ALIAS,
  QUIC_MVFST_V1,
  QUIC_T051,
  QUIC_V1,
  QUIC_V2,
  QUIC_V2_DRAFT,
  retryPacket,
  sealInitial,
} from '../build/quic.ts';
import { RecordingSink } from '../build/recording-sink.ts';
import { CLIENT_DCID, CLIENT_INITIAL, RETRY, SERVER_INITIAL } from './rfc9001-packets.ts';

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

const DCID = [1, 2, 3, 4, 5, 6, 7, 8];
const SERVER_ID = [9, 9, 9, 9];
const hello = handshake(
  1,
  clientHelloBody({
    extensions: [extension.serverName('files.example'), extension.alpn('h3'), extension.of(57, new Array(400).fill(1))],
  }),
);
const serverHello = handshake(2, serverHelloBody({ suite: 0x1301, extensions: [extension.selectedVersion(0x0304)] }));

interface Datagram {
  readonly from: 'client' | 'server';
  readonly bytes: Uint8Array;
}
const client = (...packets: Uint8Array[]): Datagram => ({ from: 'client', bytes: concat(packets) });
const server = (...packets: Uint8Array[]): Datagram => ({ from: 'server', bytes: concat(packets) });
const initial = (parts: Partial<InitialParts> & Pick<InitialParts, 'payload'>): Uint8Array =>
  sealInitial({ dcid: DCID, ...parts });
const helloInitial = (parts: Partial<InitialParts> = {}): Uint8Array =>
  initial({ payload: [...frame.crypto(0, hello), ...frame.padding(300)], ...parts });
const serverInitial = (parts: Partial<InitialParts> = {}): Uint8Array =>
  initial({
    side: 'server',
    keyId: DCID,
    dcid: [],
    scid: SERVER_ID,
    payload: [...frame.ack(), ...frame.crypto(0, serverHello)],
    ...parts,
  });

function follow(...datagrams: Datagram[]): { sink: RecordingSink; quic: QuicHandshake } {
  const sink = new RecordingSink();
  const quic = new QuicHandshake(sink);
  for (const { from, bytes } of datagrams) {
    const framed = concat([Uint8Array.of(7, 7), bytes, Uint8Array.of(8)]);
    quic[from](framed, 2, 2 + bytes.length);
  }
  return { sink, quic };
}
const names = (...datagrams: Datagram[]): (string | undefined)[] =>
  follow(...datagrams).sink.clientHellos.map((found) => found.serverName);

describe('Initial keys', () => {
  const keysOf = (version: number, side: 'client' | 'server'): string[] => {
    const quic = quicVersion(version);
    if (quic === undefined) throw new Error('unknown');
    const { key, iv, hp } = initialKeys(quic, initialSecret(quic, bytesOf(CLIENT_DCID)), side);
    return [key, iv, hp].map((part) => part.toString('hex'));
  };

  it('are those of RFC 9001 A.1', () => {
    expect(keysOf(1, 'client')).toEqual([
      '1f369613dd76d5467730efcbe3b1a22d',
      'fa044b2f42a3fd3b46fb255c',
      '9f50449e04a0e810283a1e9933adedd2',
    ]);
    expect(keysOf(1, 'server')).toEqual([
      'cf3a5331653c364c88f0f379b6067e37',
      '0ac1493ca1905853b0bba03e',
      'c206b8d9b9f0f37644430b490eeaa314',
    ]);
  });

  it('are those of RFC 9369 A.1 for version 2', () => {
    expect(keysOf(0x6b3343cf, 'client')).toEqual([
      '8b1a0bc121284290a29e0971b5cd045d',
      '91f73e2351d8fa91660e909f',
      '45b95e15235d6f45a6b19cbcb0294ba9',
    ]);
    expect(keysOf(0x6b3343cf, 'server')).toEqual([
      '82db637861d55e1d011f19ea71d5d2a7',
      'dd13c276499c0249d3310652',
      'edf6d05c83121201b436e16877593c3a',
    ]);
  });
});

describe('the packets of RFC 9001', () => {
  it('A.2 and A.3 give both hellos', () => {
    const { sink, quic } = follow(client(bytesOf(CLIENT_INITIAL)), server(bytesOf(SERVER_INITIAL)));
    const [clientHello] = sink.clientHellos;
    if (clientHello === undefined) throw new Error('no hello');
    expect(quic.version).toBe('1');
    expect(clientHello.serverName).toBe('example.com');
    expect(ja3(clientHello)).toBe('41bc9ae914d6cb3bd0bd0a5453ab7d7f');
    expect(ja4(clientHello, 'q').ja4).toBe('q13d0211an_62ed6f6ca7ad_4d634acda6c0');
    expect(sink.serverHellos[0]).toMatchObject({ version: 0x0304, cipherSuite: 0x1301 });
  });

  it('A.4 is a Retry', () => {
    const bytes = bytesOf(RETRY);
    expect(readPacket(bytes, 0, bytes.length)).toMatchObject({ kind: 'packet', packet: { kind: 'retry' } });
  });

  it('have packet numbers 2 and 1', () => {
    for (const [hex, side, number] of [
      [CLIENT_INITIAL, 'client', 2],
      [SERVER_INITIAL, 'server', 1],
    ] as const) {
      const bytes = bytesOf(hex);
      const reading = readPacket(bytes, 0, bytes.length);
      if (reading.kind !== 'packet') throw new Error(reading.kind);
      const { version, start, numberAt, end } = reading.packet;
      const keys = initialKeys(version, initialSecret(version, bytesOf(CLIENT_DCID)), side);
      expect(openInitial(keys, bytes, start, numberAt, end)?.packetNumber).toBe(number);
    }
  });
});

describe('a QUIC handshake', () => {
  it.each([
    ['1', QUIC_V1],
    ['2', QUIC_V2],
    ['draft-29', QUIC_DRAFT_29],
    ['draft-27', QUIC_DRAFT_27],
    ['draft-22', QUIC_DRAFT_22],
    ['mvfst-2', QUIC_MVFST],
    ['mvfst-3', QUIC_MVFST_V1],
    ['mvfst-10', QUIC_MVFST_ALIAS],
    ['2-draft', QUIC_V2_DRAFT],
  ])('of version %s is read', (name, quic) => {
    const { sink, quic: reader } = follow(client(helloInitial({ quic })), server(serverInitial({ quic })));
    expect(reader.version).toBe(name);
    expect(sink.order).toEqual([expect.stringMatching(/^client-hello /), 'server-hello']);
  });

  it('of Google’s T051 is read from its own CRYPTO frames', () => {
    const payload = [...frame.googleCrypto(0, hello), ...frame.padding(100)];
    expect(names(client(initial({ quic: QUIC_T051, payload })))).toEqual(['files.example']);
  });

  it('is read with packet numbers of any length, a token, ids of any length, and a greased fixed bit', () => {
    for (const packetNumberBytes of [1, 2, 3, 4] as const) {
      const packetNumber = 200 ** packetNumberBytes - 1;
      expect(
        names(
          client(helloInitial({ packetNumberBytes, packetNumber, token: new Array(90).fill(3), greaseFixedBit: true })),
        ),
      ).toEqual(['files.example']);
    }
    for (const length of [0, 1, 8, 20]) {
      expect(
        names(client(helloInitial({ dcid: new Array(length).fill(4), scid: new Array(20 - length).fill(5) }))),
      ).toEqual(['files.example']);
    }
  });

  it('is the same however the hello is cut into frames, packets and datagrams, in any order, with repeats', () => {
    const offset = fc.nat(hello.length);
    fc.assert(
      fc.property(
        fc.array(offset, { maxLength: 14 }),
        fc.array(fc.nat(9), { maxLength: 30 }),
        fc.boolean(),
        (cuts, order, together) => {
          const ends = [...new Set([...cuts, hello.length])].filter((cut) => cut > 0).sort((a, b) => a - b);
          const pieces = ends.map((end, i) => ({ start: ends[i - 1] ?? 0, end }));
          const shuffled = [...order.flatMap((i) => pieces[i % pieces.length] ?? []), ...pieces.reverse()];
          const frames = shuffled.map(({ start, end }) => [
            ...frame.ping(),
            ...frame.crypto(start, hello.subarray(start, end)),
            0,
            0,
          ]);
          const payloads = together ? [frames.flat()] : frames;
          const datagrams = payloads.map((payload, packetNumber) =>
            client(initial({ payload: [...payload, ...frame.padding(20)], packetNumber })),
          );
          expect(names(...datagrams)).toEqual(['files.example']);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('passes over ACKs of both kinds, and stops at a frame that an Initial cannot carry', () => {
    const before = [...frame.ack(), ...frame.ack(true), ...frame.ping()];
    expect(names(client(initial({ payload: [...before, ...frame.crypto(0, hello)] })))).toEqual(['files.example']);
    expect(names(client(initial({ payload: [0x1e, ...frame.crypto(0, hello)] })))).toEqual([]);
    expect(
      names(client(initial({ payload: [...frame.close(), ...frame.crypto(0, hello), ...frame.padding(30)] }))),
    ).toEqual([]);
  });

  it('finds the Initial behind and in front of other packets of a datagram, and takes zeros at its end for padding', () => {
    const early = otherPacket(QUIC_V1, 1, DCID, 60);
    expect(names(client(helloInitial(), early, new Uint8Array(40)))).toEqual(['files.example']);
    expect(names(client(early, helloInitial()))).toEqual(['files.example']);
    const both = server(serverInitial(), otherPacket(QUIC_V1, 2, [], 700));
    expect(follow(client(helloInitial()), both).sink.serverHellos).toHaveLength(1);
  });

  it('reads a hello of several datagrams with 0-RTT in between', () => {
    const first = initial({ payload: [...frame.crypto(0, hello.subarray(0, 200)), ...frame.padding(30)] });
    const second = initial({ payload: frame.crypto(200, hello.subarray(200)), packetNumber: 1 });
    expect(names(client(first), client(otherPacket(QUIC_V1, 1, DCID, 500)), client(second))).toEqual(['files.example']);
  });

  it('keeps its keys when the client goes over to the server’s connection id', () => {
    const first = initial({ payload: [...frame.crypto(0, hello.subarray(0, 200)), ...frame.padding(30)] });
    const second = initial({
      keyId: DCID,
      dcid: SERVER_ID,
      payload: frame.crypto(200, hello.subarray(200)),
      packetNumber: 1,
    });
    expect(names(client(first), client(second))).toEqual(['files.example']);
  });

  it('makes new keys after a Retry, seen or not, whether or not the first hello was whole', () => {
    const afterRetry = { dcid: SERVER_ID, token: [1, 2, 3] };
    const retry = server(retryPacket(QUIC_V1, [], SERVER_ID));
    const answer = server(serverInitial({ keyId: SERVER_ID }));
    for (const between of [[retry], []]) {
      const whole = follow(client(helloInitial()), ...between, client(helloInitial(afterRetry)), answer);
      expect(whole.sink.order).toEqual([expect.stringMatching(/^client-hello /), 'server-hello']);
      const half = initial({ payload: [...frame.crypto(0, hello.subarray(0, 300)), ...frame.padding(30)] });
      const restarted = follow(client(half), ...between, client(helloInitial(afterRetry)), answer);
      expect(restarted.sink.order).toEqual([expect.stringMatching(/^client-hello /), 'server-hello']);
    }
  });

  it('reads both hellos on either side of a HelloRetryRequest', () => {
    const retryRequest = handshake(2, serverHelloBody({ random: RETRY_REQUEST_RANDOM }));
    const { sink } = follow(
      client(helloInitial()),
      server(serverInitial({ payload: frame.crypto(0, retryRequest) })),
      client(initial({ payload: frame.crypto(hello.length, hello), packetNumber: 1 })),
      server(serverInitial({ payload: frame.crypto(retryRequest.length, serverHello), packetNumber: 1 })),
    );
    expect(sink.order.map((event) => event.split(' ')[0])).toEqual([
      'client-hello',
      'hello-retry-request',
      'client-hello',
      'server-hello',
    ]);
  });

  it('goes on after version negotiation, with another connection id or the same', () => {
    const forced = new Uint8Array(60);
    forced.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, ...DCID, 0]);
    const negotiation = Uint8Array.from([0x80, 0, 0, 0, 0, 0, 8, ...DCID, 0, 0, 0, 1]);
    for (const dcid of [DCID, [8, 7, 6, 5, 4, 3, 2, 1]]) {
      const { sink } = follow(client(forced), server(negotiation), client(helloInitial({ dcid })));
      expect(sink.order).toEqual([expect.stringMatching(/^client-hello /)]);
    }
  });

  it('follows a server that answers version 1 in version 2 (RFC 9368)', () => {
    const { sink } = follow(client(helloInitial()), server(serverInitial({ quic: QUIC_V2 })));
    expect(sink.serverHellos).toHaveLength(1);
  });

  it('is not disturbed by a first datagram that is something else', () => {
    expect(
      names(client(Uint8Array.of(0x40, 1, 2, 3)), client(otherPacket(QUIC_V1, 2, DCID, 50)), client(helloInitial())),
    ).toEqual(['files.example']);
  });

  it('says that data flows when a side goes over to short headers, once, and only after a hello', () => {
    const short = Uint8Array.of(0x45, ...SERVER_ID, 1, 2, 3, 4);
    expect(follow(client(short), server(short)).sink.order).toEqual([]);
    const hellos = [client(helloInitial()), server(serverInitial())];
    const one = follow(...hellos, client(short), client(short));
    expect(one.sink.order.slice(2)).toEqual(['application-data']);
    expect(one.quic.done).toBe(false);
    const both = follow(...hellos, client(short), server(short), server(short));
    expect(both.sink.order.slice(2)).toEqual(['application-data', 'application-data']);
    expect(both.quic.done).toBe(true);
  });

  it('names a version it does not know and an Initial it cannot decrypt, once', () => {
    const unknown = otherPacket({ ...QUIC_V1, version: 0xff000099 }, 0, DCID, 60);
    expect(follow(client(unknown), client(unknown)).sink.order).toEqual(['bad stream unknown-version']);
    const broken = helloInitial();
    broken[60] = (broken[60] ?? 0) ^ 1;
    expect(follow(client(broken), client(broken)).sink.order).toEqual(['bad stream decrypt-failed']);
  });
});

describe('what a QUIC conversation can cost', () => {
  it('is a bounded number of decrypted packets, keys and held bytes', () => {
    const sink = new RecordingSink();
    const quic = new QuicHandshake(sink);
    const send = (bytes: Uint8Array): void => quic.client(bytes, 0, bytes.length);
    for (let i = 0; i < 200; i++)
      send(helloInitial({ dcid: [i, 2, 3, 4, 5, 6, 7, 8], payload: frame.crypto(500 + 3 * i, Uint8Array.of(1)) }));
    send(helloInitial());
    expect(sink.clientHellos).toEqual([]);
    expect(quic.heldBytes).toBeLessThanOrEqual(16 * 1024);
  });

  it('names CRYPTO data that is too far ahead and does not keep it', () => {
    const { sink, quic } = follow(client(initial({ payload: [...frame.crypto(50_000, hello), ...frame.padding(10)] })));
    expect(sink.order).toEqual(['bad stream over-cap']);
    expect(quic.heldBytes).toBe(0);
  });
});

describe('the QUIC probe', () => {
  const probe = (bytes: Uint8Array): boolean => looksLikeQuicInitial(bytes, 0, bytes.length);

  it('knows a client’s first packet of every version', () => {
    for (const quic of [QUIC_V1, QUIC_V2, QUIC_DRAFT_29, QUIC_MVFST, QUIC_T051])
      expect(probe(helloInitial({ quic }))).toBe(true);
    const forced = new Uint8Array(60);
    forced.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, ...DCID, 0]);
    expect(probe(forced)).toBe(true);
  });

  it.each([
    ['a DNS query', Uint8Array.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 119, 119, 119, 0, 0, 1, 0, 1])],
    ['RTP', Uint8Array.from([0x80, 0x60, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4])],
    ['STUN', Uint8Array.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42])],
    ['a Handshake packet', otherPacket(QUIC_V1, 2, DCID, 60)],
    ['a server’s Initial with a short id', serverInitial()],
    ['an unknown version', otherPacket({ ...QUIC_V1, version: 0x12345678 }, 0, DCID, 60)],
    ['a length beyond the datagram', helloInitial().subarray(0, 100)],
    ['ones', new Uint8Array(100).fill(0xff)],
    ['nothing', new Uint8Array(0)],
  ])('does not know %s', (_, bytes) => expect(probe(bytes)).toBe(false));
});
