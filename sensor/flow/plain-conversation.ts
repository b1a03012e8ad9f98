import { Conversation } from './conversation.ts';

/**
 * Payload bytes that an unencrypted connection must have sent to count beside an encrypted one. What enrich compares with
 * archives is 100 KB or more (byte balance), and may leave in two parts.
 */
export const PLAIN_BYTES = 65_536;

/** VLAN id (-1: none) and encapsulations that packets came in. */
export interface PathOfPackets {
  readonly vlan: number;
  readonly tunnels: number;
}

/** What is known of a TCP connection that is not encrypted: which way it came, and nothing of what it says. */
export function plainConversation(client: 0 | 1, { vlan, tunnels }: PathOfPackets): Conversation {
  const conversation = new Conversation();
  conversation.client = client;
  conversation.established = true;
  conversation.readyToOpen = true;
  conversation.vlan = vlan;
  conversation.tunnels = tunnels;
  return conversation;
}
