/** p02: whatever count of things a packet's sender chooses, reading them takes time that grows with an exponent up to 1.3. */
import { describe, expect, it } from 'vitest';
import { DnsWatcher } from '../../sensor/dns/dns-watcher.ts';
import { Conversation } from '../../sensor/flow/conversation.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import { readCertificateMessage } from '../../sensor/tls/certificate.ts';
import { DtlsHandshake } from '../../sensor/tls/dtls-handshake.ts';
import { HandshakeStream } from '../../sensor/tls/handshake-stream.ts';
import { QuicHandshake } from '../../sensor/tls/quic-handshake.ts';
import { FrameDecoder } from '../../sensor/wire/decode-frame.ts';
import { Segment } from '../../sensor/wire/segment.ts';
import { certificate, der, generalName, sequence } from '../build/der.ts';
import { address, dnsMessage } from '../build/dns.ts';
import { dtlsFragment, dtlsRecord } from '../build/dtls.ts';
import { concat, emptyExtension, ethernet, fragmentIpv4, ip, udp } from '../build/frames.ts';
import { growthOf } from '../build/growth.ts';
import { ascii, certificateBody, clientHelloBody, extension, handshake, handshakeRecords } from '../build/hellos.ts';
import { inOpenVpn } from '../build/openvpn.ts';
import { frame, otherPacket, QUIC_V1, sealInitial } from '../build/quic.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import { inTds } from '../build/tds.ts';
import { helloFor, tls13 } from '../build/tls-flights.ts';
import { mpls } from '../build/tunnels.ts';

const MOST = 1.3;
/** Runs of each size, of which the fastest counts: a busy machine takes some for itself. */
const ROUNDS = 9;
const indexes = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** `run` as often as makes it long enough to be measured. */
const times =
  <Input>(count: number, run: (input: Input) => void) =>
  (input: Input): void => {
    for (let i = 0; i < count; i++) run(input);
  };

interface Case {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly make: (size: number) => readonly Uint8Array[];
  readonly run: (chunks: readonly Uint8Array[]) => void;
}

/** Chunks of one direction of a TLS stream. */
function tlsStream(chunks: readonly Uint8Array[]): void {
  const stream = new HandshakeStream(new Conversation(true));
  for (const chunk of chunks) stream.push(chunk, 0, chunk.length);
}

function decode(packets: readonly Uint8Array[]): void {
  const out = new Segment();
  for (const packet of packets) decoder.decode(packet, 0, packet.length, 1, packet.length, 1, out);
}
const decoder = new FrameDecoder();

function answers(messages: readonly Uint8Array[]): void {
  const watcher = new DnsWatcher();
  const out = new Segment();
  for (const packet of messages) {
    decoder.decode(packet, 0, packet.length, 1, packet.length, 1, out);
    watcher.segment(out);
  }
}

function quic(datagrams: readonly Uint8Array[]): void {
  const handshakeReader = new QuicHandshake(new Conversation());
  for (const datagram of datagrams) handshakeReader.client(datagram, 0, datagram.length);
}

function dtls(datagrams: readonly Uint8Array[]): void {
  const handshakeReader = new DtlsHandshake(new Conversation());
  for (const datagram of datagrams) handshakeReader.client(datagram, 0, datagram.length);
}

/** What a client sends, a chunk each segment. */
function sense(chunks: readonly Uint8Array[]): void {
  const options = { observer: 'x', communityIdSeed: 0, verbose: false };
  const sensor = buildPipeline(() => {}, options, { ...DEFAULT_LIMITS, flows: 64 });
  const c = new TcpConnection().open();
  for (const chunk of chunks) c.send('client', chunk);
  for (const { bytes, tsMicros } of frames(c.packets)) {
    sensor.packet(bytes, 0, bytes.length, tsMicros, bytes.length, 1);
  }
  sensor.drain();
}

const helloOf = (parts: Parameters<typeof clientHelloBody>[0]): Uint8Array[] => [
  handshakeRecords(
    handshake(1, clientHelloBody(parts)),
    indexes(4).map((i) => (i + 1) * 16_000),
  ),
];
const dcid = [1, 2, 3, 4, 5, 6, 7, 8];
const bigHello = handshake(1, clientHelloBody({ extensions: [extension.of(21, new Array<number>(14_000).fill(0))] }));
const initial = (packetNumber: number, payload: readonly number[]): Uint8Array =>
  sealInitial({ dcid, packetNumber, payload: [...payload, ...frame.padding(20)] });
const oneByte = (text: string): Uint8Array[] => [...Buffer.from(text, 'latin1')].map((byte) => Uint8Array.of(byte));

const CASES: readonly Case[] = [
  {
    name: 'extensions of a hello',
    sizes: [2_000, 4_000, 8_000, 16_000],
    make: (n) => helloOf({ extensions: indexes(n).map((i) => extension.of(i)) }),
    run: times(20, tlsStream),
  },
  {
    name: 'one extension sent again and again',
    sizes: [700, 1_400, 2_800, 5_600],
    make: (n) => helloOf({ extensions: indexes(n).map(() => extension.serverName('a')) }),
    run: times(6, tlsStream),
  },
  {
    name: 'cipher suites of a hello',
    sizes: [3_000, 6_000, 12_000, 24_000],
    make: (n) => helloOf({ suites: indexes(n) }),
    run: times(6, tlsStream),
  },
  {
    name: 'names, groups, algorithms and protocols of a hello',
    sizes: [400, 800, 1_600, 3_200],
    make: (n) =>
      helloOf({
        extensions: [
          extension.serverName(...indexes(n).map(() => 'b')),
          extension.groups(...indexes(n)),
          extension.signatureAlgorithms(...indexes(n)),
          extension.alpn(...indexes(n).map(() => 'c')),
          extension.supportedVersions(...indexes(100)),
        ],
      }),
    run: times(10, tlsStream),
  },
  {
    name: 'records that a hello is cut into, a segment each',
    sizes: [1_500, 3_000, 6_000, 12_000],
    make: (n) => {
      const records = handshakeRecords(bigHello.subarray(0, n), indexes(n));
      return indexes(n).map((i) => records.subarray(6 * i, 6 * i + 6));
    },
    run: times(4, tlsStream),
  },
  {
    name: 'certificates of a chain',
    sizes: [2_000, 4_000, 8_000, 16_000],
    make: (n) => [certificateBody(certificate(), ...indexes(n).map(() => new Uint8Array(0)))],
    run: times(200, ([body]) => readCertificateMessage(body!, 0, body!.length)),
  },
  {
    name: 'alternative names of a certificate',
    // Certificates of up to 8 KiB are read once.
    sizes: [2_000, 4_000, 8_000, 12_000],
    make: (n) => [certificateBody(certificate({ alternativeNames: indexes(n).map(() => generalName.dns('a.b')) }))],
    run: times(8, ([body]) => readCertificateMessage(body!, 0, body!.length)),
  },
  {
    name: 'attributes of a subject',
    sizes: [60, 120, 240, 480],
    make: (n) => [
      certificateBody(
        certificate({
          subject: sequence(...indexes(n).map(() => der(0x31, sequence(der(6, [0x55, 4, 3]), der(12, ascii('x')))))),
        }),
      ),
    ],
    run: times(40, ([body]) => readCertificateMessage(body!, 0, body!.length)),
  },
  {
    name: 'levels of ASN.1',
    sizes: [500, 1_000, 2_000, 4_000],
    make: (n) => {
      let nested: number[] = [];
      for (let i = 0; i < n; i++) nested = sequence(nested);
      return [certificateBody(Uint8Array.from(nested))];
    },
    run: times(300, ([body]) => readCertificateMessage(body!, 0, body!.length)),
  },
  {
    name: 'answers of a DNS message',
    sizes: [32, 64, 128, 256],
    make: (n) => {
      const records = indexes(n).map((i) => address(`192.0.2.${i & 255}`));
      return indexes(40).map(() => ethernet(udp({ srcPort: 53, payload: dnsMessage({ answers: records }) })));
    },
    run: answers,
  },
  {
    name: 'DNS names of compression pointers',
    sizes: [400, 800, 1_600, 3_200],
    make: (n) => {
      // Every owner points at the one before: chains as long as the message.
      const owner = (i: number): Uint8Array => Uint8Array.of(0xc0 | (at(i) >> 8), at(i) & 0xff);
      const at = (i: number): number => Math.min(0x3fff, 12 + 19 + 12 * Math.max(0, i - 1));
      const records = indexes(n).map((i) => ({ owner: owner(i), type: 2, data: new Uint8Array(0) }));
      return indexes(30).map(() => ethernet(udp({ srcPort: 53, payload: dnsMessage({ answers: records }) })));
    },
    run: answers,
  },
  {
    name: 'CRYPTO frames of a byte each, the last first',
    sizes: [500, 1_000, 2_000, 4_000],
    make: (n) => {
      const each = 125;
      return indexes(n / each).map((p) =>
        initial(
          p,
          indexes(each).flatMap((i) => {
            const offset = n - 1 - (p * each + i);
            return frame.crypto(offset, bigHello.subarray(offset, offset + 1));
          }),
        ),
      );
    },
    run: times(8, quic),
  },
  {
    name: 'CRYPTO frames with a hole between each two',
    sizes: [500, 1_000, 2_000, 4_000],
    make: (n) => {
      const each = 125;
      return indexes(n / each).map((p) =>
        initial(
          p,
          indexes(each).flatMap((i) => frame.crypto(2 * (p * each + i) + 1, Uint8Array.of(1))),
        ),
      );
    },
    run: times(8, quic),
  },
  {
    name: 'packets of one QUIC datagram',
    sizes: [100, 200, 400, 800],
    make: (n) => [
      concat(initial(0, frame.ping()), ...indexes(n).map(() => otherPacket(QUIC_V1, 2, dcid, 30))),
      ...indexes(9).map(() => concat(...indexes(n).map(() => otherPacket(QUIC_V1, 2, dcid, 30)))),
    ],
    run: times(40, quic),
  },
  {
    name: 'DTLS fragments of a byte each, the last first',
    sizes: [1_000, 2_000, 4_000, 8_000],
    make: (n) =>
      indexes(n).map((i) => {
        const from = n - 1 - i;
        return dtlsRecord(22, dtlsFragment({ type: 1, body: bigHello.subarray(0, n), from, to: from + 1 }));
      }),
    run: times(4, dtls),
  },
  {
    name: 'DTLS messages that are never whole',
    sizes: [1_000, 2_000, 4_000, 8_000],
    make: (n) =>
      indexes(n).map((i) =>
        dtlsRecord(
          22,
          dtlsFragment({ type: 1, messageSeq: i & 31, body: bigHello.subarray(0, 9_000), from: 0, to: 1 }),
        ),
      ),
    run: dtls,
  },
  {
    name: 'VLAN tags',
    sizes: [2_000, 4_000, 8_000, 16_000],
    make: (n) => [ethernet(udp({ payload: new Uint8Array(9) }), { vlans: indexes(n) })],
    run: times(60, decode),
  },
  {
    name: 'MPLS labels',
    sizes: [2_000, 4_000, 8_000, 16_000],
    make: (n) => [ethernet(mpls(udp({ payload: new Uint8Array(9) }), indexes(n)), { type: 0x8847 })],
    run: times(60, decode),
  },
  {
    name: 'IPv6 extension headers',
    sizes: [1_000, 2_000, 4_000, 8_000],
    make: (n) => [
      ethernet(
        ip({
          src: '2001:db8::1',
          dst: '2001:db8::2',
          protocol: 17,
          payload: new Uint8Array(40),
          extensions: indexes(n).map(() => emptyExtension(60)),
        }),
      ),
    ],
    run: times(200, decode),
  },
  {
    name: 'IP packets in IP packets',
    sizes: [200, 400, 800, 1_600],
    make: (n) => {
      let packet = udp({ payload: new Uint8Array(9) });
      for (let i = 0; i < n; i++) packet = ip({ protocol: 4, payload: packet });
      return [ethernet(packet)];
    },
    run: times(300, decode),
  },
  {
    name: 'fragments of one datagram, the last first',
    sizes: [30, 60, 120, 240],
    make: (n) =>
      fragmentIpv4(udp({ payload: new Uint8Array(n * 64) }), 64, 7)
        .map((part) => ethernet(part))
        .reverse(),
    run: times(60, decode),
  },
  {
    name: 'bytes of a CONNECT request, a segment each',
    sizes: [120, 240, 480, 960],
    make: (n) => oneByte(`CONNECT a:1 HTTP/1.1\r\n${'x: y\r\n'.repeat(n)}`.slice(0, n)),
    run: times(6, sense),
  },
  {
    name: 'lines of a plain talk',
    sizes: [120, 240, 480, 960],
    make: (n) => indexes(n).map((i) => Buffer.from(`HELP ${i & 7}\r\n`)),
    run: times(6, sense),
  },
  {
    name: 'packets of SQL Server',
    sizes: [500, 1_000, 2_000, 4_000],
    make: (n) => {
      const [[, prelogin], , [, wrapped]] = inTds(tls13(helloFor('a.example')), 1, 1) as [
        readonly [string, Uint8Array],
        unknown,
        readonly [string, Uint8Array],
      ];
      return [
        prelogin,
        ...indexes(n).map((i) => wrapped.subarray((9 * i) % wrapped.length, ((9 * i) % wrapped.length) + 9)),
      ];
    },
    run: times(3, sense),
  },
  {
    name: 'packets of OpenVPN',
    sizes: [500, 1_000, 2_000, 4_000],
    make: (n) => {
      const turns = inOpenVpn([['client', helloFor('a.example')]], { size: 3 });
      const sent = turns.filter(([who]) => who === 'client').map(([, bytes]) => bytes);
      return indexes(n).map((i) => sent[i % sent.length]!);
    },
    run: times(3, sense),
  },
];

describe('time against counts that a sender chooses (p02)', () => {
  it.each(CASES)(
    'grows linearly for $name',
    ({ sizes, make, run }) => {
      expect(growthOf(sizes, make, run, ROUNDS)).toBeLessThanOrEqual(MOST);
    },
    120_000,
  );
});
