/**
 * Writes large captures fast: classic pcap, Ethernet, IPv4 and IPv6, TCP and UDP with right lengths and checksums. The
 * frame builders of test/build are for tests; at two million packets these write in place into one buffer.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { onesComplementSum } from '../../sensor/wire/checksum.ts';
import { SYN, TCP, UDP } from '../../sensor/wire/segment.ts';

const CHUNK_BYTES = 4 << 20;
const MAX_FRAME_BYTES = 2_048;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;
const SNAPLEN = 262_144;

/** One end of a conversation. */
export interface End {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

export interface TcpFields {
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  /** IPv4 identification. */
  readonly id: number;
}

/** MSS 1460, SACK permitted, timestamps, window scale 7; the timestamps stay 0. */
const SYN_OPTIONS = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7];
/** Timestamps behind two NOPs. */
const OPTIONS = [1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0];

export class CaptureWriter {
  packets = 0;
  /** Bytes of frames, without the capture's own headers. */
  frameBytes = 0;

  private readonly fd: number;
  private readonly bytes = new Uint8Array(CHUNK_BYTES + MAX_FRAME_BYTES + RECORD_HEADER_BYTES);
  private readonly view = new DataView(this.bytes.buffer);
  private at = 24;

  constructor(path: string) {
    this.fd = openSync(path, 'w');
    this.view.setUint32(0, 0xa1b2c3d4, true);
    this.view.setUint16(4, 2, true);
    this.view.setUint16(6, 4, true);
    this.view.setUint32(16, SNAPLEN, true);
    this.view.setUint32(20, 1, true);
  }

  /** A TCP segment with payload[start, end). */
  tcp(tsMicros: number, from: End, to: End, fields: TcpFields, payload: Uint8Array, start: number, end: number): void {
    const { view, bytes } = this;
    const options = (fields.flags & SYN) !== 0 ? SYN_OPTIONS : OPTIONS;
    const length = 20 + options.length + (end - start);
    const at = this.ip(tsMicros, from, to, TCP, length, fields.id);
    view.setUint16(at, from.port);
    view.setUint16(at + 2, to.port);
    view.setUint32(at + 4, fields.seq >>> 0);
    view.setUint32(at + 8, fields.ack >>> 0);
    bytes[at + 12] = (5 + options.length / 4) << 4;
    bytes[at + 13] = fields.flags;
    view.setUint16(at + 14, 502);
    view.setUint32(at + 16, 0);
    bytes.set(options, at + 20);
    bytes.set(payload.subarray(start, end), at + 20 + options.length);
    view.setUint16(at + 16, this.transportChecksum(from, to, TCP, at, at + length));
    this.close(at + length);
  }

  /** A UDP datagram. */
  udp(tsMicros: number, from: End, to: End, id: number, payload: Uint8Array): void {
    const { view } = this;
    const length = 8 + payload.length;
    const at = this.ip(tsMicros, from, to, UDP, length, id);
    view.setUint16(at, from.port);
    view.setUint16(at + 2, to.port);
    view.setUint16(at + 4, length);
    view.setUint16(at + 6, 0);
    this.bytes.set(payload, at + 8);
    view.setUint16(at + 6, this.transportChecksum(from, to, UDP, at, at + length) || 0xffff);
    this.close(at + length);
  }

  end(): void {
    this.flush();
    closeSync(this.fd);
  }

  /** Writes capture, Ethernet and IP headers; where the transport header begins. */
  private ip(tsMicros: number, from: End, to: End, protocol: number, length: number, id: number): number {
    const { view, bytes } = this;
    const v4 = from.address.length === 4;
    const size = ETHERNET_BYTES + (v4 ? 20 : 40) + length;
    view.setUint32(this.at, Math.floor(tsMicros / 1e6), true);
    view.setUint32(this.at + 4, tsMicros % 1e6, true);
    view.setUint32(this.at + 8, size, true);
    view.setUint32(this.at + 12, size, true);
    let at = this.at + RECORD_HEADER_BYTES;
    view.setUint32(at, 0x02000000);
    view.setUint32(at + 4, 0x00020200);
    view.setUint32(at + 8, 0x00000001);
    view.setUint16(at + 12, v4 ? 0x0800 : 0x86dd);
    at += ETHERNET_BYTES;
    if (v4) {
      view.setUint32(at, 0x45000000 | (20 + length));
      view.setUint32(at + 4, ((id & 0xffff) << 16) | 0x4000);
      view.setUint32(at + 8, 0x40000000 | (protocol << 16));
      bytes.set(from.address, at + 12);
      bytes.set(to.address, at + 16);
      view.setUint16(at + 10, 0xffff - onesComplementSum(bytes, at, at + 20, 0));
      return at + 20;
    }
    view.setUint32(at, 0x60000000);
    view.setUint32(at + 4, (length << 16) | (protocol << 8) | 64);
    bytes.set(from.address, at + 8);
    bytes.set(to.address, at + 24);
    return at + 40;
  }

  private transportChecksum(from: End, to: End, protocol: number, at: number, end: number): number {
    const size = from.address.length;
    const pseudo = onesComplementSum(
      to.address,
      0,
      size,
      onesComplementSum(from.address, 0, size, protocol + end - at),
    );
    return 0xffff - onesComplementSum(this.bytes, at, end, pseudo);
  }

  private close(end: number): void {
    this.packets++;
    this.frameBytes += end - this.at - RECORD_HEADER_BYTES;
    this.at = end;
    if (this.at >= CHUNK_BYTES) this.flush();
  }

  private flush(): void {
    for (let done = 0; done < this.at; ) done += writeSync(this.fd, this.bytes, done, this.at - done);
    this.at = 0;
  }
}
