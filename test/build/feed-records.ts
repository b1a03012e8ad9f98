/** Records of endpoint feeds that are no Windows events, named as their vendors document them; every value is invented. */
import { GUID, type Json } from './endpoint.ts';

/** Document of Elastic Defend; parts are merged over a plain process event. */
export function elasticDefend(dataset: string, action: string, parts: Json): Json {
  return {
    '@timestamp': '2024-05-14T12:00:00.1234567Z',
    agent: { id: 'AGENT-1', type: 'endpoint' },
    data_stream: { dataset: `endpoint.events.${dataset}` },
    event: {
      action,
      category: [dataset],
      dataset: `endpoint.events.${dataset}`,
      id: 'Mv+1',
      kind: 'event',
      module: 'endpoint',
    },
    host: { name: 'pc1', id: 'host-uuid', ip: ['10.1.2.3', 'fe80::1', '127.0.0.1'] },
    process: { entity_id: 'QUdFTlQtMS00NjYw', pid: 4660, executable: 'C:\\Tools\\rar.exe', name: 'rar.exe' },
    user: { domain: 'CORP', name: 'ann', id: 'S-1-5-21-1-2-3-1001' },
    ...parts,
  };
}

/** Row of Defender's advanced hunting. */
export function mdeRow(action: string, columns: Json): Json {
  return {
    Timestamp: '2024-05-14T12:00:00.1234567Z',
    DeviceId: 'ABCDEF0123',
    DeviceName: 'pc1.corp.example',
    ReportId: 77,
    ActionType: action,
    InitiatingProcessId: 4660,
    InitiatingProcessCreationTime: '2024-05-14T11:59:00.7654321Z',
    InitiatingProcessFileName: 'rar.exe',
    InitiatingProcessFolderPath: 'c:\\tools\\rar.exe',
    InitiatingProcessCommandLine: 'rar a out.rar',
    InitiatingProcessAccountDomain: 'corp',
    InitiatingProcessAccountName: 'ann',
    InitiatingProcessAccountSid: 'S-1-5-21-1-2-3-1001',
    InitiatingProcessSignatureStatus: 'Valid',
    InitiatingProcessParentId: 888,
    InitiatingProcessParentFileName: 'explorer.exe',
    InitiatingProcessParentCreationTime: '2024-05-14T08:00:00Z',
    ...columns,
  };
}

/** The streaming envelope around a row. */
export const mdeStreamed = (table: string, row: Json): Json => ({
  time: '2024-05-14T12:30:00Z',
  tenantId: 't',
  operationName: 'Publish',
  category: `AdvancedHunting-${table}`,
  properties: row,
});

/** FDR record: everything is text. */
export function fdr(name: string, fields: Record<string, string>): Json {
  return {
    event_simpleName: name,
    name: `${name}V1`,
    aid: 'AID0001',
    cid: 'c',
    id: 'fdr-id-1',
    aip: '198.51.100.77',
    event_platform: 'Win',
    timestamp: '1715688003000',
    ContextTimeStamp: '1715688000.123',
    ContextProcessId: '98765432109876543',
    ContextBaseFileName: 'rar.exe',
    ...fields,
  };
}

/** SentinelOne record with flat dotted names. */
export function sentinelone(type: string, fields: Json): Json {
  return {
    timestamp: '12:00:00.123',
    'event.type': type,
    'event.time': 1_715_688_000_123,
    'event.id': 's1-id-1',
    'endpoint.name': 'pc1',
    'agent.uuid': 'AGENT-UUID',
    'src.process.uid': 'F00D',
    'src.process.pid': 4660,
    'src.process.name': 'rar.exe',
    'src.process.image.path': 'C:\\Tools\\rar.exe',
    'src.process.startTime': 1_715_687_940_000,
    'src.process.publisher': 'WIN.RAR GMBH',
    'src.process.signedStatus': 'signed',
    'src.process.verifiedStatus': 'verified',
    'src.process.user': 'CORP\\ann',
    'src.process.parent.uid': 'BEEF',
    'src.process.parent.pid': 888,
    ...fields,
  };
}

/** OCSF record. */
export function ocsf(classUid: number, activityId: number, fields: Json): Json {
  return {
    class_uid: classUid,
    activity_id: activityId,
    time: 1_715_688_000_123,
    metadata: { uid: 'ocsf-id-1', version: '1.3.0', product: { name: 'any' } },
    device: { hostname: 'PC1.corp.example', ip: '10.1.2.3' },
    actor: {
      process: {
        pid: 4660,
        uid: GUID.toUpperCase(),
        file: { path: 'C:\\Tools\\rar.exe', name: 'rar.exe' },
        cmd_line: 'rar a out.rar',
      },
      user: { name: 'ann', domain: 'CORP' },
    },
    ...fields,
  };
}

/** A row of an osquery result log. */
export const osqueryRow = (columns: Record<string, string>, more: Json = {}): Json => ({
  name: 'pack_shop_whatever',
  hostIdentifier: 'pc1.corp.example',
  calendarTime: 'Tue May 14 12:05:00 2024 UTC',
  unixTime: 1_715_688_300,
  columns,
  action: 'added',
  ...more,
});
