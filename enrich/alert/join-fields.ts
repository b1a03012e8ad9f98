import type { JoinResult } from '../join/join-flow.ts';

/** `waybill.join` of a document: how surely who made a flow is known, and who else may have. */
export function joinFields({ method, probability, clockOffset, candidates, hosts }: JoinResult): object {
  return {
    method,
    probability,
    ...(clockOffset === undefined ? {} : { clock_offset_seconds: clockOffset / 1e6 }),
    // Where the address is not of one host.
    ...(hosts === undefined
      ? {}
      : {
          hosts: hosts.map(({ host, probability: p }) => ({ id: host.id, name: host.name, probability: rounded(p) })),
        }),
    candidates: candidates.map((c) => ({
      ...(hosts === undefined ? {} : { host: c.host.id }),
      pid: c.process.pid,
      entity_id: c.process.entityId,
      executable: c.process.image,
      probability: rounded(c.probability),
      method: c.method,
      event: c.event,
    })),
  };
}

const rounded = (probability: number): number => Math.round(probability * 1e4) / 1e4;
