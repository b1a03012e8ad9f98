/** TDS packets (MS-TDS §2.2.3) around the turns of a TLS handshake, for tests. */
import { be16, concat } from './frames.ts';
import type { Turn } from './tls-flights.ts';

/** Packet types. */
export const Tds = { answer: 4, login: 0x10, prelogin: 0x12 } as const;

/** One packet; `last` of its message or not. */
export const tdsPacket = (type: number, content: Uint8Array, last = true): Uint8Array =>
  concat([type, last ? 1 : 0], be16(8 + content.length), [0, 0, 1, 0], content);

/** PRELOGIN options (§2.2.6.5): version, encryption, instance, thread id. */
export function preloginOptions(encryption = 1): Uint8Array {
  const values: readonly (readonly [token: number, value: readonly number[]])[] = [
    [0, [16, 0, 4, 25, 0, 0]],
    [1, [encryption]],
    [2, [0]],
    [3, [0, 0, 0x1b, 0x58]],
  ];
  let offset = 5 * values.length + 1;
  const table: number[] = [];
  for (const [token, value] of values) {
    table.push(token, ...be16(offset), ...be16(value.length));
    offset += value.length;
  }
  return concat(table, [0xff], ...values.map(([, value]) => value));
}

/** The turns as a client of SQL Server has them: `wrapped` of them in packets of at most `size` bytes, the rest bare. */
export function inTds(turns: readonly Turn[], wrapped = turns.length, size = 4_088): Turn[] {
  const carried: Turn[] = [
    ['client', tdsPacket(Tds.prelogin, preloginOptions())],
    ['server', tdsPacket(Tds.answer, preloginOptions())],
  ];
  for (const [i, [who, bytes]] of turns.entries()) {
    if (i >= wrapped) {
      carried.push([who, bytes]);
      continue;
    }
    const packets: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      packets.push(tdsPacket(Tds.prelogin, bytes.subarray(at, at + size), at + size >= bytes.length));
    }
    carried.push([who, concat(...packets)]);
  }
  return carried;
}
