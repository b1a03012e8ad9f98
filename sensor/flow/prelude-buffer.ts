import { type Carrier, carrierOf, MAX_OPENING_BYTES } from './carrier.ts';
import { clientPreludeEnd, mayBeginPrelude, mayGreet } from './prelude.ts';

/** First bytes of a side that are kept to name what TLS was upgraded from. */
const HEAD_BYTES = 1_024;
/** A side that has said this much, and as often, talks another protocol than one that turns to TLS. */
const TALK = { chunks: 24, bytes: 512 };
/** The same where a tunnel may be asked for, or an upgrade: a proxy may refuse and a server greet at length before it. */
const PATIENT_TALK = { chunks: 256, bytes: 4_096 };
/** However little it says each time. */
const MAX_CHUNKS = 1_024;

const NOTHING = new Uint8Array(0);

/** What one side said before TLS began. */
export class PreludeBuffer {
  /** Chunks and bytes that were kept or passed over. */
  chunks = 0;
  bytes = 0;
  private kept = NOTHING;
  private size = 0;

  /** Begins anew; the memory stays for the next connection. */
  reset(): void {
    this.chunks = this.bytes = this.size = 0;
  }

  /** The side asks for a tunnel, or greets as one that may turn to TLS: what comes before it may be long. */
  get mayComeToTls(): boolean {
    return mayBeginPrelude(this.kept, this.size) || mayGreet(this.kept, this.size);
  }

  /** This much talk is no prelude any more. */
  isTooLong(patient: boolean): boolean {
    const most = patient ? PATIENT_TALK : TALK;
    return (this.chunks >= most.chunks && this.bytes >= most.bytes) || this.chunks >= MAX_CHUNKS;
  }

  /** The next bytes of the side, which are no TLS. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    this.chunks++;
    this.bytes += end - start;
    const taken = Math.min(end - start, HEAD_BYTES - this.size);
    if (taken <= 0) return;
    if (this.kept.length === 0) this.kept = new Uint8Array(HEAD_BYTES);
    this.kept.set(bytes.subarray(start, start + taken), this.size);
    this.size += taken;
  }

  /** Index in bytes[start, end) behind which TLS may begin, when the side's prelude ends in this chunk; else -1. */
  endIn(bytes: Uint8Array, start: number, end: number): number {
    if (this.bytes > HEAD_BYTES || !mayBeginPrelude(this.size > 0 ? this.kept : bytes.subarray(start, end), 1))
      return -1;
    if (this.size === 0) return relative(clientPreludeEnd(bytes.subarray(start, end)), start, 0, end);
    const joined = new Uint8Array(this.size + (end - start));
    joined.set(this.kept.subarray(0, this.size));
    joined.set(bytes.subarray(start, end), this.size);
    return relative(clientPreludeEnd(joined), start, this.size, end);
  }

  /** The carrier that all that the side has said begins. */
  get carrier(): Carrier | undefined {
    return this.bytes <= MAX_OPENING_BYTES ? carrierOf(this.kept, 0, this.size) : undefined;
  }

  /** The first bytes. */
  view(): Uint8Array {
    return this.kept.subarray(0, this.size);
  }
}

function relative(preludeEnd: number, start: number, before: number, end: number): number {
  const at = start + preludeEnd - before;
  return preludeEnd >= 0 && at > start && at < end ? at : -1;
}
