import type { StoredAlert } from '../store/store.ts';
import { type BudgetMark, isHeld } from './budget.ts';
import { inspectText } from './terminal-text.ts';

interface AlertBody {
  readonly '@timestamp': string;
  readonly message: string;
  readonly waybill: {
    readonly allowed?: unknown;
    readonly budget?: BudgetMark;
    readonly tier: string;
    readonly probability: number;
    readonly score_db: number;
  };
}

/** Alerts as a table for a terminal, most probable first. Text of outsiders is escaped. */
export function alertTable(alerts: readonly StoredAlert[]): string {
  if (alerts.length === 0) return 'No alerts.\n';
  const rows = [...alerts]
    .map((alert) => ({ id: alert.id, body: alert.body as AlertBody }))
    .sort((a, b) => b.body.waybill.probability - a.body.waybill.probability || (a.id < b.id ? -1 : 1));
  const lines = rows.map(({ id, body }) => {
    const probability = body.waybill.probability >= 0.995 ? '>0.99' : body.waybill.probability.toFixed(2).padStart(5);
    const score = `${body.waybill.score_db >= 0 ? '+' : ''}${body.waybill.score_db.toFixed(1)} dB`;
    const { allowed, budget } = body.waybill;
    const tier = allowed !== undefined ? 'allow' : budget?.held === true ? 'held' : body.waybill.tier;
    return `${tier.padEnd(7)}${probability}  ${score.padStart(9)}  ${body['@timestamp'].slice(0, 19)}Z  ${id}\n       ${inspectText(body.message)}`;
  });
  const held = alerts.filter(isHeld).length;
  if (held > 0) lines.push(`${held} of ${alerts.length} alerts are held: beyond the alert budget of their day.`);
  return `${'TIER'.padEnd(7)}${'P'.padStart(5)}  ${'SCORE'.padStart(9)}  ${'TIME'.padEnd(20)}  ID\n${lines.join('\n')}\n`;
}
