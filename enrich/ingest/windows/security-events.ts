import type { ConnectionEvent } from '../../event/endpoint-event.ts';
import { end, inboundEnds, transportOf } from '../connection-ends.ts';
import { integerOf, integrityOf, logonIdOf, pidOf, portOf, textOf, userFrom } from '../field-values.ts';
import { parentRef, processRef } from '../process-key.ts';
import { type EventBody, hostRef, ignored, type Reading, type RecordContext, rejected } from '../reading.ts';
import { clockSource } from './sysmon-events.ts';
import type { WindowsRecord } from './windows-record.ts';

type Body = EventBody | { readonly reject: string } | { readonly ignore: string };

const READERS: ReadonlyMap<number, (record: WindowsRecord) => Body> = new Map([
  [4688, processStart],
  [4689, processEnd],
  [5156, connection],
  [4663, objectAccess],
  [4656, handleRequest],
  [4670, permissionChange],
]);

const NAMES: ReadonlyMap<number, string> = new Map([
  [4624, 'logon'],
  [4634, 'logoff'],
  [4648, 'explicit logon'],
  [4658, 'handle closed'],
  [4660, 'object deleted'],
  [4672, 'special privileges'],
  [4673, 'privileged service'],
  [4690, 'handle duplicated'],
  [4703, 'token right adjusted'],
  [5145, 'share access'],
  [5152, 'packet blocked'],
  [5154, 'listen permitted'],
  [5157, 'connection blocked'],
  [5158, 'bind permitted'],
]);

/** Reads one record of the Windows Security log, whichever shape it came in. */
export function readSecurity(record: WindowsRecord, context: RecordContext, feed = 'security'): Reading {
  const type = `${record.eventId}`;
  const read = READERS.get(record.eventId);
  if (!read) return ignored(feed, `${type} ${NAMES.get(record.eventId) ?? ''}`.trim());
  const body = read(record);
  if ('ignore' in body) return ignored(feed, `${type} ${body.ignore}`);
  if ('reject' in body) return rejected(feed, type, body.reject);
  const { logged } = record;
  const micros = logged?.micros ?? context.at;
  if (micros === undefined) return rejected(feed, type, 'no time');
  const isLocal = logged?.zone === 'local';
  const host = hostRef(record.computer ?? context.host);
  return {
    kind: 'events',
    feed,
    type,
    host,
    drafts: [
      {
        body,
        at: micros,
        clock: isLocal ? 'local' : 'log',
        ...(body.kind === 'process_start' ? { startsProcess: true } : {}),
      },
    ],
    ...(record.recordId === undefined ? {} : { vendorId: ['security', host.id, type, record.recordId] }),
    ...(isLocal ? { clockSource: clockSource(record, context, logged.zoned) } : {}),
  };
}

function processStart(record: WindowsRecord): Body {
  const pid = pidOf(record.field('NewProcessId'));
  const image = textOf(record.field('NewProcessName'));
  if (pid === undefined && image === undefined) return { reject: 'no process' };
  const target = userFrom(
    record.field('TargetUserName'),
    record.field('TargetDomainName'),
    record.field('TargetUserSid'),
  );
  // Target is filled in only when the new process runs as somebody else than its creator.
  const runsAsTarget = target?.name !== undefined;
  return {
    kind: 'process_start',
    process: processRef({
      pid,
      image,
      commandLine: textOf(record.field('CommandLine')),
      user: runsAsTarget ? target : subjectUser(record),
      logonId:
        (runsAsTarget ? logonIdOf(record.field('TargetLogonId')) : undefined) ??
        logonIdOf(record.field('SubjectLogonId')),
      integrity: integrityOf(record.field('MandatoryLabel')),
      parent: parentRef({ pid: pidOf(record.field('ProcessId')), image: textOf(record.field('ParentProcessName')) }),
    }),
  };
}

function processEnd(record: WindowsRecord): Body {
  const process = subject(record);
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_end', process };
}

/** The process named by pid and image of the record. */
function subject(record: WindowsRecord) {
  return processRef({
    pid: pidOf(record.field('ProcessId')) ?? pidOf(record.field('ProcessID')),
    image: textOf(record.field('ProcessName')),
    user: subjectUser(record),
    logonId: logonIdOf(record.field('SubjectLogonId')),
  });
}

function subjectUser(record: WindowsRecord) {
  return userFrom(record.field('SubjectUserName'), record.field('SubjectDomainName'), record.field('SubjectUserSid'));
}

/** 5156: the filtering platform permitted a connection. The log's time is within a millisecond of the first packet. */
function connection(record: WindowsRecord): Body {
  const source = end(textOf(record.field('SourceAddress')), portOf(record.field('SourcePort')));
  const destination = end(textOf(record.field('DestAddress')), portOf(record.field('DestPort')));
  if (source.ip === '' && destination.ip === '') return { reject: 'no addresses' };
  const direction = directionOf(textOf(record.field('Direction')), textOf(record.field('LayerName')));
  const ends =
    direction === 'ingress'
      ? inboundEnds(source, destination, {
          computer: undefined,
          sourceName: undefined,
          destinationName: undefined,
          sourceIs: 'initiator',
        })
      : { source, destination };
  return {
    kind: 'connection',
    // Decimal here, and under either spelling (FEEDS 11.1).
    process: processRef({
      pid: pidOf(record.field('ProcessID')) ?? pidOf(record.field('ProcessId')),
      image: textOf(record.field('Application')),
    }),
    direction,
    transport: transportOf(textOf(record.field('Protocol'))),
    ...ends,
    outcome: 'ok',
  };
}

/** Message codes as they stand in the event, and the words of its rendering; the layer when the direction is lost. */
function directionOf(direction: string | undefined, layer: string | undefined): ConnectionEvent['direction'] {
  const word = direction?.trim().toLowerCase();
  if (word === '%%14593' || word === 'outbound' || word === 'egress') return 'egress';
  if (word === '%%14592' || word === 'inbound' || word === 'ingress') return 'ingress';
  const code = layer?.trim().toLowerCase();
  if (code === '%%14611' || code === 'connect') return 'egress';
  return code === '%%14610' || code === 'receive/accept' ? 'ingress' : 'unknown';
}

const READ_DATA = 0x1;
const WRITE_DATA = 0x2;
const APPEND_DATA = 0x4;

/** Rights as codes of AccessList, for records without a mask. */
const RIGHT_CODES: readonly (readonly [code: string, right: number])[] = [
  ['%%4416', READ_DATA],
  ['%%4417', WRITE_DATA],
  ['%%4418', APPEND_DATA],
  ['ReadData', READ_DATA],
  ['WriteData', WRITE_DATA],
  ['AppendData', APPEND_DATA],
];

function rights(record: WindowsRecord): number {
  const mask = integerOf(record.field('AccessMask'));
  if (mask !== undefined && mask > 0) return mask;
  const list = textOf(record.field('AccessList')) ?? '';
  return RIGHT_CODES.reduce((all, [code, right]) => (list.includes(code) ? all | right : all), 0);
}

/**
 * 4663: a right to an object was used. Only files, and only rights that touch content: DELETE is used by a rename as well, so
 * it does not say that the file is gone.
 */
function objectAccess(record: WindowsRecord): Body {
  const path = filePath(record);
  if (typeof path !== 'string') return path;
  const used = rights(record);
  const process = subject(record);
  if (record.failed) return { ignore: 'refused' };
  if ((used & (WRITE_DATA | APPEND_DATA)) !== 0) return { kind: 'file_write', process, op: 'modify', path };
  if ((used & READ_DATA) !== 0) return { kind: 'file_read', process, op: 'read', path };
  return { ignore: 'other right' };
}

/** 4656: a handle was asked for. That a file was opened for reading is a fact; a write is only one once 4663 says so. */
function handleRequest(record: WindowsRecord): Body {
  const path = filePath(record);
  if (typeof path !== 'string') return path;
  if (record.failed) return { ignore: 'refused' };
  const asked = rights(record);
  if ((asked & READ_DATA) === 0 || (asked & (WRITE_DATA | APPEND_DATA)) !== 0) return { ignore: 'other right' };
  return { kind: 'file_read', process: subject(record), op: 'open', path };
}

/** 4670: the permissions of an object were changed; its content was not. */
function permissionChange(record: WindowsRecord): Body {
  const path = filePath(record);
  if (typeof path !== 'string') return path;
  return { kind: 'file_read', process: subject(record), op: 'permissions', path };
}

function filePath(record: WindowsRecord): string | { ignore: string } {
  const type = textOf(record.field('ObjectType'));
  if (type !== 'File') return { ignore: `on ${type ?? 'unknown object'}` };
  return textOf(record.field('ObjectName')) ?? { ignore: 'without path' };
}
