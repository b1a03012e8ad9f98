import { textOf } from '../field-values.ts';
import { isObject, own } from '../json-object.ts';

/** Most values of one event that are looked at; 4656 has 17. */
const MAX_INSERTS = 32;

const SUBJECT = 'SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId';
const OBJECT = `${SUBJECT} ObjectServer ObjectType ObjectName HandleId`;

/**
 * The fields of Security events in the order of their templates (provider Microsoft-Windows-Security-Auditing). Later versions of
 * an event only add fields at its end, so one order serves all of them.
 */
const ORDER: ReadonlyMap<number, readonly string[]> = new Map(
  (
    [
      [
        4688,
        `${SUBJECT} NewProcessId NewProcessName TokenElevationType ProcessId CommandLine TargetUserSid TargetUserName TargetDomainName TargetLogonId ParentProcessName MandatoryLabel`,
      ],
      [4689, `${SUBJECT} Status ProcessId ProcessName`],
      [
        5156,
        'ProcessID Application Direction SourceAddress SourcePort DestAddress DestPort Protocol FilterRTID LayerName',
      ],
      [4663, `${OBJECT} AccessList AccessMask ProcessId ProcessName`],
      [
        4656,
        `${OBJECT} TransactionId AccessList AccessReason AccessMask PrivilegeList RestrictedSidCount ProcessId ProcessName`,
      ],
      [4670, `${OBJECT} OldSd NewSd ProcessId ProcessName`],
    ] as const
  ).map(([id, names]) => [id, names.split(' ')]),
);

/**
 * Fields of a Security event by the place of its values: `StringInserts` of Fluent Bit, `Properties` of Get-WinEvent,
 * `ReplacementStrings` of Get-EventLog. Unlike the message they are the same in every language of Windows.
 */
export function insertedField(eventId: number, inserts: unknown): (name: string) => unknown {
  const order = ORDER.get(eventId);
  // An event that has too few values is not the one whose order this is.
  if (order === undefined || !Array.isArray(inserts) || inserts.length < MIN_INSERTS) return () => undefined;
  const values: readonly unknown[] = inserts.slice(0, MAX_INSERTS);
  return (name) => {
    const place = order.indexOf(name);
    return place < 0 ? undefined : plainInsert(values[place]);
  };
}

/** 4689 has seven, the oldest 4688 has eight. */
const MIN_INSERTS = 7;

/** `{"Value": …}` of a property, and of a SID inside it. */
export function plainInsert(value: unknown): string | undefined {
  const inner = isObject(value) ? own(value, 'Value') : value;
  return textOf(isObject(inner) ? own(inner, 'Value') : inner);
}
