import { MAX_RECORD_BYTES, RECORD_HEADER_BYTES } from '../tls/tls-record.ts';

const APPLICATION_DATA = 23;
/** Least length of an encrypted record: one byte of data and an authentication tag. */
const LEAST_RECORD = 17;

/**
 * Looks for TLS in the middle of a stream whose beginning was not captured: the header of an application data record
 * (RFC 8446 §5.1), wherever it stands, and another one exactly where the first record ends. Random bytes pass for that
 * less than once in 2^50.
 */
export class MidstreamScan {
  /** Bytes up to where a header must stand; -1 while no record was found. */
  private skip = -1;
  private readonly header = new Uint8Array(RECORD_HEADER_BYTES);
  private headerSize = 0;

  reset(): void {
    this.skip = -1;
    this.headerSize = 0;
  }

  /** The next bytes of the stream; true once two records in a row were seen. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (this.skip < 0) {
        at = this.search(bytes, at, end);
      } else if (this.skip > 0) {
        const skipped = Math.min(this.skip, end - at);
        this.skip -= skipped;
        at += skipped;
      } else {
        this.header[this.headerSize++] = bytes[at++]!;
        if (this.headerSize < RECORD_HEADER_BYTES) continue;
        if (recordLength(this.header, 0) >= 0) return true;
        this.reset();
      }
    }
    return false;
  }

  /** Finds a record and returns where its data begins, or the end. A header cut in two is not looked for. */
  private search(bytes: Uint8Array, from: number, end: number): number {
    for (let at = from; at + RECORD_HEADER_BYTES <= end; at++) {
      const length = recordLength(bytes, at);
      if (length < 0) continue;
      this.skip = length;
      return at + RECORD_HEADER_BYTES;
    }
    return end;
  }
}

/** Length of the application data record whose header is at `at`; -1 when there is none. */
function recordLength(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== APPLICATION_DATA || bytes[at + 1] !== 3 || bytes[at + 2]! > 4) return -1;
  const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
  return length >= LEAST_RECORD && length <= MAX_RECORD_BYTES ? length : -1;
}
