import { LittleCursor } from './little-cursor.ts';

/** Types of BinXML values ([MS-EVEN6] §2.2.12 and its BinXml grammar). */
const TYPE = {
  null: 0x00,
  string: 0x01,
  ansiString: 0x02,
  int8: 0x03,
  uint8: 0x04,
  int16: 0x05,
  uint16: 0x06,
  int32: 0x07,
  uint32: 0x08,
  int64: 0x09,
  uint64: 0x0a,
  real32: 0x0b,
  real64: 0x0c,
  bool: 0x0d,
  binary: 0x0e,
  guid: 0x0f,
  size: 0x10,
  fileTime: 0x11,
  systemTime: 0x12,
  sid: 0x13,
  hex32: 0x14,
  hex64: 0x15,
} as const;

export const NULL_TYPE = TYPE.null;
export const BIN_XML_TYPE = 0x21;
const ARRAY_FLAG = 0x80;

/** Between the FILETIME epoch, 1601, and 1970, in 100 ns. */
const FILETIME_EPOCH = 116_444_736_000_000_000n;

type Read = (cursor: LittleCursor, size: number) => string;

const READERS: ReadonlyMap<number, Read> = new Map<number, Read>([
  [TYPE.string, (cursor, size) => cursor.utf16(size >> 1).replace(/\0+$/, '')],
  [TYPE.ansiString, (cursor, size) => cursor.take(size).toString('latin1').replace(/\0+$/, '')],
  [TYPE.int8, (cursor) => String((cursor.u8() << 24) >> 24)],
  [TYPE.uint8, (cursor) => String(cursor.u8())],
  [TYPE.int16, (cursor) => String((cursor.u16() << 16) >> 16)],
  [TYPE.uint16, (cursor) => String(cursor.u16())],
  [TYPE.int32, (cursor) => String(cursor.u32() | 0)],
  [TYPE.uint32, (cursor) => String(cursor.u32())],
  [TYPE.int64, (cursor) => String(BigInt.asIntN(64, cursor.u64()))],
  [TYPE.uint64, (cursor) => String(cursor.u64())],
  [TYPE.real32, (cursor) => String(float(cursor.take(4)))],
  [TYPE.real64, (cursor) => String(float(cursor.take(8)))],
  [TYPE.bool, (cursor, size) => String((size === 1 ? cursor.u8() : cursor.u32()) !== 0)],
  [TYPE.binary, (cursor, size) => cursor.take(size).toString('hex').toUpperCase()],
  [TYPE.guid, guid],
  [TYPE.size, (cursor, size) => `0x${size === 8 ? cursor.u64().toString(16) : cursor.u32().toString(16)}`],
  [TYPE.fileTime, (cursor) => fileTime(cursor.u64())],
  [TYPE.systemTime, systemTime],
  [TYPE.sid, sid],
  [TYPE.hex32, (cursor) => `0x${cursor.u32().toString(16)}`],
  [TYPE.hex64, (cursor) => `0x${cursor.u64().toString(16)}`],
]);

/** A value as Windows writes it in XML; empty when it is of no type that can be written, or shorter than its type. */
export function valueText(bytes: Buffer, start: number, size: number, type: number): string {
  const cursor = new LittleCursor(bytes, start, start + size);
  if ((type & ARRAY_FLAG) !== 0) {
    if ((type & ~ARRAY_FLAG) !== TYPE.string) return '';
    return cursor
      .utf16(size >> 1)
      .split('\0')
      .filter((part) => part !== '')
      .join('\n');
  }
  const text = READERS.get(type)?.(cursor, size) ?? '';
  return cursor.short ? '' : text;
}

function float(bytes: Buffer): number {
  if (bytes.length === 4) return bytes.readFloatLE(0);
  return bytes.length === 8 ? bytes.readDoubleLE(0) : 0;
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

function guid(cursor: LittleCursor): string {
  const first = `${hex(cursor.u32(), 8)}-${hex(cursor.u16(), 4)}-${hex(cursor.u16(), 4)}`;
  const rest = cursor.take(8).toString('hex').toUpperCase();
  return `{${first}-${rest.slice(0, 4)}-${rest.slice(4)}}`;
}

/** With the seven fraction digits of its unit; empty for a time that has no date. */
export function fileTime(count: bigint): string {
  const ticks = count - FILETIME_EPOCH;
  const millis = Number(ticks / 10_000n);
  if (ticks < 0n || millis > 8e15) return '';
  return `${new Date(millis).toISOString().slice(0, 19)}.${String(ticks % 10_000_000n).padStart(7, '0')}Z`;
}

function systemTime(cursor: LittleCursor): string {
  const [year, month, , day, hour, minute, second, millis] = Array.from({ length: 8 }, () => cursor.u16());
  const two = (value: number | undefined) => String(value ?? 0).padStart(2, '0');
  const time = `${two(hour)}:${two(minute)}:${two(second)}.${String(millis ?? 0).padStart(3, '0')}`;
  return `${String(year ?? 0).padStart(4, '0')}-${two(month)}-${two(day)}T${time}Z`;
}

/** `S-R-A-S1-S2…` ([MS-DTYP] §2.4.2). */
function sid(cursor: LittleCursor): string {
  const revision = cursor.u8();
  const count = cursor.u8();
  const authority = cursor.take(6);
  const parts = [revision, authority.length === 6 ? authority.readUIntBE(0, 6) : 0];
  for (let i = 0; i < count && i < 15; i++) parts.push(cursor.u32());
  return `S-${parts.join('-')}`;
}
