import type { Json } from './endpoint.ts';

/** Records of further products, each in its vendor's names; every value is invented. Time: noon of the samples and 123 ms. */
const GO_TIME = '2024-05-14 12:00:00.123 +0000 UTC';

/** Carbon Black Cloud's data forwarder. */
export const cbCloud = (type: string, fields: Json): Json => ({
  type: `endpoint.event.${type}`,
  process_guid: 'ORG00001-003d902d-00001234-00000000-1d81e74906feadc',
  parent_guid: 'ORG00001-003d902d-00000378-00000000-1d81e748f8b0d13',
  backend_timestamp: '2024-05-14 12:03:00 +0000 UTC',
  device_id: '7',
  device_name: 'CORP\\PC1',
  device_external_ip: '198.51.100.77',
  device_timestamp: GO_TIME,
  process_pid: 4660,
  process_path: 'c:\\tools\\rar.exe',
  process_cmdline: 'rar a out.rar',
  process_username: 'CORP\\ann',
  process_hash: ['1'.repeat(32), 'a'.repeat(64)],
  process_publisher: [{ name: 'win.rar GmbH', state: 'FILE_SIGNATURE_STATE_SIGNED | FILE_SIGNATURE_STATE_VERIFIED' }],
  parent_pid: 888,
  parent_path: 'c:\\windows\\explorer.exe',
  ...fields,
});

/** Carbon Black EDR's event forwarder. */
export const cbEdr = (type: string, fields: Json): Json => ({
  cb_server: 'cb',
  computer_name: 'PC1',
  event_type: type,
  process_guid: '0000276e-0000-1234-01d7-641916c5961d',
  sensor_id: 10094,
  timestamp: 1_715_688_000.123,
  type: `ingress.event.${type}`,
  pid: 4660,
  ...fields,
});

/** Cortex XDR's xdr_data. */
export const xdr = (subType: string, fields: Json): Json => ({
  event_type: 'ENUM.ANY',
  event_sub_type: `ENUM.${subType}`,
  event_timestamp: 1_715_688_000_123,
  event_id: 'EVENT-1',
  agent_id: 'AGENT-1',
  agent_hostname: 'PC1',
  agent_ip_addresses: ['10.1.2.3'],
  actor_process_instance_id: 'Adr1YUm6dfg',
  actor_process_os_pid: 4660,
  actor_process_image_path: 'C:\\Tools\\rar.exe',
  actor_process_command_line: 'rar a out.rar',
  actor_process_signature_vendor: 'win.rar GmbH',
  actor_process_signature_status: 'SIGNED',
  actor_effective_username: 'CORP\\ann',
  ...fields,
});

/** LimaCharlie's sensor. */
export const limaCharlie = (type: string, event: Json, routing: Json = {}): Json => ({
  event,
  routing: {
    event_type: type,
    event_time: 1_715_688_000_123,
    event_id: 'event-1',
    hostname: 'pc1.corp.example',
    int_ip: '10.1.2.3',
    ext_ip: '198.51.100.77',
    sid: 'sensor-1',
    this: 'a443f9c48bef700740ef27e062c333c6',
    parent: '42217cb0326ca254999554a862c3298e',
    ...routing,
  },
  ts: '2024-05-14 12:00:00',
});

/** A document of the common schema, of an integration that keeps nothing of the original. */
export const ecsDocument = (category: string, types: readonly string[], parts: Json): Json => ({
  '@timestamp': '2024-05-14T12:00:00.123Z',
  agent: { id: 'collector', type: 'filebeat' },
  event: {
    category: [category],
    type: types,
    action: 'any',
    kind: 'event',
    module: 'any_edr',
    dataset: 'any_edr.event',
  },
  host: { name: 'PC1', id: 'x' },
  process: {
    entity_id: 'KEY-1',
    pid: 4660,
    executable: 'C:\\Tools\\rar.exe',
    command_line: 'rar a out.rar',
    parent: { pid: 888, executable: 'C:\\Windows\\explorer.exe' },
  },
  user: { name: 'ann', domain: 'CORP' },
  ...parts,
});

/** A row of Sentinel's normalised tables. */
export const asimRow = (schema: string, type: string, fields: Json): Json => ({
  TimeGenerated: '2024-05-14T12:05:00Z',
  EventStartTime: '2024-05-14T12:00:00.123Z',
  EventSchema: schema,
  EventType: type,
  EventProduct: 'any',
  DvcHostname: 'PC1',
  DvcIpAddr: '10.1.2.3',
  ActingProcessName: 'C:\\Tools\\rar.exe',
  ActingProcessId: '4660',
  ActingProcessGuid: 'KEY-1',
  ActorUsername: 'CORP\\ann',
  ...fields,
});

/** An alert of Trellix (FireEye) HX on an event of its agent. */
export const hxAlert = (type: string, fields: Json, more: Json = {}): Json => ({
  _id: 1,
  agent: { _id: 'AGENT-1', url: '/hx/api/v3/hosts/AGENT-1', hostname: 'PC1' },
  condition: { _id: 'x' },
  event_at: '2024-05-14T12:00:00.123Z',
  matched_at: '2024-05-14T12:02:00.000Z',
  reported_at: '2024-05-14T12:03:00.000Z',
  source: 'IOC',
  event_id: 4887,
  event_type: type,
  event_values: Object.fromEntries(
    Object.entries({
      timestamp: '2024-05-14T12:00:00.123Z',
      pid: 4660,
      process: 'rar.exe',
      processPath: 'C:\\Tools',
      username: 'CORP\\ann',
      ...fields,
    }).map(([name, value]) => [`${type}/${name}`, value]),
  ),
  ...more,
});

const xmlText = (value: unknown): string =>
  String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** An item of a triage's `stateagentinspector`, its fields as details or (older) as elements. */
export const hxItem = (type: string, fields: Json, isOlder = false): string => {
  const time = '<timestamp>2024-05-14T12:00:00.123Z</timestamp>';
  const pairs = Object.entries(fields);
  const details = pairs.map(([name, value]) => `<detail><name>${name}</name><value>${xmlText(value)}</value></detail>`);
  const elements = pairs.map(([name, value]) => `<${name}>${xmlText(value)}</${name}>`);
  const inner = isOlder
    ? `${time}<${type}>${elements.join('\n')}</${type}>`
    : `${time}<eventType>${type}</eventType><details>\n${details.join('\n')}\n</details>`;
  return ` <eventItem uid="39265403" created="2024-05-14T13:00:00Z">\n${inner}\n</eventItem>`;
};

/** An event of Tanium's stream; names of the process have a prefix, except in its own events. */
export const taniumEvent = (event: string, fields: Json): Json => ({
  timestamp: '2024-05-14T14:00:00.123456+02:00',
  hostname: 'PC1.corp.example',
  host: '10.1.2.3',
  tanium_computer_id: '1234567',
  event,
  fields: event.startsWith('process_')
    ? fields
    : {
        tanium_process_id: 'KEY-1',
        process__pid: 4660,
        process__file__full_path: 'C:\\Tools\\rar.exe',
        process__command_line: 'rar a out.rar',
        process__user__name: 'ann',
        process__user__group: 'CORP',
        ...fields,
      },
});

/** A row of the recorder's tables. */
export const taniumRow = (fields: Json): Json => ({
  id: '1',
  process_table_id: '345678',
  pid: 4660,
  process_path: 'C:\\Tools\\rar.exe',
  user_name: 'ann',
  group_name: 'CORP',
  ...fields,
});

/** A row of one of Sophos' journals; noon of the samples, to the second. */
export const sophosRow = (fields: Json): Json => ({
  meta_hostname: 'PC1',
  meta_ip_address: '10.1.2.3',
  query_name: 'any query',
  sophos_pid: '4660:133601615990000000',
  time: 1_715_688_000,
  ...fields,
});

/** An element of Cybereason. */
export const cybereasonElement = (simple: Json, elements: Json = {}, guid = 'ELEMENT-1'): Json => ({
  simpleValues: Object.fromEntries(
    Object.entries(simple).map(([name, value]) => [name, { totalValues: 1, values: [value] }]),
  ),
  elementValues: Object.fromEntries(
    Object.entries({ ownerMachine: ['Machine', 'HOST-1', 'pc1'], ...elements } as Record<string, string[]>).map(
      ([name, [elementType, key, called]]) => [
        name,
        {
          totalValues: 1,
          elementValues: [{ elementType, guid: key, name: called, elementValues: {}, simpleValues: {} }],
          totalSuspicious: 0,
        },
      ],
    ),
  ),
  suspicions: null,
  guidString: guid,
  malicious: false,
});
