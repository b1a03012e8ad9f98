import type { Segment } from '../wire/segment.ts';
import { Conversation } from './conversation.ts';
import type { HandshakeStatus } from './tcp-handshake.ts';

/** Reads the handshake of one UDP conversation. */
export class UdpHandshake {
  readonly conversation = new Conversation();
  status: HandshakeStatus = 'reading';

  datagram(_direction: number, _s: Segment): void {
    this.status = 'plain';
  }

  finish(): void {}
}
