/**
 * Reads back what the recorder captured: TCP flows with their true byte counts, and DNS answers. It knows exactly the
 * frames of the recording network (Ethernet, IPv4 without options, IPv6 without extension headers) and is kept apart
 * from the sensor on purpose: the expectations beside the captures must not come from the code they test.
 */
import type { CapturedPacket } from './pcap-file.ts';

const ETHERNET_BYTES = 14;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const SYN = 0x02;
const ACK = 0x10;

export interface Frame {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP sequence number and flags; 0 for UDP. */
  readonly seq: number;
  readonly flags: number;
  /** Offset of the TCP or UDP header in the frame. */
  readonly transportAt: number;
  /** Offset of the payload in the frame and its length on the wire. */
  readonly payloadAt: number;
  readonly payloadLength: number;
}

/** One conversation as its client opened it: a TCP connection, or datagrams to the TLS port (QUIC). */
export interface Flow {
  readonly transport: 'tcp' | 'udp';
  /** Time of the first SYN or datagram, microseconds. */
  readonly at: number;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Payload bytes of each side: from sequence numbers, or the sum of the datagrams. */
  clientBytes: number;
  serverBytes: number;
}

export interface DnsAnswer {
  readonly at: number;
  readonly client: string;
  /** Port of the resolver socket: with `client` it finds query and reply again. */
  readonly clientPort: number;
  readonly name: string;
  readonly addresses: readonly string[];
}

export function ipv6Text(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const text = words.join(':');
  const zeros = [...text.matchAll(/(?:^|:)(?:0(?::0)+)(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (zeros === undefined) return text;
  return `${text.slice(0, zeros.index)}::${text.slice(zeros.index + zeros[0].length + 1)}`;
}

export function decodeFrame({ bytes }: CapturedPacket): Frame | undefined {
  const type = bytes.readUInt16BE(12);
  const ip = bytes.subarray(ETHERNET_BYTES);
  const v4 = type === IPV4;
  if (!v4 && type !== IPV6) return undefined;
  const protocol = v4 ? ip[9]! : ip[6]!;
  const headerBytes = v4 ? 20 : 40;
  const ipBytes = v4 ? ip.readUInt16BE(2) : 40 + ip.readUInt16BE(4);
  const ends = v4
    ? [Array.from(ip.subarray(12, 16)).join('.'), Array.from(ip.subarray(16, 20)).join('.')]
    : [ipv6Text(ip.subarray(8, 24)), ipv6Text(ip.subarray(24, 40))];
  if (protocol !== 6 && protocol !== 17) return undefined;
  const transport = ip.subarray(headerBytes);
  const tcp = protocol === 6;
  const transportBytes = tcp ? (transport[12]! >> 4) * 4 : 8;
  return {
    protocol,
    source: ends[0]!,
    destination: ends[1]!,
    sourcePort: transport.readUInt16BE(0),
    destinationPort: transport.readUInt16BE(2),
    seq: tcp ? transport.readUInt32BE(4) : 0,
    flags: tcp ? transport[13]! : 0,
    transportAt: ETHERNET_BYTES + headerBytes,
    payloadAt: ETHERNET_BYTES + headerBytes + transportBytes,
    payloadLength: ipBytes - headerBytes - transportBytes,
  };
}

/** The same key for both directions. */
export function flowKey(frame: Frame): string {
  const ends = [`${frame.source} ${frame.sourcePort}`, `${frame.destination} ${frame.destinationPort}`].sort();
  return `${frame.protocol} ${ends[0]} ${ends[1]}`;
}

/** QUIC conversations: datagrams to `port`, in the order of their first one. */
export function readQuicFlows(packets: readonly CapturedPacket[], port: number): Flow[] {
  const flows = new Map<string, Flow>();
  for (const packet of packets) {
    const frame = decodeFrame(packet);
    if (frame === undefined || frame.protocol !== 17) continue;
    const known = flows.get(flowKey(frame));
    if (known === undefined) {
      if (frame.destinationPort !== port) continue;
      flows.set(flowKey(frame), {
        ...{ transport: 'udp', at: packet.at, clientBytes: frame.payloadLength, serverBytes: 0 },
        ...{ client: frame.source, clientPort: frame.sourcePort },
        ...{ server: frame.destination, serverPort: frame.destinationPort },
      });
    } else if (frame.destinationPort === port) known.clientBytes += frame.payloadLength;
    else known.serverBytes += frame.payloadLength;
  }
  return [...flows.values()];
}

interface Tracked {
  readonly flow: Flow;
  clientStart: number;
  serverStart: number | undefined;
}

/** All TCP connections of a capture, in the order of their SYNs. A reused tuple starts a new flow with its SYN. */
export function readFlows(packets: readonly CapturedPacket[]): Flow[] {
  const live = new Map<string, Tracked>();
  const flows: Flow[] = [];
  for (const packet of packets) {
    const frame = decodeFrame(packet);
    if (frame === undefined || frame.protocol !== 6) continue;
    const key = flowKey(frame);
    const opening = (frame.flags & (SYN | ACK)) === SYN;
    const known = live.get(key);
    if (opening && known?.clientStart !== frame.seq + 1) {
      const flow: Flow = {
        transport: 'tcp',
        at: packet.at,
        client: frame.source,
        clientPort: frame.sourcePort,
        server: frame.destination,
        serverPort: frame.destinationPort,
        clientBytes: 0,
        serverBytes: 0,
      };
      live.set(key, { flow, clientStart: frame.seq + 1, serverStart: undefined });
      flows.push(flow);
    } else if (known !== undefined) {
      count(known, frame);
    }
  }
  return flows;
}

function count(known: Tracked, frame: Frame): void {
  const fromClient = frame.source === known.flow.client && frame.sourcePort === known.flow.clientPort;
  if (!fromClient && (frame.flags & SYN) !== 0) known.serverStart = frame.seq + 1;
  const start = fromClient ? known.clientStart : known.serverStart;
  if (start === undefined || frame.payloadLength === 0) return;
  const sent = ((frame.seq - start) >>> 0) + frame.payloadLength;
  if (fromClient) known.flow.clientBytes = Math.max(known.flow.clientBytes, sent);
  else known.flow.serverBytes = Math.max(known.flow.serverBytes, sent);
}

/** A and AAAA answers of the recording network's resolver; replies without an address are left out. */
export function readDnsAnswers(packets: readonly CapturedPacket[]): DnsAnswer[] {
  const answers: DnsAnswer[] = [];
  for (const packet of packets) {
    const frame = decodeFrame(packet);
    if (frame === undefined || frame.protocol !== 17 || frame.sourcePort !== 53) continue;
    const message = packet.bytes.subarray(frame.payloadAt, frame.payloadAt + frame.payloadLength);
    if (message.readUInt16BE(6) !== 1) continue;
    const labels: string[] = [];
    let at = 12;
    for (let length = message[at]!; length !== 0; length = message[at]!) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const data = message.subarray(at + 5 + 12);
    const address = data.length === 4 ? Array.from(data).join('.') : ipv6Text(data);
    const client = { client: frame.destination, clientPort: frame.destinationPort };
    answers.push({ at: packet.at, ...client, name: labels.join('.'), addresses: [address] });
  }
  return answers;
}
