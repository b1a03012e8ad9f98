import type { AnsweredNames } from '../dns/answered-names.ts';
import { anomalyBit } from '../record/anomalies.ts';
import type { FlowView } from './flow-reports.ts';
import { words } from './to-record.ts';

/**
 * Notes on a conversation what the client's DNS says of its destination at the time the flow began: the name that it
 * had looked up for the address, when its hello gives none, and whether it had looked the hello's name up.
 *
 * Through an explicit proxy the client looks up the proxy, not the destination: nothing is noted then.
 */
export function addDnsContext(view: FlowView, names: AnsweredNames): void {
  const { table, slot, client, conversation: c } = view;
  if (c.via === 'connect' || c.via?.startsWith('socks')) return;
  const source = words(table, slot, client);
  const destination = words(table, slot, 1 - client);
  const began = table.firstSeen[slot]!;
  const name = c.clientFacts?.serverName?.domain;
  if (name === undefined) {
    c.dnsName = names.nameOf(source, destination, began);
    return;
  }
  c.dnsName = undefined;
  // A single label is completed by the client's search list: what it looked up has another name (RFC 1034 §3.1).
  if (!name.includes('.')) return;
  const seen = names.lookedUp(source, name, began);
  // The visible name of an encrypted hello may be an outer one, which nobody looks up: a name for the address is enough.
  const outer = (c.anomalies & anomalyBit('ech_outer')) !== 0;
  const covered = seen === false && outer && names.nameOf(source, destination, began) !== undefined;
  c.dnsSeen = covered ? true : seen;
}
