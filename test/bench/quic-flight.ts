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
  const made = readHelloRecord(record);
  if (!made) throw new Error('the ClientHello cannot be turned into one for QUIC');
  return made;
}

/** Client Initials with the hello, a server datagram, and a few short-header packets each way. */
export function quicTurns(helloRecord: Uint8Array, random: Random): Turn[] {
  const dcid = new Uint8Array(CONNECTION_ID_BYTES);
  const scid = new Uint8Array(CONNECTION_ID_BYTES);
  random.fill(dcid, 0, dcid.length);
  random.fill(scid, 0, scid.length);
  const secret = expandLabel(mac(SALT, dcid), 'client in', 32);
  const message = helloRecord.subarray(5);
  const room = PAYLOAD_BYTES - FRAME_HEADER_BYTES;
  const turns: Turn[] = [];
  for (let offset = 0; offset < message.length; offset += room) {
    const payload = new Uint8Array(PAYLOAD_BYTES); // zeros are PADDING frames
    const part = message.subarray(offset, offset + room);
    payload.set([6, 0x40 | (offset >> 8), offset & 255, 0x40 | (part.length >> 8), part.length & 255]);
    payload.set(part, FRAME_HEADER_BYTES);
    turns.push({ fromClient: true, bytes: initial(secret, dcid, scid, turns.length, payload) });
  }
  turns.push({ fromClient: false, bytes: opaque(0xc0, scid, dcid, DATAGRAM_BYTES, random) });
  for (const [fromClient, size] of [
    [true, 90],
    [true, 400],
    [false, 1_200],
    [true, 40],
  ] as const) {
    turns.push({ fromClient, bytes: opaque(0x40, fromClient ? dcid : scid, undefined, size, random) });
  }
  return turns;
}

function initial(
  secret: Uint8Array,
  dcid: Uint8Array,
  scid: Uint8Array,
  number: number,
  payload: Uint8Array,
): Uint8Array {
  const length = 4 + payload.length + TAG_BYTES;
  const header = Buffer.concat([
    Buffer.from([0xc3, 0, 0, 0, 1, dcid.length]),
    dcid,
    Buffer.from([scid.length]),
    scid,
    Buffer.from([0, 0x40 | (length >> 8), length & 255, 0, 0, 0, number]),
  ]);
  const nonce = expandLabel(secret, 'quic iv', 12);
  nonce[11] = nonce[11]! ^ number;
  const cipher = createCipheriv('aes-128-gcm', expandLabel(secret, 'quic key', 16), nonce).setAAD(header);
  const sealed = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  const sample = sealed.subarray(0, 16); // the packet number has four bytes (RFC 9001 §5.4.2)
  const mask = createCipheriv('aes-128-ecb', expandLabel(secret, 'quic hp', 16), null).update(sample);
  header[0] = header[0]! ^ (mask[0]! & 15);
  for (let i = 0; i < 4; i++) header[header.length - 4 + i]! ^= mask[1 + i]!;
  return Buffer.concat([header, sealed]);
}

/** A packet of which only the header can be read: an Initial that opens with no key of ours, or a short header. */
function opaque(
  first: number,
  dcid: Uint8Array,
  scid: Uint8Array | undefined,
  size: number,
  random: Random,
): Uint8Array {
  const bytes = new Uint8Array(size);
  random.fill(bytes, 0, size);
  bytes[0] = first | (bytes[0]! & 0x0f);
  if (scid === undefined) {
    bytes.set(dcid, 1);
    return bytes;
  }
  bytes.set([0, 0, 0, 1, dcid.length], 1);
  bytes.set(dcid, 6);
  bytes[14] = scid.length;
  bytes.set(scid, 15);
  const length = size - 26;
  bytes.set([0, 0x40 | (length >> 8), length & 255], 23);
  return bytes;
}
