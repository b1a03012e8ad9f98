import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * ZIP files (PKWARE APPNOTE 6.3.10) as far as bundles need them: stored or deflated members, no encryption, no Zip64, no
 * comments. Written without times, so that the same members give the same file.
 *
 *     local header      30 + name    PK\3\4  version flags method time date crc32 size size name-length extra-length
 *     data               …
 *     central header    46 + name    PK\1\2  the same again, and where the local header lies
 *     end               22           PK\5\6  disks, counts, size and place of the central directory
 */
export interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ZipLimits {
  readonly members: number;
  /** Bytes of all members together, unpacked. */
  readonly bytes: number;
  /** Which names are taken; of anything else nothing is unpacked. */
  readonly takes: (name: string) => boolean;
}

export type ZipReading =
  | { readonly kind: 'ok'; readonly members: ReadonlyMap<string, Buffer> }
  | { readonly kind: 'bad'; readonly why: string };

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const STORED = 0;
const DEFLATED = 8;
/** 1980-01-01, the first day that the format knows. */
const NO_DATE = 0x21;
/** Names are UTF-8. */
const UTF8 = 0x0800;

/** Members in their order; names must be plain ASCII paths. */
export function writeZip(members: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    const packed = deflateRawSync(bytes);
    const isSmaller = packed.length < bytes.length;
    const data = isSmaller ? packed : Buffer.from(bytes);
    const method = isSmaller ? DEFLATED : STORED;
    const text = Buffer.from(name, 'utf8');
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed: 2.0
    common.writeUInt16LE(UTF8, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt16LE(NO_DATE, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(text.length, 22);
    parts.push(word(LOCAL), common, text, data);
    const rest = Buffer.alloc(14); // comment, disk and attributes: none
    rest.writeUInt32LE(offset, 10);
    directory.push(word(CENTRAL), Buffer.of(20, 0), common, rest, text);
    offset += LOCAL_BYTES + text.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** Unpacks a file of any origin. Never throws, and never unpacks more than the limits say. */
export function readZip(file: Buffer, limits: ZipLimits): ZipReading {
  const end = file.length - END_BYTES;
  if (end < 0 || file.readUInt32LE(end) !== END) return bad('this is no zip file, or its end is missing');
  const count = file.readUInt16LE(end + 10);
  if (count > limits.members) return bad(`${count} members, more than ${limits.members}`);
  const members = new Map<string, Buffer>();
  let at = file.readUInt32LE(end + 16);
  let room = limits.bytes;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || file.readUInt32LE(at) !== CENTRAL) return bad('its directory is damaged');
    const nameLength = file.readUInt16LE(at + 28);
    const next = at + CENTRAL_BYTES + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
    if (next > end) return bad('its directory is damaged');
    const name = file.toString('utf8', at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength);
    if (!limits.takes(name)) return bad(`${JSON.stringify(name.slice(0, 100))}: no member of a bundle has this name`);
    if (members.has(name)) return bad(`${name}: stands in it twice`);
    const size = file.readUInt32LE(at + 24);
    if (size > room) return bad(`${name}: unpacked it would be more than ${limits.bytes} bytes with those before it`);
    const bytes = unpacked(file, at, size);
    if (typeof bytes === 'string') return bad(`${name}: ${bytes}`);
    members.set(name, bytes);
    room -= size;
    at = next;
  }
  return { kind: 'ok', members };
}

/** The member that a directory entry names, or why it cannot be had. */
function unpacked(file: Buffer, entry: number, size: number): Buffer | string {
  if ((file.readUInt16LE(entry + 8) & 1) !== 0) return 'is encrypted';
  const packedSize = file.readUInt32LE(entry + 20);
  const local = file.readUInt32LE(entry + 42);
  if (local + LOCAL_BYTES > file.length || file.readUInt32LE(local) !== LOCAL)
    return 'its place in the file is damaged';
  const start = local + LOCAL_BYTES + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
  if (start + packedSize > file.length) return 'is cut off';
  const data = file.subarray(start, start + packedSize);
  const method = file.readUInt16LE(entry + 10);
  const bytes = method === STORED ? Buffer.from(data) : method === DEFLATED ? inflated(data, size) : undefined;
  if (bytes === undefined || bytes.length !== size) return 'cannot be unpacked';
  return crc32(bytes) === file.readUInt32LE(entry + 16) ? bytes : 'is damaged (CRC-32)';
}

function inflated(data: Buffer, size: number): Buffer | undefined {
  try {
    return inflateRawSync(data, { maxOutputLength: Math.max(1, size) });
  } catch {
    return undefined; // broken, or larger than it says
  }
}

const bad = (why: string): ZipReading => ({ kind: 'bad', why });
