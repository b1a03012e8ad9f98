/** Renders sensor/RECORD.md from the code it describes. */
import { ANOMALIES } from '../../sensor/record/anomalies.ts';
import { eveLines } from '../../sensor/record/eve.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { zeekLines } from '../../sensor/record/zeek.ts';
import { FULL_RECORD, QUIC_RECORD, SSH_RECORD, withAction } from './full-record.ts';
import { recordFields } from './record-fields.ts';

type Json = Record<string, unknown>;

/** @param source text of sensor/record/flow-record.ts */
export function recordPage(source: string): string {
  const fields = recordFields(source, 'FlowRecord').map(({ path, type, comment }) => [code(path), code(type), comment]);
  return `${[
    '# The flow record',
    'Generated from the code by `npm run docs`; a test fails when it is stale. Names are those of ECS where ECS has one.',
    `One JSON line when the handshake is complete (\`flow_open\`), more while the flow lives (\`flow_update\`), one at its end
(\`flow_end\`), all with one \`waybill.flow_id\`. A question mark marks what may be absent; absent means not known.`,
    '## Fields',
    table(['field', 'type', 'meaning'], fields),
    '## Anomalies',
    'What `waybill.anomalies` may name.',
    table(
      ['name', 'meaning'],
      ANOMALIES.map(([name, meaning]) => [code(name), meaning]),
    ),
    '## `--format zeek`',
    'A line of `ssl.log` at `flow_open`, one of `conn.log` at `flow_end`, told apart by `_path`.',
    ...mappings(zeekLines, (line) => String(line['_path'])),
    '## `--format eve`',
    `A \`tls\`, \`quic\` or \`ssh\` event at \`flow_open\`, a \`flow\` event at \`flow_end\`. Byte counts of \`flow\` include the headers of
Ethernet, IP and TCP, as Suricata counts them.`,
    ...mappings(eveLines, (line) => String(line['event_type'])),
  ].join('\n\n')}\n`;
}

interface Output {
  readonly sources: Set<string>;
  readonly value: unknown;
}

/** One table for each kind of line: its fields, and the fields of the record that each of them depends on. */
function mappings(linesOf: (record: FlowRecord) => Json[], kindOf: (line: Json) => string): string[] {
  const kinds = new Map<string, Map<string, Output>>();
  for (const base of [FULL_RECORD, QUIC_RECORD, SSH_RECORD]) {
    for (const action of ['flow_open', 'flow_end'] as const) {
      const record = withAction(base, action);
      for (const line of linesOf(record)) {
        const outputs = kinds.get(kindOf(line)) ?? new Map<string, Output>();
        kinds.set(kindOf(line), outputs);
        for (const [field, value] of flat(line)) {
          if (!outputs.has(field)) outputs.set(field, { sources: new Set(), value });
        }
      }
      for (const [path, changed] of changes(record)) {
        const before = byKind(linesOf(record), kindOf);
        for (const [kind, line] of byKind(linesOf(changed), kindOf)) {
          const unchanged = before.get(kind);
          if (unchanged) for (const field of differing(unchanged, line)) noteSource(kinds.get(kind)!, field, path);
        }
      }
    }
  }
  return [...kinds].flatMap(([kind, outputs]) => [
    `### ${kind}`,
    table(
      ['field', 'from'],
      [...outputs].map(([field, { sources, value }]) => [
        code(field),
        sources.size === 0 ? `always ${code(JSON.stringify(value))}` : [...sources].map(code).join(', '),
      ]),
    ),
  ]);
}

function noteSource(outputs: Map<string, Output>, field: string, source: string): void {
  const output = outputs.get(field) ?? { sources: new Set(), value: undefined };
  outputs.set(field, output);
  output.sources.add(source);
}

const differing = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] =>
  [...new Set([...a.keys(), ...b.keys()])].filter(
    (field) => JSON.stringify(a.get(field)) !== JSON.stringify(b.get(field)),
  );

const byKind = (lines: readonly Json[], kindOf: (line: Json) => string): Map<string, Map<string, unknown>> =>
  new Map(lines.map((line) => [kindOf(line), new Map(flat(line))]));

/** Leaves of a line by dotted path; lists are leaves. */
function flat(value: Json, path = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const below = path === '' ? name : `${path}.${name}`;
    if (inner === undefined) return [];
    return isObject(inner) ? flat(inner, below) : [[below, inner]];
  });
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The record with one leaf changed, for every leaf and every way to change it. */
function changes(record: FlowRecord): [path: string, changed: FlowRecord][] {
  return flat(record as unknown as Json)
    .filter(([path]) => path !== 'event.action')
    .flatMap(([path, value]) =>
      otherValues(value).map((other): [string, FlowRecord] => {
        const changed = structuredClone(record);
        put(changed as unknown as Json, path.split('.'), other);
        return [path, changed];
      }),
    );
}

function put(target: Json, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) target[name!] = value;
  else put(target[name!] as Json, rest, value);
}

/** Values that the code may tell from `value`. */
function otherValues(value: unknown): unknown[] {
  if (typeof value === 'number') return [value + 3_000_000_000, 0];
  if (typeof value === 'boolean') return [!value];
  if (Array.isArray(value)) return [[...value, 'other']];
  const text = String(value);
  if (/^\d{4}-.*Z$/.test(text)) return [text.replace(/^\d{4}/, '2031')];
  return (ALTERNATIVES.get(text) ?? [`${text}0`]).slice();
}

const ALTERNATIVES: ReadonlyMap<string, readonly string[]> = new Map([
  ['tcp', ['udp']],
  ['udp', ['tcp']],
  ['tls', ['dtls', 'quic']],
  ['fin', ['reset', 'idle', 'capture-end', 'over-flows']],
  [FULL_RECORD.waybill.flow_id, ['wCb3OG7yAFWelaUx.h2kx9q2c01']],
]);

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
