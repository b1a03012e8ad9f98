import type { Episode } from './episode.ts';
import type { Term } from './verdict.ts';

/**
 * What it costs that the flows came from an address which is not of this host alone. Of LR_eff = q·LR + (1 − q) the second
 * part is left out, so that an uncertain host is never held for more than it is.
 */
export function joinTerms({ hostProbability: q, flows }: Episode): Term[] {
  if (q >= 1) return [];
  const { hosts = [], method, events } = flows[0]!.join;
  const how =
    method === 'translated'
      ? 'told of a connection to the same place through the translating gateway when this one began'
      : 'claimed the address in that hour';
  const detail = `${hosts.length === 1 ? 'only this host' : `${hosts.length} hosts`} ${how}: this host with probability ${q.toFixed(2)}`;
  return [{ group: 'P', name: 'shared_address', db: 10 * Math.log10(q), detail, evidence: events.slice(0, 4) }];
}
