import { formatBytes, formatSeconds } from '../score/format.ts';
import { GROUP_NAMES, type Group, type Term } from '../score/verdict.ts';

import { inspectText } from './terminal-text.ts';

interface Explained {
  readonly '@timestamp': string;
  readonly message: string;
  readonly event: { readonly id: string };
  readonly waybill: {
    readonly tier: string;
    readonly score_db: number;
    readonly probability: number;
    readonly model: string;
    readonly prior: number;
    readonly attainable_db: number;
    readonly gate: { readonly reasons: readonly string[] };
    readonly groups: readonly {
      readonly group: Group;
      readonly db: number;
      readonly sum: number;
      readonly cap: number;
    }[];
    readonly terms: readonly Term[];
    readonly missing: readonly string[];
    readonly without_groups?: readonly {
      readonly group: Group;
      readonly score_db: number;
      readonly lower_db: number;
      readonly probability: number;
      readonly tier: string;
    }[];
    readonly counterfactuals: readonly { readonly term: string; readonly probability: number }[];
    readonly allowed?: {
      readonly id: string;
      readonly owner: string;
      readonly reason: string;
      readonly expires: string;
    };
    readonly ledger?: readonly { readonly id: string; readonly probability: number; readonly story: string }[];
    readonly join: {
      readonly method: string;
      readonly probability: number;
      readonly hosts?: readonly { readonly id: string; readonly name?: string; readonly probability: number }[];
      readonly candidates: readonly {
        readonly host?: string;
        readonly executable?: string;
        readonly pid?: number;
        readonly method: string;
        readonly probability: number;
      }[];
    };
    readonly lineage: readonly {
      readonly executable?: string;
      readonly pid?: number;
      readonly command_line?: string;
    }[];
    readonly flows: readonly Record<string, unknown>[];
    readonly staging: readonly Record<string, unknown>[];
  };
}

/** An alert as text: the story, every decibel with its source, what is missing, and the raw events. */
export function explanation(body: unknown): string {
  const alert = body as Explained;
  const w = alert.waybill;
  const lines = [
    `${w.tier.toUpperCase()}  ${alert.event.id}  ${alert['@timestamp']}`,
    alert.message,
    '',
    ...(w.allowed
      ? [`Allowed until ${w.allowed.expires} by ${w.allowed.owner}: ${w.allowed.reason} (${w.allowed.id})`, '']
      : []),
    ...(w.ledger ? ['Steps', ...w.ledger.map((s) => `  ${s.probability.toFixed(3)}  ${s.id}  ${s.story}`), ''] : []),
    `Probability ${w.probability.toFixed(3)} (${signed(w.score_db)} dB; model ${w.model})`,
    `  prior ${w.prior} = ${signed(10 * Math.log10(w.prior / (1 - w.prior)))} dB`,
  ];
  for (const g of w.groups) {
    const terms = w.terms.filter((t) => t.group === g.group);
    if (terms.length === 0) continue;
    const clipped = Math.abs(g.sum - g.db) > 0.005 ? ` (sum ${signed(g.sum)}, cap ${g.cap})` : '';
    lines.push(`  ${g.group} ${GROUP_NAMES[g.group].padEnd(9)} ${signed(g.db)} dB${clipped}`);
    for (const t of terms) {
      lines.push(`      ${signed(t.db).padStart(6)}  ${t.name}: ${t.detail}`);
      if (t.evidence.length > 0)
        lines.push(`              from ${t.evidence.slice(0, 4).join(', ')}${t.evidence.length > 4 ? ' …' : ''}`);
    }
  }
  lines.push('', 'Gate', ...w.gate.reasons.map((r) => `  ${r}`));
  lines.push('', `Who (join: ${w.join.method}, probability ${w.join.probability})`);
  for (const { id, name, probability } of w.join.hosts ?? [])
    lines.push(`  perhaps host ${name ?? id}, probability ${probability}`);
  if (w.join.candidates.length > 1 || w.lineage.length === 0) {
    for (const c of w.join.candidates) {
      lines.push(
        `  candidate ${c.executable ?? '?'} [${c.pid ?? '?'}]${c.host === undefined ? '' : ` on ${c.host}`}  ${c.method}, probability ${c.probability}`,
      );
    }
  }
  for (const p of w.lineage)
    lines.push(`  ${p.executable ?? '?'} [${p.pid ?? '?'}]  ${p.command_line ?? ''}`.trimEnd());
  lines.push('', 'Staging');
  for (const s of w.staging)
    lines.push(
      `  ${s['at']}  ${(s['reasons'] as string[]).join('; ')} [link: ${s['link']}, ${formatSeconds(Number(s['gap_seconds']))} before]`,
    );
  lines.push('', 'Flows');
  for (const f of w.flows) {
    lines.push(
      `  ${f['start']}  ${f['domain'] ?? ''} ${f['destination']}  out ${formatBytes(Number(f['bytes_out']))}, in ${formatBytes(Number(f['bytes_in']))}  ja4 ${f['ja4'] ?? '-'}`,
    );
  }
  if (w.counterfactuals.length > 0) {
    lines.push('', 'Without');
    for (const g of w.without_groups ?? []) {
      const change = g.lower_db >= 0 ? `${g.lower_db.toFixed(1)} dB lower` : `${(-g.lower_db).toFixed(1)} dB higher`;
      lines.push(
        `  all of ${g.group} ${GROUP_NAMES[g.group]}: ${change}, ${g.probability.toFixed(3)}: ${raisedAs(g.tier)}`,
      );
    }
    for (const c of w.counterfactuals) lines.push(`  ${c.term}: ${c.probability.toFixed(3)}`);
  }
  lines.push('', `Not seen (highest score attainable here: ${signed(w.attainable_db)} dB)`);
  lines.push(...(w.missing.length > 0 ? w.missing.map((m) => `  ${m}`) : ['  nothing that the model asks for']));
  return `${lines.map(inspectText).join('\n')}\n`;
}

/** What would have been told of a score of this tier. */
const raisedAs = (tier: string): string => (tier === 'none' || tier === 'ledger' ? 'no alert' : tier);

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(1)}`;
