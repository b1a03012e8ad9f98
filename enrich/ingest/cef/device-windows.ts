import { hashesFrom, integerOf, textOf } from '../field-values.ts';
import { joinedPath } from '../joined-path.ts';
import type { JsonObject } from '../json-object.ts';
import type { RecordContext } from '../reading.ts';
import { assembleRecord, type Field, flatField } from '../windows/assemble-record.ts';
import type { WindowsRecord } from '../windows/windows-record.ts';
import { deviceField, LabelledFields } from './device-fields.ts';
import type { DeviceLine } from './device-line.ts';
import { deviceTime } from './device-time.ts';

interface Source {
  readonly line: DeviceLine;
  readonly labels: LabelledFields;
  readonly eventId: number;
}
type Find = (source: Source) => string | undefined;

const PROVIDER_CLASS = /^(Microsoft-Windows-[A-Za-z-]{1,64}|Security):(\d{1,5})$/;

/** Sysmon's tasks, by which the connector for it names its classes (`SysmonTask-SYSMON_…`). */
const SYSMON_TASKS: ReadonlyMap<string, number> = new Map([
  ['create_process', 1],
  ['file_time', 2],
  ['network_connect', 3],
  ['service_state_change', 4],
  ['process_terminate', 5],
  ['driver_load', 6],
  ['image_load', 7],
  ['create_remote_thread', 8],
  ['rawaccess_read', 9],
  ['access_process', 10],
  ['file_create', 11],
  ['reg_key', 12],
  ['reg_setvalue', 13],
  ['reg_name', 14],
  ['file_create_stream_hash', 15],
  ['service_configuration_change', 16],
  ['dns_query', 22],
  ['file_delete', 23],
  ['error', 255],
]);

/**
 * A Windows event that came as CEF or LEEF: from ArcSight's connectors, whose keys are turned back into the event's fields by the
 * tables below, or from NXLog and WinCollect, which keep the fields' own names beside the dictionary's.
 *
 * Sources: `microsoft_windows_sysmon.sdkkeyvaluefilereader.properties` of S3COPS/ArcSight-Sysmon-FlexConnector; parsers
 * `cef-4688`, `cef-4663`, `cef-sysmon-process-created` of ExabeamLabs/Content-Doc; ArcSight's "Windows Security Event Mappings".
 */
export function windowsOfDevice(line: DeviceLine, context: RecordContext): WindowsRecord | undefined {
  const own: JsonObject = Object.fromEntries(line.fields);
  const ownField = flatField(own);
  const event = eventOf(line, ownField);
  if (!event) return undefined;
  const { provider, channel, eventId } = event;
  const source: Source = { line, labels: new LabelledFields(line), eventId };
  const isSysmon = /sysmon/i.test(`${provider ?? ''} ${channel ?? ''}`);
  const table = isSysmon ? SYSMON_FIELDS : SECURITY_FIELDS;
  const field: Field = (name) =>
    ownField(name) ?? line.fields.get(`ad.${name}`) ?? table.get(name)?.(source) ?? undefined;
  return assembleRecord({
    provider,
    guid: ownField('ProviderGuid'),
    channel,
    eventId,
    computer: ownField('Hostname') ?? deviceField(line, 'dvchost') ?? deviceField(line, 'dhost') ?? context.host,
    recordId: RECORD_IDS.map((name) => line.fields.get(name)).find((id) => id !== undefined),
    logged: deviceTime(line, ['rt', 'end', 'start', 'devTime', 'EventTime']),
    keywords: deviceField(line, 'deviceSeverity') ?? ownField('Keywords') ?? ownField('EventType'),
    fields: field,
    message: deviceField(line, 'msg'),
  });
}

const RECORD_IDS = ['RecordNumber', 'EventRecordID', 'EventRecordId', 'ad.EventRecordID', 'ad.EventIndex'];

interface WindowsEventName {
  readonly provider: string | undefined;
  readonly channel: string | undefined;
  readonly eventId: number;
}

function eventOf(line: DeviceLine, field: Field): WindowsEventName | undefined {
  const named = PROVIDER_CLASS.exec(line.eventClass);
  if (named) {
    const provider = named[1] === 'Security' ? 'Microsoft-Windows-Security-Auditing' : named[1];
    return { provider, channel: undefined, eventId: Number(named[2]) };
  }
  const external = integerOf(deviceField(line, 'externalId')) ?? integerOf(line.eventClass);
  if (/sysmon/i.test(`${line.product} ${line.eventClass}`)) {
    const task = /sysmon[_-]([a-z_]{3,40})$/i.exec(line.eventClass)?.[1] ?? line.eventClass;
    const eventId = SYSMON_TASKS.get(task.toLowerCase().replace(/^sysmontask-/, '')) ?? external;
    return eventId === undefined ? undefined : { provider: 'Microsoft-Windows-Sysmon', channel: undefined, eventId };
  }
  const provider = textOf(field('SourceName')) ?? textOf(field('ProviderName')) ?? textOf(field('Source'));
  const channel = textOf(field('Channel')) ?? textOf(field('AgentLogFile'));
  const eventId = integerOf(field('EventID')) ?? (line.format === 'leef' ? integerOf(line.eventClass) : undefined);
  return eventId === undefined || (provider ?? channel) === undefined ? undefined : { provider, channel, eventId };
}

const key =
  (...keys: readonly string[]): Find =>
  ({ line }) =>
    keys.map((name) => deviceField(line, name)).find((value) => value !== undefined);
const label =
  (...labels: readonly string[]): Find =>
  (source) =>
    source.labels.get(...labels);
/** Under one of these labels, or, in lines without labels, in the place that the connector has for it. */
const placed =
  (place: string, ...labels: readonly string[]): Find =>
  (source) =>
    source.labels.get(...labels) ?? source.labels.unnamed(place);
const firstOf =
  (...finds: readonly Find[]): Find =>
  (source) =>
    finds.map((find) => find(source)).find((value) => value !== undefined);
const onlyIn =
  (ids: readonly number[], find: Find): Find =>
  (source) =>
    ids.includes(source.eventId) ? find(source) : undefined;

/** `dvcpid` is the event's own process where Microsoft is the vendor; NXLog has the logging service there (FEEDS 11.1). */
const devicePid: Find = ({ line }) =>
  line.vendor.toLowerCase() === 'microsoft' ? (deviceField(line, 'dvcpid') ?? deviceField(line, 'dpid')) : undefined;

const account =
  (side: 's' | 'd'): Find =>
  ({ line }) => {
    const name = deviceField(line, `${side}user`);
    const domain = deviceField(line, `${side}ntdom`);
    return name === undefined || domain === undefined || name.includes('\\') ? name : `${domain}\\${name}`;
  };

/** The one hash that a line has room for, in the form of Sysmon's list. */
const hashList: Find = ({ line }) => {
  const hash = deviceField(line, 'fileHash');
  const found = hashesFrom({ md5: hash, sha1: hash, sha256: hash });
  return (
    found &&
    Object.entries(found)
      .map(([name, value]) => `${name.toUpperCase()}=${value}`)
      .join(',')
  );
};

const SYSMON_FIELDS: ReadonlyMap<string, Find> = new Map([
  ['UtcTime', ({ labels }) => [...labels.entries()].find(([name]) => /timestamp.*utc|utctime/.test(name))?.[1]],
  ['ProcessGuid', label('processguid')],
  ['ProcessId', firstOf(devicePid, ({ line, eventId }) => (eventId === 1 ? undefined : deviceField(line, 'spid')))],
  [
    'Image',
    (s) => (s.eventId === 7 ? key('deviceProcessName', 'sproc')(s) : key('deviceProcessName', 'dproc', 'sproc')(s)),
  ],
  ['ImageLoaded', onlyIn([7], key('filePath', 'dproc'))],
  ['Signed', label('signed')],
  ['Signature', label('signature')],
  ['SignatureStatus', label('signaturestatus')],
  ['CommandLine', onlyIn([1], placed('cs1', 'commandline'))],
  ['ParentCommandLine', onlyIn([1], placed('cs2', 'parentcommandline'))],
  ['CurrentDirectory', label('currentdirectory')],
  ['ParentProcessGuid', label('parentprocessguid')],
  ['ParentProcessId', onlyIn([1], key('spid'))],
  ['ParentImage', onlyIn([1], key('sproc'))],
  ['OriginalFileName', onlyIn([1], key('oldFilePath'))],
  ['Hashes', onlyIn([1], hashList)],
  ['IntegrityLevel', label('integritylevel')],
  ['User', firstOf(account('s'), account('d'))],
  ['LogonId', key('suid')],
  ['TargetFilename', onlyIn([11, 15, 23, 26], key('filePath', 'fname'))],
  ['Initiated', label('initiated')],
  ['Protocol', key('proto')],
  ['SourceIp', key('src', 'c6a2')],
  ['SourcePort', key('spt')],
  ['SourceHostname', key('shost')],
  ['DestinationIp', key('dst', 'c6a3')],
  ['DestinationPort', key('dpt')],
  ['DestinationHostname', key('dhost')],
  ['QueryName', onlyIn([22], key('request', 'dhost'))],
  ['QueryResults', onlyIn([22], label('queryresults'))],
  ['State', onlyIn([4], key('act'))],
  ['ID', onlyIn([255], label('id'))],
]);

const DIRECTIONS: ReadonlyMap<string, string> = new Map([
  ['0', 'inbound'],
  ['1', 'outbound'],
]);

const SECURITY_FIELDS: ReadonlyMap<string, Find> = new Map([
  ['NewProcessName', onlyIn([4688], key('dproc'))],
  ['NewProcessId', onlyIn([4688], placed('cs3', 'newprocessid', 'processid'))],
  ['CommandLine', onlyIn([4688], placed('cs4', 'processcommandline', 'commandline'))],
  [
    'ParentProcessName',
    onlyIn([4688], firstOf(label('creatorprocessname', 'parentprocessname'), key('sproc', 'filePath'))),
  ],
  ['MandatoryLabel', label('mandatorylabel')],
  [
    'ProcessId',
    (s) =>
      s.eventId === 4688
        ? placed('cs5', 'creatorprocessid', 'parentprocessid')(s)
        : firstOf(placed('cs3', 'processid'), onlyIn([5156], firstOf(key('spid'), devicePid)))(s),
  ],
  ['ProcessName', key('dproc', 'sproc')],
  ['SubjectUserName', key('duser', 'suser')],
  ['SubjectDomainName', key('dntdom', 'sntdom')],
  ['SubjectLogonId', key('duid', 'suid')],
  [
    'Application',
    firstOf(key('dproc', 'sproc'), ({ line }) => joinedPath(deviceField(line, 'filePath'), deviceField(line, 'fname'))),
  ],
  ['SourceAddress', key('src', 'c6a2')],
  ['SourcePort', key('spt')],
  ['DestAddress', key('dst', 'c6a3')],
  ['DestPort', key('dpt')],
  ['Protocol', key('proto')],
  ['Direction', (s) => s.labels.get('direction') ?? DIRECTIONS.get(deviceField(s.line, 'deviceDirection') ?? '')],
  ['ObjectName', ({ line }) => joinedPath(deviceField(line, 'filePath'), deviceField(line, 'fname'))],
  ['ObjectType', key('fileType')],
  ['AccessMask', label('accessmask')],
  ['AccessList', placed('cs1', 'accesses', 'accesslist')],
]);
