/**
 * Counters and gauges in the Prometheus text format 0.0.4.
 *
 * A metric is a name, one line of help and a function that reads the number: nothing is done while packets pass. Label
 * values come from closed lists of ours and never from data.
 */
export interface MetricSpec {
  /** `waybill_…`; a counter ends in `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** A number, or one number for each value of one label. Undefined while it is not known: the metric is then left out. */
  readonly read: () => number | LabelledNumbers | undefined;
}

export interface LabelledNumbers {
  readonly label: string;
  readonly values: ReadonlyMap<string, number>;
}

const NAME = /^waybill_[a-z][a-z0-9_]*$/;

/** The page that Prometheus reads. */
export function renderMetrics(specs: readonly MetricSpec[]): string {
  return specs.map(render).join('');
}

/** The content type that goes with `renderMetrics`. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Refuses, when a program starts, a table of metrics that Prometheus would misread. */
export function checkMetrics(specs: readonly MetricSpec[]): void {
  const seen = new Set<string>();
  for (const { name, type } of specs) {
    if (!NAME.test(name) || seen.has(name) || (type === 'counter') !== name.endsWith('_total')) {
      throw new Error(`metric ${name}: names are unique, begin with waybill_ and end in _total for counters only`);
    }
    seen.add(name);
  }
}

function render({ name, type, help, read }: MetricSpec): string {
  const value = read();
  if (value === undefined) return '';
  const head = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
  if (typeof value === 'number') return `${head}${name} ${number(value)}\n`;
  const lines = [...value.values].map(([key, n]) => `${name}{${value.label}="${escapeLabel(key)}"} ${number(n)}\n`);
  return head + lines.join('');
}

const number = (n: number): string => {
  if (Number.isNaN(n)) return 'NaN';
  return Number.isFinite(n) ? String(n) : n > 0 ? '+Inf' : '-Inf';
};

const escapeLabel = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
