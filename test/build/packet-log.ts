import { createHash } from 'node:crypto';
import type { PacketSink } from '../../sensor/capture/packet.ts';

/** A sink that writes one line a packet: time, captured and wire length, link type, and what the bytes hash to. */
export class PacketLog implements PacketSink {
  readonly lines: string[] = [];

  packet(bytes: Uint8Array, start: number, end: number, tsMicros: number, wireLength: number, linkType: number): void {
    if (start < 0 || start > end || end > bytes.length)
      throw new Error(`packet outside its buffer: ${start} to ${end}`);
    const digest = createHash('sha1').update(bytes.subarray(start, end)).digest('hex').slice(0, 12);
    this.lines.push(`${tsMicros} ${end - start}/${wireLength} link ${linkType} ${digest}`);
  }
}
