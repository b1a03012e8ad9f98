import { ByteCursor } from '../base/cursor.ts';
import type { OffsetBuffer } from '../base/offset-buffer.ts';

/** Frames that Initial packets may carry (RFC 9000 §12.4), and Google's CRYPTO. */
const FrameType = {
  padding: 0x00,
  ping: 0x01,
  ack: 0x02,
  ackWithCounts: 0x03,
  crypto: 0x06,
  googleCrypto: 0x08,
} as const;

/**
 * Puts the CRYPTO data of one decrypted Initial into `into`. Stops at the first frame that an Initial cannot carry or that
 * does not fit. False when a cap of `into` refused data.
 */
export function collectCrypto(payload: Uint8Array, googleFrames: boolean, into: OffsetBuffer): boolean {
  const frames = new ByteCursor(payload);
  const cryptoType: number = googleFrames ? FrameType.googleCrypto : FrameType.crypto;
  let fits = true;
  while (frames.left > 0) {
    const type = frames.u8();
    if (type === FrameType.padding || type === FrameType.ping) continue;
    if (type === cryptoType) {
      const offset = frames.varint();
      const data = frames.window(frames.varint());
      if (frames.short) return fits;
      fits = into.add(offset, data.bytes, data.at, data.end) && fits;
    } else if (type === FrameType.ack || type === FrameType.ackWithCounts) {
      skipAck(frames, type === FrameType.ackWithCounts);
    } else {
      return fits;
    }
  }
  return fits;
}

/** RFC 9000 §19.3: largest, delay, range count, first range, then (gap, range) pairs, then three ECN counts. */
function skipAck(frames: ByteCursor, withCounts: boolean): void {
  frames.varint();
  frames.varint();
  const ranges = frames.varint();
  frames.varint();
  for (let i = 0; i < 2 * ranges && !frames.short; i++) frames.varint();
  for (let i = 0; withCounts && i < 3; i++) frames.varint();
}
