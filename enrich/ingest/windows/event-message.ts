import { textOf } from '../field-values.ts';
import { isOneLine, oneLineSecurity, oneLineSysmon } from './one-line-message.ts';

/** Most lines of one rendered message that are read. */
const MAX_LINES = 400;

/** Fields of Sysmon's events, as its messages name them in every language of Windows. */
const SYSMON_NAMES: ReadonlySet<string> = new Set(
  [
    'RuleName UtcTime ProcessGuid ProcessId Image FileVersion Description Product Company OriginalFileName CommandLine',
    'CurrentDirectory User LogonGuid LogonId TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId',
    'ParentImage ParentCommandLine ParentUser Protocol Initiated SourceIsIpv6 SourceIp SourceHostname SourcePort',
    'SourcePortName DestinationIsIpv6 DestinationIp DestinationHostname DestinationPort DestinationPortName ImageLoaded',
    'Signed Signature SignatureStatus TargetFilename CreationUtcTime PreviousCreationUtcTime Hash Contents QueryName',
    'QueryStatus QueryResults IsExecutable Archived State Version SchemaVersion ID Type EventType',
  ].flatMap((line) => line.split(' ')),
);

/**
 * Fields of a rendered Sysmon message: one `Name: value` a line, names as in the event. A line that begins with no such name
 * goes on with the value above: a command line has line breaks, and consoles wrap.
 */
export function sysmonMessageFields(message: string): ReadonlyMap<string, string> {
  if (isOneLine(message)) return oneLineSysmon(message, SYSMON_NAMES);
  const fields = new Map<string, string>();
  const lines = message.split(/\r?\n/, MAX_LINES);
  const width = consoleWidth(lines);
  let last: string | undefined;
  let lastLength = 0;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = colon <= 0 ? '' : line.slice(0, colon).trim();
    if (SYSMON_NAMES.has(name)) {
      last = fields.has(name) ? undefined : name;
      if (last !== undefined) fields.set(last, line.slice(colon + 1).trimStart());
    } else if (last !== undefined && line.trim() !== '') {
      // A full line was cut in the middle of a word, a shorter one at a blank.
      const before = fields.get(last) ?? '';
      fields.set(last, before + (lastLength >= width || /\s$/.test(before) ? '' : ' ') + line.trimStart());
    }
    lastLength = line.length;
  }
  for (const [name, value] of fields) fields.set(name, value.trimEnd());
  return fields;
}

/** The width at which lines were wrapped: that of the longest, if there is more than one of it. */
function consoleWidth(lines: readonly string[]): number {
  const widest = lines.reduce((most, line) => Math.max(most, line.length), 0);
  return lines.filter((line) => line.length === widest).length > 1 ? widest : Number.POSITIVE_INFINITY;
}

/** `Section|Label` (or the label alone, in any section) of a rendered Security message → field of the event. */
const SECURITY_LABELS: ReadonlyMap<string, string> = new Map([
  ['subject|security id', 'SubjectUserSid'],
  ['subject|account name', 'SubjectUserName'],
  ['subject|account domain', 'SubjectDomainName'],
  ['subject|logon id', 'SubjectLogonId'],
  ['target subject|security id', 'TargetUserSid'],
  ['target subject|account name', 'TargetUserName'],
  ['target subject|account domain', 'TargetDomainName'],
  ['target subject|logon id', 'TargetLogonId'],
  ['new process id', 'NewProcessId'],
  ['new process name', 'NewProcessName'],
  ['token elevation type', 'TokenElevationType'],
  ['mandatory label', 'MandatoryLabel'],
  ['creator process id', 'ProcessId'],
  ['creator process name', 'ParentProcessName'],
  ['process command line', 'CommandLine'],
  ['process information|process id', 'ProcessId'],
  ['process information|process name', 'ProcessName'],
  ['process information|exit status', 'Status'],
  ['application information|process id', 'ProcessID'],
  ['application information|application name', 'Application'],
  ['direction', 'Direction'],
  ['source address', 'SourceAddress'],
  ['source port', 'SourcePort'],
  ['destination address', 'DestAddress'],
  ['destination port', 'DestPort'],
  ['protocol', 'Protocol'],
  ['layer name', 'LayerName'],
  ['object|object type', 'ObjectType'],
  ['object|object name', 'ObjectName'],
  ['object|object server', 'ObjectServer'],
  ['object|handle id', 'HandleId'],
  ['accesses', 'AccessList'],
  ['access mask', 'AccessMask'],
]);

/**
 * Fields of a rendered Security message (English): sections end in a colon, labels stand indented below them as
 * `Label:<tabs>value`, and further values of one label follow on lines of their own.
 */
export function securityMessageFields(message: string): ReadonlyMap<string, string> {
  if (isOneLine(message)) return oneLineSecurity(message, SECURITY_LABELS);
  const fields = new Map<string, string>();
  let section = '';
  let last: string | undefined;
  for (const line of message.split(/\r?\n/, MAX_LINES)) {
    const colon = line.indexOf(':');
    const text = line.trim();
    if (text === '') continue;
    const indented = /^[\t ]/.test(line);
    if (!indented) {
      section = text.endsWith(':') ? text.slice(0, -1).toLowerCase().replace('creator subject', 'subject') : '';
      last = undefined;
      continue;
    }
    const label = colon > 0 ? line.slice(0, colon).trim().toLowerCase() : '';
    const name = SECURITY_LABELS.get(`${section}|${label}`) ?? SECURITY_LABELS.get(label);
    if (name !== undefined) {
      if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
      last = name;
    } else if (last === 'AccessList' && colon < 0) {
      fields.set(last, `${fields.get(last) ?? ''} ${text}`.slice(0, 1024));
    }
  }
  return fields;
}

/** Reads a field of a message on first need, since most records never look. */
export function lazyMessage(
  message: unknown,
  read: (message: string) => ReadonlyMap<string, string>,
): (name: string) => string | undefined {
  let fields: ReadonlyMap<string, string> | undefined;
  return (name) => {
    if (fields === undefined) {
      const text = textOf(message);
      fields = text === undefined ? new Map() : read(text);
    }
    return fields.get(name);
  };
}
