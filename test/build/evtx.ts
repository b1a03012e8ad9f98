/** Binary event logs for tests, written from the format's description ([MS-EVEN6] §2.2.12): one template used by every record. */
import type { WindowsEvent } from './endpoint.ts';

const CHUNK_BYTES = 65_536;
const HEADER_BYTES = 512;

class Writer {
  private readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  u8(...values: number[]): void {
    for (const value of values) this.at = this.bytes.writeUInt8(value, this.at);
  }
  u16(value: number): void {
    this.at = this.bytes.writeUInt16LE(value, this.at);
  }
  u32(value: number): void {
    this.at = this.bytes.writeUInt32LE(value, this.at);
  }
  u64(value: bigint): void {
    this.at = this.bytes.writeBigUInt64LE(value, this.at);
  }
  utf16(text: string): void {
    this.at += this.bytes.write(text, this.at, 'utf16le');
  }
  put(bytes: Buffer): void {
    this.at += bytes.copy(this.bytes, this.at);
  }
  patch32(position: number, value: number): void {
    this.bytes.writeUInt32LE(value, position);
  }
}

interface Value {
  readonly type: number;
  readonly bytes: Buffer;
}

const text = (value: string): Value => ({ type: 0x01, bytes: Buffer.from(value, 'utf16le') });

function u(type: number, size: 2 | 4 | 8, value: number | bigint): Value {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return { type, bytes: bytes.subarray(0, size) };
}

const fileTime = (millis: number): bigint => (BigInt(millis) + 11_644_473_600_000n) * 10_000n;

function guid(braced: string): Value {
  const [a, b, c, d, e] = braced.replace(/[{}]/g, '').split('-') as [string, string, string, string, string];
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(Number.parseInt(a, 16), 0);
  bytes.writeUInt16LE(Number.parseInt(b, 16), 4);
  bytes.writeUInt16LE(Number.parseInt(c, 16), 6);
  Buffer.from(d + e, 'hex').copy(bytes, 8);
  return { type: 0x0f, bytes };
}

/** Writes one chunk with a record for each event; names and the template are written once, at their first use. */
export class EvtxChunk {
  readonly bytes = Buffer.alloc(CHUNK_BYTES);
  private readonly writer = new Writer(this.bytes, HEADER_BYTES);
  private readonly names = new Map<string, number>();
  private readonly templates = new Map<string, number>();

  constructor(events: readonly WindowsEvent[]) {
    for (const event of events) this.record(event);
    this.bytes.write('ElfChnk\0', 0, 'latin1');
    this.bytes.writeUInt32LE(128, 40);
    this.bytes.writeUInt32LE(this.writer.at, 48);
  }

  private record(event: WindowsEvent): void {
    const w = this.writer;
    const start = w.at;
    w.u32(0x00002a2a);
    w.u32(0);
    w.u64(BigInt(event.recordId));
    w.u64(fileTime(event.logged));
    w.u8(0x0f, 1, 1, 0);
    this.instance(event);
    w.u8(0x00);
    const size = w.at + 4 - start;
    w.patch32(start + 4, size);
    w.u32(size);
  }

  private instance(event: WindowsEvent): void {
    const w = this.writer;
    const names = Object.keys(event.data);
    const provider = event.log === 'sysmon' ? 'Microsoft-Windows-Sysmon' : 'Microsoft-Windows-Security-Auditing';
    const key = `${provider} ${names.join(' ')}`;
    w.u8(0x0c, 0x01);
    w.u32(1);
    const known = this.templates.get(key);
    w.u32(known ?? w.at + 4);
    if (known === undefined) this.definition(key, names);
    const values = [
      text(provider),
      u(0x06, 2, event.id),
      u(0x11, 8, fileTime(event.logged)),
      u(0x0a, 8, event.recordId),
      text(event.log === 'sysmon' ? 'Microsoft-Windows-Sysmon/Operational' : 'Security'),
      text(event.computer),
      u(0x15, 8, 0x8020000000000000n),
      ...Object.entries(event.data).map(([name, value]) => this.value(name, value)),
    ];
    w.u32(values.length);
    for (const { type, bytes } of values) {
      w.u16(bytes.length);
      w.u8(type, 0);
    }
    for (const { bytes } of values) w.put(bytes);
  }

  /** As Windows types them: GUIDs and pids are no text in the binary log. */
  private value(name: string, value: string): Value {
    if (/Guid$/i.test(name) && value.startsWith('{')) return guid(value);
    if (/ProcessId$/.test(name) && /^\d+$/.test(value)) return u(0x08, 4, Number(value));
    if (/^0x[0-9a-f]+$/i.test(value)) return u(0x15, 8, BigInt(value));
    return value === '' ? { type: 0x00, bytes: Buffer.alloc(0) } : text(value);
  }

  private definition(key: string, names: readonly string[]): void {
    const w = this.writer;
    this.templates.set(key, w.at);
    w.u32(0);
    w.put(Buffer.alloc(16, 1));
    const sizeAt = w.at;
    w.u32(0);
    const start = w.at;
    w.u8(0x0f, 1, 1, 0);
    this.element('Event', [], () => {
      this.element('System', [], () => {
        this.element('Provider', [['Name', 0]]);
        this.element('EventID', [], () => this.substitute(1));
        this.element('TimeCreated', [['SystemTime', 2]]);
        this.element('EventRecordID', [], () => this.substitute(3));
        this.element('Channel', [], () => this.substitute(4));
        this.element('Computer', [], () => this.substitute(5));
        this.element('Keywords', [], () => this.substitute(6));
      });
      this.element('EventData', [], () => {
        for (const [i, name] of names.entries()) this.element('Data', [['Name', name]], () => this.substitute(7 + i));
      });
    });
    w.u8(0x00);
    w.patch32(sizeAt, w.at - start);
  }

  private element(
    name: string,
    attributes: readonly (readonly [string, string | number])[],
    inside?: () => void,
  ): void {
    const w = this.writer;
    w.u8(attributes.length > 0 ? 0x41 : 0x01);
    w.u16(0xffff);
    w.u32(0);
    this.name(name);
    if (attributes.length > 0) w.u32(0);
    for (const [attribute, value] of attributes) {
      w.u8(0x06);
      this.name(attribute);
      if (typeof value === 'number') this.substitute(value);
      else {
        w.u8(0x05, 0x01);
        w.u16(value.length);
        w.utf16(value);
      }
    }
    if (!inside) {
      w.u8(0x03);
      return;
    }
    w.u8(0x02);
    inside();
    w.u8(0x04);
  }

  private substitute(index: number): void {
    this.writer.u8(0x0e);
    this.writer.u16(index);
    this.writer.u8(0x01);
  }

  private name(name: string): void {
    const w = this.writer;
    const known = this.names.get(name);
    w.u32(known ?? w.at + 4);
    if (known !== undefined) return;
    this.names.set(name, w.at);
    w.u32(0);
    w.u16(0);
    w.u16(name.length);
    w.utf16(name);
    w.u16(0);
  }
}

/** A whole log: header and chunks. */
export function evtxFile(...chunks: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(4096);
  header.write('ElfFile\0', 0, 'latin1');
  return Buffer.concat([header, ...chunks]);
}
