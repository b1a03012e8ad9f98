/**
 * The record layer of TLS over TCP (RFC 8446 §5.1, RFC 5246 §6.2.1), one direction of it.
 *
 *     struct {
 *         ContentType type;                  1
 *         ProtocolVersion legacy_version;    2
 *         uint16 length;                     2
 *         opaque fragment[length];
 *     } TLSPlaintext;
 *
 * TCP bytes → records → handshake messages. A segment may end anywhere in a record and a record anywhere in a message.
 */
import { GrowingBuffer } from '../base/growing-buffer.ts';
import type { Fault } from '../base/outcome.ts';
import { HandshakeAssembler } from './handshake-assembler.ts';
import type { HandshakeSink } from './handshake-events.ts';
import { HandshakeMessages } from './handshake-messages.ts';
import { PartialHeader } from './partial-header.ts';
import { parseSslV2Hello } from './sslv2-hello.ts';
import { ContentType, isContentType, isRecordVersion, MAX_RECORD_BYTES, RECORD_HEADER_BYTES } from './tls-record.ts';
import { SSL2 } from './tls-versions.ts';

/** level(1), description(1) */
const ALERT_BYTES = 2;
/** type(1), length(3), version(2): enough to tell a hello in the clear from an encrypted message. */
const PEEK_BYTES = 6;
/** The longest SSLv2-format hello that is waited for; real ones stay below 300 bytes. */
const MAX_SSLV2_BYTES = 1_024;

/** What the next bytes are. */
type Phase =
  /** The first of the stream: TLS records, or an SSLv2-format hello. */
  | 'start'
  | 'sslv2'
  | 'record-header'
  /** The first bytes of a handshake record after ChangeCipherSpec, still to be told apart. */
  | 'peek'
  | 'fragment'
  /** Application data, or no TLS: nothing more is read. */
  | 'opaque';

/**
 * Reads one direction of a TLS connection from its first byte on and reports to a sink. Bytes must come in order and
 * without gaps; cuts may be anywhere. Nothing is copied unless a header or a message spans two pushes or two records.
 */
export class HandshakeStream {
  private readonly sink: HandshakeSink;
  private readonly messages: HandshakeMessages;
  private readonly assembler: HandshakeAssembler;
  private readonly header = new PartialHeader();
  private phase: Phase = 'start';
  private recordType = 0;
  /** Bytes of the current record still to come. */
  private fragmentLeft = 0;
  private cipherChanged = false;
  private encrypted = false;
  private finishedSeen = false;
  private sslv2: GrowingBuffer | undefined;

  constructor(sink: HandshakeSink) {
    this.sink = sink;
    this.messages = new HandshakeMessages(sink, 'tls');
    this.assembler = new HandshakeAssembler(this.messages);
  }

  /** True once nothing that is pushed can matter any more. */
  get done(): boolean {
    return this.phase === 'opaque';
  }

  /** True when the stream stopped inside a record or a handshake message: at its end, the handshake is incomplete. */
  get inMessage(): boolean {
    if (this.phase === 'opaque' || this.phase === 'start') return false;
    return this.phase !== 'record-header' || this.header.count > 0 || this.assembler.inMessage;
  }

  /** Bytes of memory held for what is not complete yet. */
  get heldBytes(): number {
    return this.assembler.heldBytes + (this.sslv2?.bytes.length ?? 0);
  }

  /** Begins anew, as for another connection. */
  reset(): void {
    this.messages.reset();
    this.assembler.reset();
    this.header.clear();
    this.phase = 'start';
    this.fragmentLeft = 0;
    this.cipherChanged = false;
    this.encrypted = false;
    this.finishedSeen = false;
    this.sslv2 = undefined;
  }

  /** Bytes are missing here: what follows cannot be read in place of them. */
  stop(): void {
    this.phase = 'opaque';
    this.assembler.reset();
    this.sslv2 = undefined;
  }

  /** The next bytes of the stream: bytes[start, end). */
  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      switch (this.phase) {
        case 'start':
          this.phase = isContentType(bytes[at]!) ? 'record-header' : 'sslv2';
          break;
        case 'sslv2':
          at = this.readSslV2(bytes, at, end);
          break;
        case 'record-header':
          at = this.header.fill(RECORD_HEADER_BYTES, bytes, at, end);
          if (this.header.count === RECORD_HEADER_BYTES) this.beginRecord();
          break;
        case 'peek':
          at = this.header.fill(PEEK_BYTES, bytes, at, end);
          if (this.header.count === PEEK_BYTES) this.tellEncrypted();
          break;
        case 'fragment':
          at = this.readFragment(bytes, at, end);
          break;
        case 'opaque':
          return;
      }
    }
  }

  private beginRecord(): void {
    const type = Math.floor(this.header.value / 0x100000000);
    const version = Math.floor(this.header.value / 0x10000) % 0x10000;
    const length = this.header.value % 0x10000;
    this.header.clear();
    const fault = recordFault(type, version, length);
    if (fault !== undefined) {
      this.fail(fault);
      return;
    }

    this.recordType = type;
    this.fragmentLeft = length;
    this.encrypted = false;
    this.phase = length > 0 ? 'fragment' : 'record-header';
    if (type === ContentType.applicationData) {
      this.stop();
      this.sink.applicationData();
    } else if (type === ContentType.changeCipherSpec) {
      this.cipherChanged = true;
      this.sink.changeCipherSpec();
    } else if (type === ContentType.handshake && this.cipherChanged && !this.assembler.inMessage) {
      if (length >= PEEK_BYTES) this.phase = 'peek';
      else this.encryptedRecord();
    }
  }

  /**
   * After ChangeCipherSpec a handshake record is encrypted, unless it is TLS 1.3: there ChangeCipherSpec means nothing and
   * a second hello follows a HelloRetryRequest in the clear (RFC 8446 §D.4). An encrypted record passes for a hello once
   * in 2^30.
   */
  private tellEncrypted(): void {
    const start = this.header.toBytes();
    this.header.clear();
    this.fragmentLeft -= PEEK_BYTES;
    this.phase = this.fragmentLeft > 0 ? 'fragment' : 'record-header';
    const isHello = start[0] === 1 || start[0] === 2;
    if (isHello && start[1] === 0 && start[4] === 3 && start[5]! <= 4) this.assembler.push(start, 0, PEEK_BYTES);
    else this.encryptedRecord();
  }

  private encryptedRecord(): void {
    this.encrypted = true;
    if (this.finishedSeen) return;
    this.finishedSeen = true;
    this.sink.finishedRecord();
  }

  private readFragment(bytes: Uint8Array, at: number, end: number): number {
    const taken = Math.min(this.fragmentLeft, end - at);
    if (this.recordType === ContentType.handshake && !this.encrypted) this.assembler.push(bytes, at, at + taken);
    else if (this.recordType === ContentType.alert && !this.cipherChanged) this.readAlert(bytes, at, at + taken);
    this.fragmentLeft -= taken;
    if (this.fragmentLeft === 0) {
      this.phase = 'record-header';
      this.header.clear();
    }
    return at + taken;
  }

  private readAlert(bytes: Uint8Array, at: number, end: number): void {
    if (this.header.count === ALERT_BYTES) return; // the rest of a record that is longer than an alert
    this.header.fill(ALERT_BYTES, bytes, at, end);
    if (this.header.count === ALERT_BYTES) this.sink.alert(this.header.value >> 8, this.header.value & 0xff);
  }

  /** Reads an SSLv2-format hello and returns where the records after it begin. */
  private readSslV2(bytes: Uint8Array, at: number, end: number): number {
    this.sslv2 ??= new GrowingBuffer(MAX_SSLV2_BYTES, end - at);
    const held = this.sslv2;
    const before = held.length;
    held.append(bytes, at, end);
    const hello = parseSslV2Hello(held.bytes, 0, held.length);
    if (hello.kind === 'ok') {
      this.sslv2 = undefined;
      this.phase = hello.value.version === SSL2 ? 'opaque' : 'record-header';
      this.sink.sslV2Hello(hello.value);
      return at + hello.value.size - before;
    }
    if (hello.kind === 'bad') this.fail(hello.why);
    else if (held.length + hello.need > MAX_SSLV2_BYTES) this.fail('over-cap');
    return end;
  }

  private fail(why: Fault): void {
    this.stop();
    this.sink.bad('stream', why);
  }
}

function recordFault(type: number, version: number, length: number): Fault | undefined {
  if (!isContentType(type)) return 'bad-type';
  if (!isRecordVersion(version)) return 'bad-version';
  return length > MAX_RECORD_BYTES ? 'over-cap' : undefined;
}
