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

/**
 * Fields of Sysmon's events in the order of their templates, from UtcTime on (versions since 8 have the rule's name before it).
 * Later versions add fields at the end, but for OriginalFileName: it is missing where there are too few values for it.
 */
const ORDER: ReadonlyMap<number, { readonly names: readonly string[]; readonly withOriginal?: number }> = new Map([
  [1, { names: START.split(' '), withOriginal: 21 }],
  [3, { names: CONNECTION.split(' ') }],
  [5, { names: `${WHO} User`.split(' ') }],
  [7, { names: LOAD.split(' '), withOriginal: 14 }],
  [11, { names: `${WHO} TargetFilename CreationUtcTime User`.split(' ') }],
  [22, { names: 'UtcTime ProcessGuid ProcessId QueryName QueryStatus QueryResults Image User'.split(' ') }],
  [23, { names: DELETE.split(' ') }],
  [26, { names: DELETE.split(' ') }],
]);

/** Fields of a Sysmon event by the place of its values, for shapes that lost the names. */
export function sysmonInserted(eventId: number, inserts: unknown): (name: string) => unknown {
  const order = ORDER.get(eventId);
  if (order === undefined || !Array.isArray(inserts)) return () => undefined;
  const all = inserts.slice(0, MAX_INSERTS).map((value: unknown) => plainInsert(value));
  const start = all.slice(0, 2).findIndex((value) => isUtcTime(value));
  if (start < 0) return () => undefined;
  const values = all.slice(start);
  const lacksOriginal = order.withOriginal !== undefined && values.length < order.withOriginal;
  const names = lacksOriginal ? order.names.filter((name) => name !== 'OriginalFileName') : order.names;
  return (name) => {
    const place = names.indexOf(name);
    return place < 0 ? undefined : values[place];
  };
}

const isUtcTime = (value: string | undefined): boolean =>
  value !== undefined && /^\d{4}-\d\d-\d\d /.test(value) && readTime(textOf(value)) !== undefined;
