import type { StoredAlert } from '../store/store.ts';

/** Fields of the alert that say what the withdrawal is about; the evidence is no longer true, and stays out. */
const KEPT = ['tags', 'rule', 'threat', 'host', 'user', 'source', 'destination', 'network', 'related'] as const;

/** `event.severity` of what needs nobody's attention. */
const LOW = 21;

/**
 * What tells of an alert that evidence which came later took back: the same id, of `event.kind` "event", since it raises
 * nothing, and `waybill.state` "withdrawn".
 * @param heir id of the alert that tells of its flows now: who sent them became known, or another destination
 */
export function withdrawalOf({ id, at, revision, body }: StoredAlert, heir?: string): StoredAlert {
  const alert = body as Readonly<Record<string, unknown>> & {
    readonly event?: Readonly<Record<string, unknown>>;
    readonly waybill?: Readonly<Record<string, unknown>>;
  };
  const kept = KEPT.flatMap((name) => (alert[name] === undefined ? [] : [[name, alert[name]]]));
  const withdrawn = {
    '@timestamp': alert['@timestamp'],
    message: `Withdrawn: ${String(alert['message'] ?? id)}${heir === undefined ? '' : ` Alert ${heir} takes its place.`}`,
    event: {
      ...alert.event,
      kind: 'event',
      action: 'exfiltration_withdrawn',
      reason:
        heir === undefined
          ? 'Evidence that came later took the alert back.'
          : `Evidence that came later says more of who sent what where: alert ${heir} takes the place of this one.`,
      id,
      severity: LOW,
      risk_score: 0,
    },
    ...Object.fromEntries(kept),
    waybill: {
      state: 'withdrawn',
      ...(heir === undefined ? {} : { replaced_by: heir }),
      tier: alert.waybill?.['tier'],
      model: alert.waybill?.['model'],
    },
  };
  return { id, at, revision, body: JSON.parse(JSON.stringify(withdrawn)) as unknown };
}
