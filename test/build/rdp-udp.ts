/** RDP over UDP for tests (MS-RDPEUDP, MS-RDPEUDP2): the datagrams around the turns of a handshake. */
import { be16, be32, concat } from './frames.ts';
import { other } from './tcp-connection.ts';
import type { Turn, Who } from './tls-flights.ts';

export interface RdpUdpOptions {
  /** 1, 2, or 3: as MS-RDPEUDP2 frames it. */
  readonly version: 1 | 2 | 3;
  /** SYNLOSSY: DTLS is carried, a datagram in each. */
  readonly lossy?: boolean;
  /** Bytes carried in one datagram. */
  readonly size?: number;
}

const FIRST: Record<Who, number> = { client: 0xfffffffe, server: 0x0547d72b };
const le16 = (value: number): number[] => [value & 0xff, value >> 8];

function syn(who: Who, o: RdpUdpOptions): Uint8Array {
  const answers = who === 'server';
  const withId = !answers && o.version > 1;
  const flags = 1 | (answers ? 4 : 0) | (o.lossy ? 0x200 : 0) | (withId ? 0x800 : 0) | (o.version > 1 ? 0x1000 : 0);
  const head = concat(answers ? be32(FIRST.client) : be32(0xffffffff), be16(64), be16(flags));
  const data = concat(be32(FIRST[who]), be16(1_232), be16(1_232));
  const extension = o.version > 1 ? concat(be16(1), be16(o.version === 3 ? 0x0101 : 2)) : [];
  const datagram = concat(head, data, withId ? new Uint8Array(32).fill(7) : [], extension);
  return concat(datagram, new Uint8Array(1_232 - datagram.length));
}

/** Version 1 and 2: with an acknowledgement vector of a length that changes, and sometimes one of acknowledgements. */
function source(who: Who, n: number, bytes: Uint8Array): Uint8Array {
  const vector = n % 4;
  const padding = (4 - ((2 + vector) % 4)) % 4;
  const aoa = n % 2 === 1;
  const acked = be32(FIRST[other(who)]);
  return concat(
    acked,
    be16(64),
    be16(0x000c | (aoa ? 0x0100 : 0)),
    be16(vector),
    new Uint8Array(vector + padding),
    aoa ? be32(1) : [],
    be32(FIRST[who] + 1 + n),
    be32(FIRST[who] + 1 + n),
    bytes,
  );
}

/** Version 3: other headers in front of the data each time. */
function packet3(n: number, bytes: Uint8Array, dummy = false): Uint8Array {
  const has = { ack: n % 2 === 1, vector: n % 3 === 2, aoa: n % 2 === 0, overhead: n % 5 === 1, delayed: n % 3 === 0 };
  const flags =
    4 |
    (has.ack ? 1 : 0) |
    (has.vector ? 8 : 0) |
    (has.aoa ? 0x10 : 0) |
    (has.overhead ? 0x40 : 0) |
    (has.delayed ? 0x100 : 0);
  const whole = concat(
    [dummy ? 0xf0 : 0xe0],
    le16(flags | 0xc000),
    has.ack ? [100, 0, 1, 2, 3, 1, 2, 8, 8] : [],
    has.overhead ? [10] : [],
    has.delayed ? [1, 0xf4, 1] : [],
    has.aoa ? [100, 0] : [],
    le16(100 + n),
    has.vector ? [100, 0, 0x82, 1, 2, 3, 4, 0xff, 0x7f] : [],
    le16(1 + n),
    bytes,
  );
  return Uint8Array.from(whole, (byte, i) => (i === 0 ? whole[7]! : i === 7 ? whole[0]! : byte));
}

/** The turns as RDP over UDP carries them. */
export function inRdpUdp(turns: readonly Turn[], o: RdpUdpOptions): Turn[] {
  const sent: Record<Who, number> = { client: 0, server: 0 };
  const carried: Turn[] = [
    ['client', syn('client', o)],
    ['server', syn('server', o)],
  ];
  for (const [who, bytes] of turns) {
    const size = o.lossy ? bytes.length : (o.size ?? 1_000);
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      const n = sent[who]++;
      carried.push([who, o.version === 3 ? packet3(n, part) : source(who, n, part)]);
    }
    if (o.version === 3) carried.push([who, packet3(sent[who], new Uint8Array(300).fill(0x16), true)]);
  }
  return carried;
}
