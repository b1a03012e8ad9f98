import { BinXmlReader } from './bin-xml.ts';

/** First bytes of an .evtx file, of a chunk and of a record. */
export const FILE_MAGIC = 'ElfFile\0';
const CHUNK_MAGIC = 'ElfChnk\0';
const RECORD_MAGIC = 0x00002a2a;

const FILE_HEADER_BYTES = 4096;
const CHUNK_BYTES = 65_536;
const CHUNK_HEADER_BYTES = 512;
/** Magic, size, number and time before the BinXML of a record; and its size again behind it. */
const RECORD_HEADER_BYTES = 24;
const RECORD_TRAILER_BYTES = 4;

/** What is found in a binary event log, in order. */
export interface EvtxSink {
  /** One event as XML text. */
  event(xml: string): void;
  damage(chunk: number, why: string): void;
}

/**
 * Reads a Windows event log in its binary form, piece by piece: a header of 4 KiB and chunks of 64 KiB, each of which has all
 * that is needed to read its records. A damaged record loses itself, a damaged chunk its own records.
 */
export class EvtxReader {
  private readonly sink: EvtxSink;
  private pending: Buffer = Buffer.alloc(0);
  private header = FILE_HEADER_BYTES;
  private chunks = 0;

  constructor(sink: EvtxSink) {
    this.sink = sink;
  }

  push(bytes: Buffer): void {
    const skipped = Math.min(this.header, bytes.length);
    this.header -= skipped;
    const rest = bytes.subarray(skipped);
    this.pending = this.pending.length === 0 ? rest : Buffer.concat([this.pending, rest]);
    let at = 0;
    for (; this.pending.length - at >= CHUNK_BYTES; at += CHUNK_BYTES)
      this.chunk(this.pending.subarray(at, at + CHUNK_BYTES));
    // A copy, so that the pieces read so far can go.
    this.pending = Buffer.from(this.pending.subarray(at));
  }

  /** A last chunk that is not whole is read as far as it goes. */
  end(): void {
    if (this.pending.length > CHUNK_HEADER_BYTES) this.chunk(this.pending);
    else if (this.header > 0 || this.pending.length > 0) this.sink.damage(this.chunks, 'the event log is cut off');
    this.pending = Buffer.alloc(0);
  }

  private chunk(chunk: Buffer): void {
    const number = this.chunks++;
    if (chunk.toString('latin1', 0, 8) !== CHUNK_MAGIC) {
      // Space that was set aside and never used is zero.
      if (chunk.some((byte) => byte !== 0)) this.sink.damage(number, 'a chunk of the event log is damaged');
      return;
    }
    const reader = new BinXmlReader(chunk);
    const end = Math.min(chunk.readUInt32LE(48), chunk.length);
    let at = CHUNK_HEADER_BYTES;
    while (at + RECORD_HEADER_BYTES <= end && chunk.readUInt32LE(at) === RECORD_MAGIC) {
      const size = chunk.readUInt32LE(at + 4);
      if (size < RECORD_HEADER_BYTES + RECORD_TRAILER_BYTES || at + size > chunk.length) break;
      const xml = reader.read(at + RECORD_HEADER_BYTES, at + size - RECORD_TRAILER_BYTES);
      if (xml === undefined) this.sink.damage(number, 'a record of the event log is damaged');
      else this.sink.event(xml);
      at += size;
    }
    if (at < end) this.sink.damage(number, 'a chunk of the event log is cut off');
  }
}
