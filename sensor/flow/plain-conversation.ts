import { Conversation } from './conversation.ts';

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
