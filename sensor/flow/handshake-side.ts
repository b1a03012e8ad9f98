import type { ClientHello } from '../tls/client-hello.ts';
import type { HandshakeSink } from '../tls/handshake-events.ts';
import { HandshakeStream } from '../tls/handshake-stream.ts';
import type { SshStream } from '../tls/ssh.ts';
import { type Segment, SYN } from '../wire/segment.ts';
import type { CarriedStream } from './carrier.ts';
import type { Conversation } from './conversation.ts';
import { MidstreamScan } from './midstream-scan.ts';
import { PreludeBuffer } from './prelude-buffer.ts';
import { type Doubt, type HeldMemory, StreamAssembler } from './stream-assembler.ts';

/** Time-to-live differences up to this are route changes; beyond, a segment is not taken from the connection's sender. */
const TTL_SLACK = 4;
/** A probe that needs more bytes than this has seen no TLS. */
export const PROBE_BYTES = 16;

/** Whoever puts the two sides of a handshake together. */
export interface SideOwner {
  readonly conversation: Conversation;
  clientHello(hello: ClientHello): void;
  /** In-order bytes of one direction. */
  take(side: HandshakeSide, bytes: Uint8Array, start: number, end: number): void;
}

/** One direction while the handshake is read. */
export class HandshakeSide {
  readonly direction: number;
  readonly assembler: StreamAssembler;
  readonly stream: HandshakeStream;
  /** Bound once: the assembler calls it for every in-order chunk. */
  readonly deliver: (bytes: Uint8Array, start: number, end: number) => void;
  sawSyn = false;
  tls = false;
  /** This direction's part of the handshake is read; its payload is only counted. */
  finished = false;
  /** Time-to-live of its packets. */
  ttl = 0;
  /** That of the latest segment that differs from it. */
  foreignTtl = 0;
  badChecksums = 0;
  offload = false;
  ssh: SshStream | undefined;
  carried: CarriedStream | undefined;
  readonly midstream = new MidstreamScan();
  bytes = 0;
  readonly pending = new Uint8Array(PROBE_BYTES);
  pendingSize = 0;
  readonly prelude = new PreludeBuffer();

  constructor(direction: number, owner: SideOwner, memory: HeldMemory) {
    this.direction = direction;
    this.assembler = new StreamAssembler(memory);
    this.stream = new HandshakeStream(sinkOf(owner, direction));
    this.deliver = (bytes, start, end) => owner.take(this, bytes, start, end);
  }

  reset(): void {
    this.assembler.reset();
    this.stream.reset();
    this.ssh = undefined;
    this.carried = undefined;
    this.sawSyn = this.tls = this.finished = this.offload = false;
    this.ttl = this.foreignTtl = this.badChecksums = this.bytes = this.pendingSize = 0;
    this.prelude.reset();
    this.midstream.reset();
  }

  /** How far a segment of this direction is to be believed before the peer acknowledges it. */
  doubtOf(s: Segment, badChecksum: boolean): Doubt {
    const foreign = this.ttl !== 0 && Math.abs(s.ttl - this.ttl) > TTL_SLACK;
    if (this.ttl === 0) this.ttl = s.ttl;
    if (foreign) this.foreignTtl = s.ttl;
    if (badChecksum) this.badChecksums++;
    if (isPadding(s)) return 2;
    // Data on a SYN (TCP Fast Open) may be refused, or the SYN forged.
    const early = (s.flags & SYN) !== 0;
    // Once a wrong checksum of this side was acknowledged, its checksums are filled in behind the capture point.
    return foreign || early || (badChecksum && !this.offload) ? 1 : 0;
  }

  /** The peer has acknowledged what was doubted: more like it is believed. */
  trust(): void {
    if (this.badChecksums > 0) this.offload = true;
    if (this.foreignTtl !== 0) this.ttl = this.foreignTtl;
  }

  /** Marks what was odd about the segments of this direction. */
  nameOddities(c: Conversation): void {
    const a = this.assembler;
    if (a.outOfOrder) c.mark('out_of_order');
    if (a.overlapDiffers || a.restarted) c.mark('overlap_differs');
    if (a.doubtfulReplaced) c.mark('doubtful_replaced');
    if (a.gap) c.mark('gap');
    if (a.overCap > 0) c.mark('over_cap');
    if (this.badChecksums > 0 && a.doubtConfirmed) c.mark('bad_checksum');
  }
}

/** The readers keep one sink for life; conversations come and go. What the wrong side says (client certificates) is left out. */
function sinkOf(owner: SideOwner, direction: number): HandshakeSink {
  const isClient = () => owner.conversation.client === direction;
  return {
    clientHello: (hello) => isClient() && owner.clientHello(hello),
    sslV2Hello: () => isClient() && owner.conversation.sslV2Hello(),
    helloRetryRequest: () => !isClient() && owner.conversation.helloRetryRequest(),
    serverHello: (hello) => !isClient() && owner.conversation.serverHello(hello),
    certificate: (reading) => !isClient() && owner.conversation.certificate(reading),
    changeCipherSpec: () => owner.conversation.changeCipherSpec(),
    finishedRecord: () => owner.conversation.finishedRecord(),
    applicationData: () => owner.conversation.applicationData(),
    alert: () => owner.conversation.alert(),
    bad: (message, why) => owner.conversation.bad(message, why),
  };
}

/** A few zero bytes on a bare acknowledgement: Ethernet padding that a middlebox took for payload. */
function isPadding(s: Segment): boolean {
  const size = s.payloadEnd - s.payloadStart;
  if (size === 0 || size > 6 || (s.flags & 0x08) !== 0) return false;
  for (let i = s.payloadStart; i < s.payloadEnd; i++) if (s.bytes[i] !== 0) return false;
  return true;
}
