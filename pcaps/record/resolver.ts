/**
 * A DNS responder for the recording network (RFC 1035): A and AAAA of the destinations, an empty answer for other
 * types of those names, NXDOMAIN for everything else.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { DESTINATIONS, RESOLVER_IP } from './destinations.ts';

const TYPE_A = 1;
const TYPE_AAAA = 28;
const TTL_SECONDS = 300;
const HEADER_BYTES = 12;
/** QR, RD, RA. */
const FLAGS_OK = 0x8180;
const FLAGS_NXDOMAIN = 0x8183;

function questionName(message: Buffer): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  while (at < message.length) {
    const length = message[at]!;
    at += 1;
    if (length === 0) return at + 4 <= message.length ? { name: labels.join('.').toLowerCase(), end: at } : undefined;
    if (length > 63 || at + length > message.length) return undefined;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  return undefined;
}

function addressBytes(text: string): Buffer {
  if (!text.includes(':')) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail = ''] = text.split('::');
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const before = words(head);
  const after = words(tail);
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

/** The reply to one query, or undefined for what is no query. */
export function answer(query: Buffer): Buffer | undefined {
  if (query.length < HEADER_BYTES) return undefined;
  const question = questionName(query);
  if (question === undefined) return undefined;
  const type = query.readUInt16BE(question.end);
  const known = DESTINATIONS.find((entry) => entry.name === question.name);
  const address = type === TYPE_A ? known?.ip : type === TYPE_AAAA ? known?.ip6 : undefined;

  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(known === undefined ? FLAGS_NXDOMAIN : FLAGS_OK, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address === undefined ? 0 : 1, 6);
  const parts = [header, query.subarray(HEADER_BYTES, question.end + 4)];
  if (address !== undefined) {
    const data = addressBytes(address);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(TTL_SECONDS, 6);
    record.writeUInt16BE(data.length, 10);
    parts.push(record, data);
  }
  return Buffer.concat(parts);
}

export function startResolver(): void {
  const socket = createSocket('udp4');
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const reply = answer(message);
    if (reply !== undefined) socket.send(reply, from.port, from.address);
  });
  socket.bind(53, RESOLVER_IP);
}
