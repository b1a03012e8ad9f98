import { isHostname, plainName, safeText } from '../base/text.ts';
import { anomalyBit } from '../record/anomalies.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import { looksLikeSsh, SshStream } from '../tls/ssh.ts';
import { isContentType, looksLikeTls } from '../tls/tls-record.ts';
import { type Segment, SYN } from '../wire/segment.ts';
import type { Carrier } from './carrier.ts';
import { Conversation } from './conversation.ts';
import { HandshakeSide, PROBE_BYTES, type SideOwner } from './handshake-side.ts';
import { hostOf, readPrelude } from './prelude.ts';
import type { HeldMemory } from './stream-assembler.ts';

/** Longest target name of a prelude that is kept. */
const TARGET_CAP = 261;
const HANDSHAKE_RECORD = 0x16;
/** S of "SSH-" */
const SSH_FIRST = 0x53;
const SERVER_HELLO = 2;
/** Payload of one side after which an unfinished handshake is given up, when the other side was never captured. */
const ONE_SIDED_BYTES = 131_072;
export type HandshakeStatus = 'reading' | 'done' | 'plain';

/** Reads the handshake of one TCP connection, whatever plain protocol it may begin with. Reusable after `reset`. */
export class TcpHandshake implements SideOwner {
  conversation: Conversation;
  status: HandshakeStatus = 'reading';

  /** Direction that opened the connection, or is likely to have. */
  initiator = -1;
  /** Where whoever keeps the open handshakes has put this one. */
  place = -1;
  /** What the TLS stream comes in, when not by itself. */
  private carrier: Carrier | undefined;

  private readonly sides: readonly [HandshakeSide, HandshakeSide];
  private readonly inFull: boolean;

  /**
   * @param memory what all handshakes together may hold of segments that wait for their turn
   * @param inFull conversations keep what the client offers as it was sent
   */
  constructor(memory: HeldMemory, inFull: boolean) {
    this.inFull = inFull;
    this.conversation = new Conversation(inFull);
    this.sides = [new HandshakeSide(0, this, memory), new HandshakeSide(1, this, memory)];
  }

  reset(): void {
    this.conversation = new Conversation(this.inFull);
    this.status = 'reading';
    this.initiator = -1;
    this.carrier = undefined;
    for (const side of this.sides) side.reset();
  }

  note(anomaly: number): void {
    this.conversation.note(anomaly);
  }

  /** The first payload byte of a direction has this sequence number: its SYN was seen. */
  startAt(direction: 0 | 1, seq: number): void {
    this.sides[direction].assembler.startAt(seq);
    this.sides[direction].sawSyn = true;
  }

  /** Time-to-live of the first packet of a direction, 0 when there was none. */
  expectTtl(direction: 0 | 1, ttl: number): void {
    this.sides[direction].ttl = ttl;
  }

  /** Payload of one segment. `badChecksum`: a receiver would have dropped it. */
  payload(direction: number, s: Segment, badChecksum: boolean): void {
    const side = this.sides[direction as 0 | 1];
    if (side.finished) return;
    const c = this.conversation;
    if (s.vlan >= 0) c.vlan = s.vlan;
    c.tunnels |= s.tunnels;
    if (s.fragmentConflict) c.mark('overlap_differs');
    const doubt = side.doubtOf(s, badChecksum);
    const seq = (s.flags & SYN) !== 0 ? s.seq + 1 : s.seq;
    side.assembler.push(seq, s.bytes, s.payloadStart, s.payloadEnd, doubt, side.deliver);
    this.judge(side);
  }

  /** The peer of `direction` has acknowledged everything before `ack`. */
  acknowledged(direction: number, ack: number): void {
    const side = this.sides[direction as 0 | 1];
    if (side.finished || side.assembler.empty) return;
    const { assembler } = side;
    assembler.acknowledged(ack | 0, side.deliver);
    if (assembler.isStuck(ack | 0)) {
      // What follows a hole in a hello is no hello; what follows one in a prelude may be.
      if (side.tls) this.retire(side, true);
      else assembler.passOver(side.deliver);
    }
    if (assembler.doubtConfirmed) side.trust();
    if (assembler.restarted) side.sawSyn = false;
    this.judge(side);
  }

  /** No more will come: what is incomplete is named. */
  finish(): void {
    for (const side of this.sides) {
      if (side.finished) continue;
      side.assembler.finish(side.deliver);
      while (!side.tls && side.assembler.passOver(side.deliver));
      if (!side.assembler.empty) side.assembler.gap = true;
      side.nameOddities(this.conversation);
    }
    this.nameMissingHello();
  }

  /** A client that was heard, and whose hello was not, is said to have sent none that was whole. */
  private nameMissingHello(): void {
    const c = this.conversation;
    if (c.protocol !== 'tls' || c.clientFacts !== undefined || c.client < 0) return;
    if (!this.sides[c.client as 0 | 1].tls) return;
    const named = anomalyBit('hello_malformed') | anomalyBit('midstream') | anomalyBit('sslv2_hello');
    if ((c.anomalies & named) === 0) c.mark('hello_incomplete');
  }

  /** In-order bytes of one direction. Called by the side's assembler. */
  take(side: HandshakeSide, bytes: Uint8Array, start: number, end: number): void {
    side.bytes += end - start;
    if (this.carrier === undefined) {
      this.read(side, bytes, start, end);
      return;
    }
    side.carried ??= this.carrier.open((b, from, to) => this.read(side, b, from, to));
    side.carried.push(bytes, start, end);
  }

  /** The same, out of the carrier that they may come in. */
  private read(side: HandshakeSide, bytes: Uint8Array, start: number, end: number): void {
    if (side.tls) {
      side.stream.push(bytes, start, end);
      return;
    }
    if (this.conversation.protocol === 'ssh') {
      this.readSsh(side, bytes, start, end);
      return;
    }
    if (this.conversation.protocol === 'tls') {
      // The other side has begun: what this one says now is its part of the handshake, or a late answer to the prelude.
      if (this.conversation.via !== undefined && !isContentType(bytes[start]!)) return;
      this.beginTls(side);
      side.stream.push(bytes, start, end);
      return;
    }
    this.probe(side, bytes, start, end);
  }

  private probe(side: HandshakeSide, bytes: Uint8Array, start: number, end: number): void {
    let [data, from, to] = [bytes, start, end];
    if (side.pendingSize > 0) {
      const joined = new Uint8Array(side.pendingSize + (end - start));
      joined.set(side.pending.subarray(0, side.pendingSize));
      joined.set(bytes.subarray(start, end), side.pendingSize);
      [data, from, to] = [joined, 0, joined.length];
      side.pendingSize = 0;
    }
    const atStart = side.prelude.bytes === 0;
    if (atStart && data[from] === SSH_FIRST) {
      const ssh = looksLikeSsh(data, from, to);
      if (ssh === 'yes') {
        this.conversation.protocol = 'ssh';
        this.readSsh(side, data, from, to);
        return;
      }
    }
    const record = data[from] === HANDSHAKE_RECORD;
    // An SSLv2-format hello has so little form that it is looked for at the start of a conversation only.
    const guess = record || atStart ? looksLikeTls(data, from, to) : 'no';
    if (guess === 'no' && data !== bytes && bytes[start] === HANDSHAKE_RECORD) {
      // A few bytes came before in a segment of their own: the hello still begins with this one.
      this.probe(side, bytes, start, end);
      return;
    }
    if (guess === 'more' && to - from <= PROBE_BYTES) {
      side.pending.set(data.subarray(from, to));
      side.pendingSize = to - from;
      return;
    }
    if (guess === 'yes') {
      this.upgrade(side, !record || data[from + 5] !== SERVER_HELLO);
      side.stream.push(data, from, to);
      return;
    }
    const behind = side.prelude.endIn(data, from, to);
    if (behind >= 0 && data[behind] === HANDSHAKE_RECORD) {
      // Prelude and hello in one segment.
      side.prelude.keep(data, from, behind);
      this.probe(side, data, behind, to);
      return;
    }
    side.prelude.keep(data, from, to);
    this.carrier ??= side.prelude.carrier;
    if (!side.sawSyn && side.midstream.push(data, from, to)) {
      const c = this.conversation;
      c.protocol = 'tls';
      c.client = this.initiator;
      c.established = true;
      c.mark('midstream');
      this.status = 'done';
    }
  }

  /** A hello of the client. Called by its stream. */
  clientHello(hello: ClientHello): void {
    const c = this.conversation;
    c.clientHello(hello);
    const asked = c.viaTarget === undefined ? undefined : hostOf(c.viaTarget);
    const named = c.clientFacts?.serverName;
    if (asked === undefined || named === undefined || !isHostname(asked)) return;
    if (plainName(asked) !== plainName(named.text)) c.mark('via_name_differs');
  }

  private readSsh(side: HandshakeSide, bytes: Uint8Array, start: number, end: number): void {
    const c = this.conversation;
    // Both sides speak at once; who opened the connection is the client.
    if (c.client < 0) c.client = this.initiator;
    const isClient = side.direction === c.client;
    side.ssh ??= new SshStream(isClient ? 'client' : 'server');
    side.ssh.push(bytes, start, end);
    const { software, hassh } = side.ssh;
    c.ssh = {
      ...c.ssh,
      ...(software === undefined ? {} : isClient ? { client: software } : { server: software }),
      ...(hassh === undefined ? {} : isClient ? { hassh } : { hassh_server: hassh }),
    };
    if (side.ssh.done) {
      this.retire(side);
      c.established = this.sides.every((other) => other.finished);
      c.readyToOpen ||= c.established;
    }
  }

  private upgrade(side: HandshakeSide, isClient: boolean): void {
    const c = this.conversation;
    c.protocol = 'tls';
    c.client = isClient ? side.direction : 1 - side.direction;
    const [client, server] = [this.sides[c.client as 0 | 1], this.sides[(1 - c.client) as 0 | 1]];
    const prelude = this.carrier ?? readPrelude(client.prelude.view(), server.prelude.view());
    if (prelude) {
      c.via = prelude.via;
      if ('target' in prelude && prelude.target !== undefined) c.viaTarget = safeText(prelude.target, TARGET_CAP).text;
    }
    this.beginTls(side);
  }

  private beginTls(side: HandshakeSide): void {
    side.tls = true;
    side.prelude.reset();
  }

  private judge(side: HandshakeSide): void {
    if (this.status !== 'reading') return;
    const c = this.conversation;
    if (c.protocol === undefined) {
      const [a, b] = this.sides;
      if (side.carried?.done) this.status = 'plain';
      const patient = a.prelude.mayComeToTls || b.prelude.mayComeToTls;
      if (a.prelude.isTooLong(patient) || b.prelude.isTooLong(patient)) this.status = 'plain';
      return;
    }
    if ((side.tls && side.stream.done) || side.carried?.done) this.retire(side);
    const [a, b] = this.sides;
    if (a.finished && b.finished) this.end();
    else if ((a.finished || b.finished) && side.assembler.overCap > 0) this.end();
    else if (side.bytes > ONE_SIDED_BYTES || side.assembler.overCap > 8) this.end();
  }

  private end(): void {
    for (const side of this.sides) this.retire(side);
    this.status = 'done';
    this.nameMissingHello();
  }

  private retire(side: HandshakeSide, gap = false): void {
    if (side.finished) return;
    if (gap) side.assembler.gap = true;
    side.nameOddities(this.conversation);
    side.finished = true;
    side.assembler.release();
  }
}
