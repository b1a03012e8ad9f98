import { textOf } from '../field-values.ts';
import { readTime } from '../time-text.ts';
import { plainInsert } from './event-inserts.ts';

/** Most values of one event that are looked at; a process start has 23. */
const MAX_INSERTS = 32;

const WHO = 'UtcTime ProcessGuid ProcessId Image';
const CONNECTION = [
  `${WHO} User Protocol Initiated SourceIsIpv6 SourceIp SourceHostname SourcePort SourcePortName DestinationIsIpv6`,
  'DestinationIp DestinationHostname DestinationPort DestinationPortName',
].join(' ');
const START = [
  `${WHO} FileVersion Description Product Company OriginalFileName CommandLine CurrentDirectory User LogonGuid LogonId`,
  'TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId ParentImage ParentCommandLine ParentUser',
].join(' ');
const LOAD = `${WHO} ImageLoaded FileVersion Description Product Company OriginalFileName Hashes Signed Signature SignatureStatus User`;
const DELETE = 'UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes IsExecutable Archived';

interface Template {
  readonly names: readonly string[];
  /** How many values a version of the template has, from UtcTime on. */
  readonly counts: readonly number[];
}

const template = (names: string, ...counts: readonly number[]): Template => ({ names: names.split(' '), counts });

/**
 * Fields of Sysmon's events in the order of their templates, from UtcTime on (versions since 8 have the rule's name before it).
 * Later versions add fields at the end, but for OriginalFileName, which the least of the counts lacks.
 */
const ORDER: ReadonlyMap<number, Template> = new Map([
  [1, template(START, 20, 21, 22)],
  [3, template(CONNECTION, 17)],
  [5, template(`${WHO} User`, 4, 5)],
  [7, template(LOAD, 13, 14, 15)],
  [11, template(`${WHO} TargetFilename CreationUtcTime User`, 6, 7)],
  [22, template('UtcTime ProcessGuid ProcessId QueryName QueryStatus QueryResults Image User', 7, 8)],
  [23, template(DELETE, 9)],
  [26, template(DELETE, 8)],
]);

/** Fields of a Sysmon event by the place of its values, for shapes that lost the names. */
export function sysmonInserted(eventId: number, inserts: unknown): (name: string) => unknown {
  const order = ORDER.get(eventId);
  if (order === undefined || !Array.isArray(inserts)) return () => undefined;
  const all = inserts.slice(0, MAX_INSERTS).map((value: unknown) => plainInsert(value));
  const start = all.slice(0, 2).findIndex((value) => isUtcTime(value));
  if (start < 0) return () => undefined;
  const values = all.slice(start);
  if (!order.counts.includes(values.length)) return () => undefined;
  const lacksOriginal = values.length === order.counts[0];
  const names = lacksOriginal ? order.names.filter((name) => name !== 'OriginalFileName') : order.names;
  return (name) => {
    const place = names.indexOf(name);
    return place < 0 ? undefined : values[place];
  };
}

const isUtcTime = (value: string | undefined): boolean =>
  value !== undefined && /^\d{4}-\d\d-\d\d /.test(value) && readTime(textOf(value)) !== undefined;
