/**
 * The beginning of a QUIC version 1 connection: Initial packets with a ClientHello under the keys that RFC 9001 §5.2
 * derives from the connection id, then packets that nobody but the ends can read. Written from the RFC, apart from the
 * reader in sensor/tls, so that the two check each other.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { type HelloRecord, readHelloRecord } from './hello-record.ts';
import type { Random } from './random.ts';
import type { Turn } from './recorded-conversations.ts';

const SALT = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const CONNECTION_ID_BYTES = 8;
/** RFC 9000 §14.1 asks for 1,200 at least; Chromium sends 1,250. */
const DATAGRAM_BYTES = 1_250;
const TAG_BYTES = 16;
/** First byte 1, version 4, id lengths and ids, token length 1, length 2, packet number 4. */
const HEADER_BYTES = 1 + 4 + 2 * (1 + CONNECTION_ID_BYTES) + 1 + 2 + 4;
const PAYLOAD_BYTES = DATAGRAM_BYTES - HEADER_BYTES - TAG_BYTES;
/** CRYPTO type 1, offset 2, length 2. */
const FRAME_HEADER_BYTES = 5;
const ALPN = 16;

const mac = (key: Uint8Array, data: Uint8Array): Buffer => createHmac('sha256', key).update(data).digest();

function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const full = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, full.length]), full, Buffer.from([0, 1])]);
  return mac(secret, info).subarray(0, length);
}

/** The hello of a QUIC client made from that of a TLS client: h3 as its protocol, and transport parameters. */
export function quicHello(hello: HelloRecord): HelloRecord {
  const type = (extension: Uint8Array) => (extension[0]! << 8) | extension[1]!;
  const extensions = hello.extensions.map((e) => (type(e) === ALPN ? Buffer.from('001000050003026833', 'hex') : e));
  // max_idle_timeout 30 s, initial_max_data 6 MiB (RFC 9000 §18.2)
  const parameters = Buffer.from('0039000c010480007530040480600000', 'hex');
  const block = Buffer.concat([...extensions, parameters]);
  const record = Buffer.concat([hello.record.subarray(0, hello.extensionsAt), block]);
  record.writeUInt16BE(block.length, hello.extensionsAt - 2);
  record.writeUIntBE(record.length - 9, 6, 3);
  record.writeUInt16BE(record.length - 5, 3);
  const made = readHelloRecord(Uint8Array.from(record));
  if (!made) throw new Error('the ClientHello cannot be turned into one for QUIC');
  return made;
}

/** Who the packets are from and under what keys, and the ids that the two sides go by. */
interface Side {
  readonly secret: Buffer;
  readonly own: Uint8Array;
  readonly other: Uint8Array;
}

/** Client Initials with the hello, the server's answer, and a few short-header packets each way. */
export function quicTurns(helloRecord: Uint8Array, serverHello: Uint8Array, random: Random): Turn[] {
  const [first, clientId, serverId] = [0, 0, 0].map(() => {
    const id = new Uint8Array(CONNECTION_ID_BYTES);
    random.fill(id, 0, id.length);
    return id;
  }) as [Uint8Array, Uint8Array, Uint8Array];
  const secret = mac(SALT, first);
  const client = { secret: expandLabel(secret, 'client in', 32), own: clientId, other: first };
  const server = { secret: expandLabel(secret, 'server in', 32), own: serverId, other: clientId };
  const message = helloRecord.subarray(5);
  const room = PAYLOAD_BYTES - FRAME_HEADER_BYTES;
  const turns: Turn[] = [];
  for (let offset = 0; offset < message.length; offset += room) {
    const payload = new Uint8Array(PAYLOAD_BYTES); // zeros are PADDING frames
    payload.set(cryptoFrame(offset, message.subarray(offset, offset + room)));
    turns.push({ fromClient: true, bytes: initial(client, turns.length, payload) });
  }
  turns.push({ fromClient: false, bytes: serverDatagram(server, serverHello, random) });
  for (const [fromClient, size] of [
    [true, 90],
    [true, 400],
    [false, 1_200],
    [true, 40],
  ] as const) {
    turns.push({ fromClient, bytes: shortPacket(fromClient ? serverId : clientId, size, random) });
  }
  return turns;
}

function cryptoFrame(offset: number, data: Uint8Array): Uint8Array {
  const header = [6, 0x40 | (offset >> 8), offset & 255, 0x40 | (data.length >> 8), data.length & 255];
  return Buffer.concat([Buffer.from(header), data]);
}

/** first byte . version . ids . token length (Initial) . length, up to the packet number. */
function longHeader(type: number, side: Side, length: number): Buffer {
  const head = [type, 0, 0, 0, 1, side.other.length, ...side.other, side.own.length, ...side.own];
  if (type === INITIAL) head.push(0);
  return Buffer.from([...head, 0x40 | (length >> 8), length & 255]);
}

/** Long header, Initial or Handshake, packet number of four bytes (RFC 9000 §17.2). */
const INITIAL = 0xc3;
const HANDSHAKE = 0xe3;

function initial(side: Side, number: number, payload: Uint8Array): Uint8Array {
  const header = Buffer.concat([
    longHeader(INITIAL, side, 4 + payload.length + TAG_BYTES),
    Buffer.from([0, 0, 0, number]),
  ]);
  const nonce = expandLabel(side.secret, 'quic iv', 12);
  nonce[11] = nonce[11]! ^ number;
  const cipher = createCipheriv('aes-128-gcm', expandLabel(side.secret, 'quic key', 16), nonce).setAAD(header);
  const sealed = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  const sample = sealed.subarray(0, 16); // the packet number has four bytes (RFC 9001 §5.4.2)
  const mask = createCipheriv('aes-128-ecb', expandLabel(side.secret, 'quic hp', 16), null).update(sample);
  header[0] = header[0]! ^ (mask[0]! & 15);
  for (let i = 0; i < 4; i++) header[header.length - 4 + i]! ^= mask[1 + i]!;
  return Buffer.concat([header, sealed]);
}

/** An Initial that acknowledges packet 0 and carries the ServerHello, and a Handshake packet behind it. */
function serverDatagram(server: Side, serverHello: Uint8Array, random: Random): Uint8Array {
  const ack = Buffer.from([2, 0, 0, 0, 0]);
  const first = initial(server, 0, Buffer.concat([ack, cryptoFrame(0, serverHello)]));
  const rest = DATAGRAM_BYTES - first.length - HEADER_BYTES;
  const sealed = new Uint8Array(4 + rest);
  random.fill(sealed, 0, sealed.length);
  return Buffer.concat([first, longHeader(HANDSHAKE, server, sealed.length), sealed]);
}

/** A 1-RTT packet, of which only the connection id can be read. */
function shortPacket(to: Uint8Array, size: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(size);
  random.fill(bytes, 0, size);
  bytes[0] = 0x40 | (bytes[0]! & 0x3f);
  bytes.set(to, 1);
  return bytes;
}
