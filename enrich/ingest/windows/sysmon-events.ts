import type { ConnectionEvent, FileEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { end, inboundEnds, transportOf } from '../connection-ends.ts';
import {
  boolOf,
  guidOf,
  hashesOf,
  integrityOf,
  logonIdOf,
  pidOf,
  portOf,
  signatureStatusOf,
  textOf,
  userOf,
} from '../field-values.ts';
import { ipList } from '../ip-text.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import {
  type ClockSource,
  type Draft,
  type EventBody,
  hostRef,
  ignored,
  type Reading,
  type RecordContext,
  rejected,
} from '../reading.ts';
import { readTime } from '../time-text.ts';
import type { WindowsRecord } from './windows-record.ts';

/** Most addresses kept of one DNS answer. */
const MAX_ANSWERS = 256;
/** Connections logged before this day by Sysmon 10 or older have the local end as source (FEEDS 11.6). */
const SOURCE_IS_INITIATOR_SINCE = Date.UTC(2020, 0, 1) * 1000;

type Body = EventBody | { readonly reject: string };

/** What Sysmon tells about, by event id; an id that is not here is ignored under its name below. */
const READERS: ReadonlyMap<number, (record: WindowsRecord, time: number) => Body> = new Map([
  [1, processStart],
  [3, connection],
  [5, processEnd],
  [7, imageLoad],
  [11, (record) => file(record, 'file_write', 'create')],
  [15, stream],
  [22, dnsQuery],
  [23, (record) => file(record, 'file_delete', 'delete')],
  [26, (record) => file(record, 'file_delete', 'delete')],
  [
    4,
    (record) => ({
      kind: 'feed_gap',
      reason: `sysmon service ${textOf(record.field('State'))?.toLowerCase() ?? 'changed'}`,
    }),
  ],
  [16, () => ({ kind: 'feed_gap', reason: 'sysmon configuration changed' })],
  [255, (record) => ({ kind: 'feed_gap', reason: `sysmon error ${textOf(record.field('ID')) ?? ''}`.trim() })],
]);

const NAMES: ReadonlyMap<number, string> = new Map([
  [2, 'file time changed'],
  [6, 'driver loaded'],
  [8, 'remote thread'],
  [9, 'raw disk read'],
  [10, 'process access'],
  [12, 'registry key'],
  [13, 'registry value'],
  [14, 'registry rename'],
  [17, 'pipe created'],
  [18, 'pipe connected'],
  [19, 'WMI filter'],
  [20, 'WMI consumer'],
  [21, 'WMI binding'],
  [24, 'clipboard'],
  [25, 'process tampering'],
  [27, 'file block executable'],
  [28, 'file block shredding'],
  [29, 'file executable detected'],
]);

/** Events 3 and 22 come from a trace session whose clock drifts by seconds to months: their UtcTime is not used (FEEDS 11.2). */
const UNTRUSTED_UTC = new Set([3, 22]);

/** Reads one Sysmon record, whichever shape it came in. */
export function readSysmon(record: WindowsRecord, context: RecordContext, feed = 'sysmon'): Reading {
  const type = `${record.eventId}`;
  const read = READERS.get(record.eventId);
  if (!read) return ignored(feed, `${type} ${NAMES.get(record.eventId) ?? ''}`.trim());
  const host = hostRef(record.computer ?? context.host);
  const time = timeOf(record, context);
  if (!time) return rejected(feed, type, 'no time');
  const body = read(record, time.at);
  if ('reject' in body) return rejected(feed, type, body.reject);
  const draft: Draft = {
    body,
    at: time.at,
    clock: time.clock,
    ...(body.kind === 'process_start' ? { startsProcess: true } : {}),
  };
  return {
    kind: 'events',
    feed,
    type,
    host,
    drafts: [draft],
    ...(record.recordId === undefined ? {} : { vendorId: ['sysmon', host.id, type, record.recordId] }),
    ...(time.clock === 'local' ? { clockSource: clockSource(record, context, time.zoned) } : {}),
  };
}

/**
 * The UTC clock of an event beside the log's, from which the zone of the log's clock is learned. That of events 3 and 22 drifts,
 * mostly by less than half of a zone step, so it is good for no more than a last resort.
 */
export function sysmonClockSample(record: WindowsRecord): { local: number; utc: number; drifts: boolean } | undefined {
  if (record.logged?.zone !== 'local') return undefined;
  const utc = readTime(record.field('UtcTime'));
  return utc && { local: record.logged.micros, utc: utc.micros, drifts: UNTRUSTED_UTC.has(record.eventId) };
}

export function clockSource(record: WindowsRecord, context: RecordContext, zoned: boolean): ClockSource {
  return {
    sender: record.sender ?? context.sender ?? '',
    host: hostRef(record.computer ?? context.host).id,
    zoned,
  };
}

function timeOf(
  record: WindowsRecord,
  context: RecordContext,
): { at: number; clock: Draft['clock']; zoned: boolean } | undefined {
  const { logged } = record;
  const utc = readTime(record.field('UtcTime'));
  if (utc && !UNTRUSTED_UTC.has(record.eventId)) return { at: utc.micros, clock: 'exact', zoned: true };
  if (logged) return { at: logged.micros, clock: logged.zone === 'utc' ? 'log' : 'local', zoned: logged.zoned };
  if (context.at !== undefined) return { at: context.at, clock: 'log', zoned: true };
  return utc && { at: utc.micros, clock: 'received', zoned: true };
}

/** The process a record is about. Its pid is taken from nowhere but the event's own field or text. */
function subject(record: WindowsRecord): ProcessRef {
  const image = textOf(record.field('Image'));
  return processRef({
    key: guidOf(record.field('ProcessGuid')),
    pid: pidOf(record.field('ProcessId')),
    image: image?.startsWith('<unknown') === true ? undefined : image,
    user: userOf(record.field('User')),
  });
}

function processStart(record: WindowsRecord): Body {
  const process = subject(record);
  if (process.entityKind === 'none' && process.image === undefined) return { reject: 'no process' };
  const parentImage = textOf(record.field('ParentImage'));
  return {
    kind: 'process_start',
    process: {
      ...process,
      ...compact({
        originalName: textOf(record.field('OriginalFileName')),
        product: textOf(record.field('Product')),
        company: textOf(record.field('Company')),
        description: textOf(record.field('Description')),
        commandLine: textOf(record.field('CommandLine')),
        currentDirectory: textOf(record.field('CurrentDirectory')),
        hashes: hashesOf(record.field('Hashes')),
        logonId: logonIdOf(record.field('LogonId')),
        integrity: integrityOf(record.field('IntegrityLevel')),
        parent: parentRef({
          entityId: guidOf(record.field('ParentProcessGuid')),
          pid: pidOf(record.field('ParentProcessId')),
          image: parentImage?.startsWith('<unknown') === true ? undefined : parentImage,
          commandLine: textOf(record.field('ParentCommandLine')),
        }),
      }),
    },
  };
}

function processEnd(record: WindowsRecord): Body {
  const process = subject(record);
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_end', process };
}

function connection(record: WindowsRecord, time: number): Body {
  const source = end(textOf(record.field('SourceIp')), portOf(record.field('SourcePort')));
  const destination = end(textOf(record.field('DestinationIp')), portOf(record.field('DestinationPort')));
  if (source.ip === '' && destination.ip === '') return { reject: 'no addresses' };
  const initiated = boolOf(record.field('Initiated'));
  const ends =
    initiated === false
      ? inboundEnds(source, destination, {
          computer: record.computer,
          sourceName: textOf(record.field('SourceHostname')),
          destinationName: textOf(record.field('DestinationHostname')),
          sourceIs: time < SOURCE_IS_INITIATOR_SINCE ? 'local' : 'initiator',
        })
      : { source, destination };
  const direction: ConnectionEvent['direction'] =
    initiated === undefined ? 'unknown' : initiated ? 'egress' : 'ingress';
  return {
    kind: 'connection',
    process: subject(record),
    direction,
    transport: transportOf(textOf(record.field('Protocol'))),
    ...ends,
  };
}

function imageLoad(record: WindowsRecord): Body {
  const path = textOf(record.field('ImageLoaded'));
  if (path === undefined) return { reject: 'no module path' };
  const process = subject(record);
  const signature = compact({
    signer: textOf(record.field('Signature')),
    signatureStatus: signatureStatusOf(record.field('SignatureStatus'), record.field('Signed')),
  });
  // A process that loads its own image tells its signer, which no other Sysmon event does.
  const isOwnImage = process.image !== undefined && process.image.toLowerCase() === path.toLowerCase();
  return { kind: 'image_load', process: isOwnImage ? { ...process, ...signature } : process, path, ...signature };
}

function file(record: WindowsRecord, kind: FileEvent['kind'], op: FileEvent['op']): Body {
  const path = textOf(record.field('TargetFilename'));
  if (path === undefined) return { reject: 'no path' };
  return { kind, process: subject(record), op, path };
}

/** Event 15: a named stream was written. `:Zone.Identifier` says that the file was downloaded, and sometimes from where. */
function stream(record: WindowsRecord): Body {
  const body = file(record, 'file_write', 'stream');
  if ('reject' in body || body.kind !== 'file_write') return body;
  const origin = zoneOrigin(body.path, textOf(record.field('Contents')));
  return origin === undefined ? body : { ...body, origin };
}

function zoneOrigin(path: string, contents: string | undefined): string | undefined {
  if (!path.toLowerCase().endsWith(':zone.identifier')) return undefined;
  const text = contents ?? '';
  const found = /HostUrl=([^\s]{1,2048})/i.exec(text) ?? /ReferrerUrl=([^\s]{1,2048})/i.exec(text);
  return found?.[1] ?? /ZoneId=\d/i.exec(text)?.[0] ?? 'Zone.Identifier';
}

function dnsQuery(record: WindowsRecord): Body {
  const answers = ipList(
    (textOf(record.field('QueryResults')) ?? '').replace(/type:\s*\d+\s+[^;]*;?/g, ''),
    MAX_ANSWERS,
  );
  return { kind: 'dns_query', process: subject(record), name: textOf(record.field('QueryName')) ?? '', answers };
}
