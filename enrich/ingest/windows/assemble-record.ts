import { integerOf, textOf } from '../field-values.ts';
import { type JsonObject, own } from '../json-object.ts';
import { insertedField } from './event-inserts.ts';
import { lazyMessage, securityMessageFields, sysmonMessageFields } from './event-message.ts';
import { sysmonInserted } from './sysmon-inserts.ts';
import { type LogTime, logOf, type WindowsRecord } from './windows-record.ts';

/** A field of the event by its Windows name, as the shape has it. */
export type Field = (name: string) => unknown;

/** Where a shape keeps the parts of a record. */
export interface Found {
  readonly provider: unknown;
  readonly guid: unknown;
  readonly channel: unknown;
  readonly eventId: unknown;
  readonly computer: unknown;
  readonly sender?: unknown;
  readonly recordId: unknown;
  /** The record id is of the delivery, so it names no single record. */
  readonly recordIdShared?: boolean;
  readonly logged: LogTime | undefined;
  readonly zoneHint?: WindowsRecord['zoneHint'];
  readonly keywords: unknown;
  readonly fields: Field;
  /** Values of the event in the order of its template, where the shape has them without names. */
  readonly inserts?: unknown;
  readonly message: unknown;
}

/** Puts the parts together; fields that the shape lost are looked for in the rendered message. */
export function assembleRecord(found: Found): WindowsRecord | undefined {
  const eventId = integerOf(found.eventId);
  if (eventId === undefined) return undefined;
  const provider = textOf(found.provider);
  const channel = textOf(found.channel);
  const named = logOf(provider, textOf(found.guid), channel);
  const log = provider === undefined && channel === undefined ? logByFields(found.fields) : named;
  const fromMessage = lazyMessage(found.message, log === 'sysmon' ? sysmonMessageFields : securityMessageFields);
  const inserted = log === 'security' ? insertedField : log === 'sysmon' ? sysmonInserted : () => () => undefined;
  const fromInserts = inserted(eventId, found.inserts);
  return {
    log,
    provider: provider ?? channel ?? 'windows',
    eventId,
    computer: textOf(found.computer)?.trim(),
    sender: textOf(found.sender),
    recordId: found.recordIdShared === true ? undefined : textOf(found.recordId),
    logged: found.logged,
    zoneHint: found.zoneHint,
    field: (name) => {
      const value = found.fields(name);
      if (value !== undefined && value !== null && value !== '') return value;
      // Sysmon's message names its fields in every language, the Security log's only in one.
      return log === 'sysmon' ? (fromMessage(name) ?? fromInserts(name)) : (fromInserts(name) ?? fromMessage(name));
    },
    failed: isAuditFailure(textOf(found.keywords)?.trim().toLowerCase() ?? ''),
  };
}

/** Bit of the keyword "Audit Failure" (winmeta.xml). */
const AUDIT_FAILURE = 1n << 52n;

/** Keywords come as hexadecimal, as words, or (NXLog, Get-WinEvent) as a signed 64-bit number, of which JSON keeps the upper bits. */
function isAuditFailure(keywords: string): boolean {
  if (/^-?\d{17,20}$/.test(keywords)) {
    // Through a double, so that digits that were lost on the way become zeros again.
    return (BigInt.asUintN(64, BigInt(Number(keywords))) & AUDIT_FAILURE) !== 0n;
  }
  return keywords.startsWith('0x801') || keywords.includes('audit failure') || keywords === 'audit_failure';
}

/** The log of a record that names neither provider nor channel, by fields that only one of them has. */
export function logByFields(fields: Field): WindowsRecord['log'] {
  const has = (name: string) => fields(name) !== undefined;
  if (has('UtcTime') && (has('ProcessGuid') || has('SourceProcessGUID'))) return 'sysmon';
  return SECURITY_ONLY.some(has) ? 'security' : 'other';
}

const SECURITY_ONLY = ['NewProcessName', 'SubjectUserSid', 'SubjectUserName', 'DestAddress', 'ObjectName'];

const AMBIGUOUS_WHEN_FLAT = new Set(['ProcessId', 'ProcessID', 'User', 'Protocol']);

/**
 * Fields of a record that mixes those of the event with those of the log. Case is forgiven, except of the names that mean another
 * thing in another case: in these shapes `ProcessID` may be the logging service's pid (FEEDS 11.1).
 */
export function flatField(record: JsonObject): Field {
  let lower: Map<string, unknown> | undefined;
  return (name) => {
    const exact = own(record, name);
    if (exact !== undefined || AMBIGUOUS_WHEN_FLAT.has(name)) return exact;
    lower ??= lowerKeys(record);
    return lower.get(name.toLowerCase());
  };
}

/** Fields of a part of the record that holds nothing but event fields, so that case may be forgiven. */
export function nestedField(data: JsonObject): Field {
  let lower: Map<string, unknown> | undefined;
  return (name) => {
    const exact = own(data, name);
    if (exact !== undefined) return exact;
    lower ??= lowerKeys(data);
    return lower.get(name.toLowerCase());
  };
}

/** Keys without case, `_` and `-`: `processGuid`, `process_guid` and `ProcessGuid` are one name. */
function lowerKeys(data: JsonObject): Map<string, unknown> {
  const lower = new Map<string, unknown>();
  for (const name of Object.keys(data)) lower.set(name.replace(/[_-]/g, '').toLowerCase(), data[name]);
  return lower;
}
