/** Longest message that is read as one line. */
const MAX_CHARS = 128 * 1024;

/** Labels that end a value although they are not read themselves. */
const OTHER_LABELS = [
  'logon guid',
  'layer run-time id',
  'filter run-time id',
  'filter information',
  'network information',
  'application information',
  'access request information',
  'process information',
  'creator subject',
  'target subject',
  'subject',
  'object',
  'resource attributes',
  'transaction id',
  'access reasons',
  'privileges used for access check',
  'restricted sid count',
];
const SECTIONS = new Set([
  'subject',
  'creator subject',
  'target subject',
  'process information',
  'application information',
  'network information',
  'filter information',
  'access request information',
  'object',
]);
/** What the log explains below the fields of a 4688. */
const EXPLANATION = / Token Elevation Type indicates the type of token/;

const matcher = (names: readonly string[], flags: string): RegExp =>
  new RegExp(`(?<![^\\s,;])(${[...names].sort((a, b) => b.length - a.length).join('|')}):(?=\\s|$)`, `g${flags}`);

/** Whether a rendered message lost its line breaks on the way (syslog, Snare, CSV exports). */
export const isOneLine = (message: string): boolean => message.length <= MAX_CHARS && !/[\r\n]/.test(message.trim());

/** Matchers by the names they look for, which are constants of ours. */
const matchers = new WeakMap<object, RegExp>();

function matcherOf(key: object, make: () => RegExp): RegExp {
  const known = matchers.get(key) ?? make();
  matchers.set(key, known);
  return known;
}

/** Fields of a Sysmon message on one line: each value ends where the next known name begins. */
export function oneLineSysmon(message: string, names: ReadonlySet<string>): ReadonlyMap<string, string> {
  const pattern = matcherOf(names, () => matcher([...names], ''));
  return cut(message, pattern, (label, value, fields) => {
    if (!fields.has(label)) fields.set(label, value);
  });
}

/** Fields of a Security message on one line, by `Section|Label` or the label alone. */
export function oneLineSecurity(message: string, labels: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const end = message.search(EXPLANATION);
  const names = () => [...labels.keys()].map((key) => key.slice(key.indexOf('|') + 1));
  const pattern = matcherOf(labels, () => matcher([...new Set([...names(), ...OTHER_LABELS])], 'i'));
  let section = '';
  return cut(end < 0 ? message : message.slice(0, end), pattern, (found, value, fields) => {
    const label = found.toLowerCase();
    if (SECTIONS.has(label) && value === '') {
      section = label.replace('creator subject', 'subject');
      return;
    }
    const name = labels.get(`${section}|${label}`) ?? labels.get(label);
    if (name !== undefined && !fields.has(name)) fields.set(name, value);
  });
}

function cut(
  message: string,
  pattern: RegExp,
  take: (label: string, value: string, fields: Map<string, string>) => void,
): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let label: string | undefined;
  let from = 0;
  for (const found of message.matchAll(pattern)) {
    if (label !== undefined) take(label, message.slice(from, found.index).trim(), fields);
    label = found[1] ?? '';
    from = found.index + found[0].length;
  }
  if (label !== undefined) take(label, message.slice(from).trim(), fields);
  return fields;
}
