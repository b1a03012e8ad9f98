/**
 * The longest packet that is delivered whole, bytes: libpcap's MAXIMUM_SNAPLEN. Of a longer one (a file with a larger
 * snap length may hold it) the first PACKET_CAP bytes are delivered and the rest is skipped.
 */
export const PACKET_CAP = 262_144;

/**
 * Reads one capture file format from a window that the caller slides over the file.
 *
 * The caller offers bytes[start, end); the parser delivers every packet that is whole, remembers what it learned, and
 * answers with the index of the first byte it still needs. Nothing is allocated per packet. It asks for at most
 * RECORD_CAP bytes to be kept, so a window of that size always makes progress.
 */
export interface RecordParser {
  consume(bytes: Uint8Array, start: number, end: number): number;
  /** What the end of input means with `left` bytes unused: a complaint, or undefined when it ended between records. */
  finish(left: number): string | undefined;
  readonly packets: number;
  /** Set once something was wrong; nothing is read after that. */
  readonly damaged: string | undefined;
}

/** Most bytes a parser needs to see at once: a packet, its headers, and room for options. */
export const RECORD_CAP = PACKET_CAP + 65_536;

/** "1 packet read." */
export function packetsRead(packets: number): string {
  return `${packets} packet${packets === 1 ? '' : 's'} read.`;
}
