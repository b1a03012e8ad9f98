/** Many short flows: TLS over TCP, QUIC, DNS and HTTP, hundreds at once, a tenth of them IPv6. */
import type { CaptureFacts } from './capture-facts.ts';
import { START_MICROS } from './capture-facts.ts';
import { CaptureWriter, type End } from './capture-writer.ts';
import { anotherHello } from './hello-record.ts';
import { quicHello, quicTurns } from './quic-flight.ts';
import { Random } from './random.ts';
import type { RecordedConversation, Turn } from './recorded-conversations.ts';
import { interleave, type Session, TcpSession, UdpSession } from './sessions.ts';

/** Of all flows; the rest is TLS. */
const SHARE = { quic: 0.075, dns: 0.15, http: 0.065 } as const;
/** Of the TLS flows. */
const POST_QUANTUM_SHARE = 0.4;
const IPV6_SHARE = 0.1;
const AT_ONCE = 400;
/** 10,000 packets a second. */
const MEAN_GAP_MICROS = 100;
const CLIENTS = 4_000;
const SERVERS = 3_000;
/** Application data that servers answer with, at most. */
const MAX_ANSWER_BYTES = 4_000;

/** Writes a capture of about `packets` packets to `path`. */
export function writeHelloCapture(
  path: string,
  packets: number,
  recorded: readonly RecordedConversation[],
  seed: number,
): CaptureFacts {
  const writer = new CaptureWriter(path);
  const traffic = new Traffic(recorded, new Random(seed));
  const open = () => (writer.packets < packets ? traffic.open() : undefined);
  interleave(open, writer, new Random(seed + 1), {
    atOnce: AT_ONCE,
    startMicros: START_MICROS,
    meanGapMicros: MEAN_GAP_MICROS,
  });
  writer.end();
  const { flows, tlsHellos, splitHellos, quicHellos } = traffic;
  return { packets: writer.packets, bytes: writer.frameBytes, flows, tlsHellos, splitHellos, quicHellos };
}

class Traffic {
  flows = 0;
  tlsHellos = 0;
  splitHellos = 0;
  quicHellos = 0;

  private readonly random: Random;
  private readonly postQuantum: readonly RecordedConversation[];
  private readonly classic: readonly RecordedConversation[];
  private readonly quic;
  private readonly noise = new Uint8Array(16_384);

  constructor(recorded: readonly RecordedConversation[], random: Random) {
    this.random = random;
    this.postQuantum = recorded.filter((c) => c.postQuantum);
    this.classic = recorded.filter((c) => !c.postQuantum);
    this.quic = recorded
      .filter((c) => c.tls13)
      .map((c) => ({ hello: quicHello(c.hello), serverHello: firstMessage(c.rest[0]!.bytes) }));
    if (this.postQuantum.length === 0 || this.classic.length === 0) {
      throw new Error('the recordings must hold TLS conversations with post-quantum hellos and with others');
    }
    random.fill(this.noise, 0, this.noise.length);
  }

  open(): Session {
    this.flows++;
    const draw = this.random.below(1_000) / 1_000;
    if (draw < SHARE.quic) return this.openQuic();
    if (draw < SHARE.quic + SHARE.dns) return this.openDns();
    if (draw < SHARE.quic + SHARE.dns + SHARE.http) return this.openHttp();
    return this.openTls();
  }

  private openTls(): Session {
    const { random } = this;
    const split = random.chance(POST_QUANTUM_SHARE);
    const { hello, rest, tls13 } = random.pick(split ? this.postQuantum : this.classic);
    this.tlsHellos++;
    if (split) this.splitHellos++;
    const turns = [
      // A certificate in the clear would not fit another name.
      { fromClient: true, bytes: anotherHello(hello, random, tls13) },
      ...rest,
      { fromClient: true, bytes: this.applicationData(100 + random.below(500)) },
      { fromClient: false, bytes: this.applicationData(300 + random.below(MAX_ANSWER_BYTES)) },
    ];
    return new TcpSession(...this.ends(443), turns, random);
  }

  private openQuic(): Session {
    const { random } = this;
    this.quicHellos++;
    const { hello, serverHello } = random.pick(this.quic);
    const turns = quicTurns(anotherHello(hello, random, true), serverHello, random);
    return new UdpSession(...this.ends(443), turns, random);
  }

  private openDns(): Session {
    const id = this.random.below(65_536).toString(16).padStart(4, '0');
    const name = '0477616974076578616d706c6503636f6d00';
    const query = `${id}01000001000000000000${name}00010001`;
    const answer = `${id}81800001000100000000${name}00010001c00c000100010000003c0004c6120005`;
    const turns = [query, answer].map((hex, i) => ({ fromClient: i === 0, bytes: Buffer.from(hex, 'hex') }));
    return new UdpSession(...this.ends(53), turns, this.random);
  }

  private openHttp(): Session {
    const body = 500 + this.random.below(MAX_ANSWER_BYTES);
    const request = 'GET /status HTTP/1.1\r\nHost: intranet.example\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n';
    const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body}\r\n\r\n${'x'.repeat(body)}`;
    const turns: Turn[] = [request, answer].map((text, i) => ({ fromClient: i === 0, bytes: Buffer.from(text) }));
    return new TcpSession(...this.ends(80), turns, this.random);
  }

  /** One TLS record of `size` bytes and its header. */
  private applicationData(size: number): Uint8Array {
    const record = new Uint8Array(5 + size);
    record.set([23, 3, 3, size >> 8, size & 255]);
    const from = this.random.below(this.noise.length - size);
    record.set(this.noise.subarray(from, from + size), 5);
    return record;
  }

  private ends(port: number): [client: End, server: End] {
    const { random } = this;
    const v6 = random.chance(IPV6_SHARE);
    const client = random.below(CLIENTS);
    const server = random.below(SERVERS);
    return [
      { address: v6 ? ipv6(1, client) : ipv4(10, 1, client), port: 1_024 + random.below(64_000) },
      { address: v6 ? ipv6(2, server) : ipv4(198, 18, server), port },
    ];
  }
}

/** The first handshake message of a flight that begins with a record of it. */
const firstMessage = (flight: Uint8Array): Uint8Array => flight.subarray(5, 9 + ((flight[7]! << 8) | flight[8]!));

const ipv4 = (a: number, b: number, host: number): Uint8Array => Uint8Array.of(a, b, host >> 8, host & 255);

/** 2001:db8:NET::HOST */
function ipv6(net: number, host: number): Uint8Array {
  const address = new Uint8Array(16);
  address.set([0x20, 0x01, 0x0d, 0xb8, 0, net]);
  address.set([host >> 8, host & 255], 14);
  return address;
}
