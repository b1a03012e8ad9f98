/**
 * Makes a capture small without making it untrue: from the first TLS application-data record on, each direction keeps
 * only the start of every packet, as a snap length would. Headers, lengths, sequence numbers and times stay.
 */
import { decodeFrame, type Frame, flowKey } from './frames.ts';
import type { CapturedPacket } from './pcap-file.ts';

const APPLICATION_DATA = 23;
const RECORD_HEADER_BYTES = 5;
/** Payload bytes kept of every packet after the handshake: a record header and a little more. */
const KEPT_PAYLOAD_BYTES = 8;
/** Directions that show no TLS keep this much. */
const MAX_PLAIN_BYTES = 16_384;

/** One direction of a flow: where its first application-data record starts, once that is known. */
class Direction {
  private next: number | undefined;
  private offset = 0;
  private recordEnds = 0;
  private cut = Number.POSITIVE_INFINITY;

  /** Payload bytes of this packet to keep. */
  keep(frame: Frame, payload: Buffer): number {
    if (this.next === undefined) this.next = frame.seq;
    const start = this.offset + ((frame.seq - this.next) | 0);
    if (start === this.offset) {
      this.follow(start, payload);
      this.offset = start + frame.payloadLength;
      this.next = (frame.seq + frame.payloadLength) >>> 0;
    }
    return Math.max(this.cut - start, KEPT_PAYLOAD_BYTES);
  }

  private follow(start: number, payload: Buffer): void {
    if (start > MAX_PLAIN_BYTES) this.cut = Math.min(this.cut, MAX_PLAIN_BYTES);
    while (this.cut === Number.POSITIVE_INFINITY && this.recordEnds + RECORD_HEADER_BYTES <= start + payload.length) {
      const at = this.recordEnds - start;
      if (at < 0) return;
      if (payload[at] === APPLICATION_DATA) this.cut = this.recordEnds + KEPT_PAYLOAD_BYTES;
      this.recordEnds += RECORD_HEADER_BYTES + payload.readUInt16BE(at + 3);
    }
  }
}

/** Cuts TCP packets to a server on `tlsPort` after the handshake; everything else is kept whole. */
export function trimPayloads(packets: readonly CapturedPacket[], tlsPort: number): CapturedPacket[] {
  const directions = new Map<string, Direction>();
  return packets.map((packet) => {
    const frame = decodeFrame(packet);
    if (frame === undefined || frame.protocol !== 6 || frame.payloadLength === 0) return packet;
    if (frame.sourcePort !== tlsPort && frame.destinationPort !== tlsPort) return packet;
    const key = `${flowKey(frame)} ${frame.source}`;
    const direction = directions.get(key) ?? new Direction();
    directions.set(key, direction);
    const payload = packet.bytes.subarray(frame.payloadAt, frame.payloadAt + frame.payloadLength);
    const kept = Math.min(frame.payloadLength, direction.keep(frame, payload));
    return { ...packet, bytes: packet.bytes.subarray(0, frame.payloadAt + kept) };
  });
}
