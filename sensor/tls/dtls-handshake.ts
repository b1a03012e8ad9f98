import { ByteCursor } from '../base/cursor.ts';
import { OffsetBuffer } from '../base/offset-buffer.ts';
import { type DtlsFragment, readDtlsFragment, readDtlsRecord } from './dtls-record.ts';
import type { HandshakeSink } from './handshake-events.ts';
import { HandshakeMessages } from './handshake-messages.ts';
import { ContentType } from './tls-record.ts';

/** Records of one datagram that are looked at. */
const MAX_RECORDS_PER_DATAGRAM = 32;
/** Messages of one side that may be incomplete at a time: hellos before and after a cookie, and a certificate. */
const MAX_PARTIAL_MESSAGES = 4;
/** message_seq values that are told apart; a handshake has fewer than 16 messages a side. */
const MAX_MESSAGE_SEQ = 31;
/** Highest first byte of DTLS 1.3's unified header, 001xxxxx (RFC 9147 §4). */
const UNIFIED_HEADER = { first: 0x20, last: 0x3f, epochBits: 0x03 } as const;
/** Low bits of the epoch of DTLS 1.3 application data, epoch 3 (RFC 9147 §6.1). */
const APPLICATION_EPOCH = 3;

/** Reads the handshake of one DTLS conversation from its datagrams and reports to a sink. */
export class DtlsHandshake {
  private readonly fromClient: DtlsReader;
  private readonly fromServer: DtlsReader;

  constructor(sink: HandshakeSink) {
    this.fromClient = new DtlsReader(sink);
    this.fromServer = new DtlsReader(sink);
  }

  /** True once nothing that comes can matter any more: both sides send application data. */
  get done(): boolean {
    return this.fromClient.dataSeen && this.fromServer.dataSeen;
  }

  /** True when a message has begun and is not complete. */
  get inMessage(): boolean {
    return this.heldBytes > 0;
  }

  /** Bytes of memory held for messages that are not complete. */
  get heldBytes(): number {
    return this.fromClient.heldBytes + this.fromServer.heldBytes;
  }

  /** A datagram that the client sent: bytes[start, end). */
  client(bytes: Uint8Array, start: number, end: number): void {
    this.fromClient.datagram(bytes, start, end);
  }

  /** A datagram that the server sent: bytes[start, end). */
  server(bytes: Uint8Array, start: number, end: number): void {
    this.fromServer.datagram(bytes, start, end);
  }
}

/** One side of a DTLS conversation. */
class DtlsReader {
  dataSeen = false;
  private readonly sink: HandshakeSink;
  private readonly messages: HandshakeMessages;
  /** Messages that lack fragments, by message_seq. */
  private readonly partial = new Map<number, PartialMessage>();
  /** Bit n is set when the message with message_seq n was complete: what comes of it again is a retransmission. */
  private completed = 0;
  private finishedSeen = false;

  constructor(sink: HandshakeSink) {
    this.sink = sink;
    this.messages = new HandshakeMessages(sink, 'dtls');
  }

  get heldBytes(): number {
    let held = 0;
    for (const message of this.partial.values()) held += message.data.bytes.length;
    return held;
  }

  datagram(bytes: Uint8Array, start: number, end: number): void {
    const datagram = new ByteCursor(bytes, start, end);
    for (let i = 0; i < MAX_RECORDS_PER_DATAGRAM && datagram.left > 0; i++) {
      const first = bytes[datagram.at]!;
      if (first >= UNIFIED_HEADER.first && first <= UNIFIED_HEADER.last) {
        // Encrypted, with a header whose length depends on the connection: the rest of the datagram is not walked.
        if ((first & UNIFIED_HEADER.epochBits) === APPLICATION_EPOCH) this.applicationData();
        else this.finished();
        return;
      }
      const record = readDtlsRecord(datagram);
      if (record === undefined) return;
      if (record.type === ContentType.handshake && record.epoch === 0) this.handshake(record.fragment);
      else if (record.type === ContentType.handshake) this.finished();
      else if (record.type === ContentType.changeCipherSpec) this.sink.changeCipherSpec();
      else if (record.type === ContentType.applicationData) this.applicationData();
      else if (record.type === ContentType.alert && record.epoch === 0 && record.fragment.left === 2) {
        this.sink.alert(record.fragment.u8(), record.fragment.u8());
      }
    }
  }

  private handshake(record: ByteCursor): void {
    while (record.left > 0) {
      const fragment = readDtlsFragment(record);
      if (fragment === undefined) {
        this.sink.bad('stream', 'length-mismatch');
        return;
      }
      this.fragment(fragment);
    }
  }

  private fragment(fragment: DtlsFragment): void {
    const { messageSeq, type, length, body } = fragment;
    if (messageSeq > MAX_MESSAGE_SEQ || (this.completed & (1 << messageSeq)) !== 0) return;
    const cap = this.messages.capOf(type);
    if (length > cap) {
      if (cap > 0) this.complete(messageSeq, () => this.messages.refuse(type, 'over-cap'));
      return;
    }
    if (body.left === length) {
      this.complete(messageSeq, () => this.messages.message(type, body.bytes, body.at, body.end));
      return;
    }
    const message = this.partialMessage(fragment);
    if (message === undefined || message.type !== type || message.length !== length) return;
    if (!message.data.add(fragment.offset, body.bytes, body.at, body.end)) return;
    if (message.data.whole === length) {
      this.complete(messageSeq, () => this.messages.message(type, message.data.bytes, 0, length));
    }
  }

  /** What is held of the message that a fragment belongs to; when it is new and too many are held, the oldest goes. */
  private partialMessage({ messageSeq, type, length }: DtlsFragment): PartialMessage | undefined {
    const known = this.partial.get(messageSeq);
    if (known !== undefined) return known;
    if (this.partial.size >= MAX_PARTIAL_MESSAGES) {
      const [oldest] = this.partial.keys();
      if (oldest !== undefined) this.partial.delete(oldest);
    }
    const message = { type, length, data: new OffsetBuffer(length, FRAGMENT_WINDOW_BYTES) };
    this.partial.set(messageSeq, message);
    return message;
  }

  private complete(messageSeq: number, report: () => void): void {
    this.completed |= 1 << messageSeq;
    this.partial.delete(messageSeq);
    report();
  }

  private applicationData(): void {
    if (this.dataSeen) return;
    this.dataSeen = true;
    this.sink.applicationData();
  }

  private finished(): void {
    if (this.finishedSeen) return;
    this.finishedSeen = true;
    this.sink.finishedRecord();
  }
}

interface PartialMessage {
  readonly type: number;
  readonly length: number;
  readonly data: OffsetBuffer;
}

/** Bytes ahead of the first hole that a fragment may end: what one fragment can make a conversation hold. */
const FRAGMENT_WINDOW_BYTES = 16 * 1024;
