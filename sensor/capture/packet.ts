/**
 * Where captured packets go. One call a packet, synchronous; `bytes[start, end)` is the captured part of the frame and
 * belongs to the reader: it is valid until the call returns.
 */
export interface PacketSink {
  /**
   * @param tsMicros capture time, microseconds since 1970 UTC (fractions below 1 µs are cut)
   * @param wireLength bytes the frame had on the wire; at least `end - start`
   * @param linkType LINKTYPE_ value of tcpdump.org/linktypes.html
   */
  packet(bytes: Uint8Array, start: number, end: number, tsMicros: number, wireLength: number, linkType: number): void;
}

/** How a capture ended. `damaged` names what was wrong and where; everything before it has been delivered. */
export interface CaptureSummary {
  packets: number;
  /** Bytes of capture file read (after gunzip). */
  bytes: number;
  damaged?: string;
}
