import type { Json } from './endpoint.ts';

/** Lines of CEF and LEEF in the shapes of their products; every value is invented. Time: noon of the samples and 123 ms. */
export const RT = '1715688000123';

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('=', '\\=').replaceAll('\n', '\\n').replaceAll('\r', '\\r');

export const cefLine = (header: readonly string[], fields: Json, prefix = ''): string => {
  const head = header.map((part) => part.replaceAll('\\', '\\\\').replaceAll('|', '\\|')).join('|');
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${escaped(String(value))}`);
  return `${prefix}CEF:0|${head}|${pairs.join(' ')}`;
};

/** ArcSight's connector for Windows, with the FlexConnector's fields for Sysmon. */
export const arcSightSysmon = (task: string, eventId: number, fields: Json): string =>
  cefLine(['Microsoft', 'Sysmon', 'Sysmon v15', `SysmonTask-SYSMON_${task}`, 'Sysmon', 'Low'], {
    eventId: 4711,
    externalId: eventId,
    rt: RT,
    dvchost: 'PC1.corp.example',
    dvcpid: 4660,
    deviceProcessName: 'C:\\Tools\\rar.exe',
    cs6Label: 'Process Guid',
    cs6: '{A1B2C3D4-0001-0002-0003-000400050006}',
    suser: 'ann',
    sntdom: 'CORP',
    ...fields,
  });

/** ArcSight's connector for the Security log. */
export const arcSightSecurity = (eventId: number, fields: Json): string =>
  cefLine(['Microsoft', 'Microsoft Windows', '', `Microsoft-Windows-Security-Auditing:${eventId}`, 'An event', 'Low'], {
    externalId: eventId,
    cat: 'Security',
    deviceSeverity: 'Audit_success',
    rt: RT,
    dvchost: 'PC1.corp.example',
    dntdom: 'CORP',
    duser: 'ann',
    duid: '0x3e7',
    ...fields,
  });

/** The SIEM connector of Falcon. */
export const falconLine = (eventClass: string, fields: Json): string =>
  cefLine(['CrowdStrike', 'FalconHost', '1.0', eventClass, 'Exfiltration', '4'], {
    externalId: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
    cn2Label: 'ProcessId',
    cn2: '12345678901234',
    cn1Label: 'ParentProcessId',
    cn1: '12345678900000',
    dhost: 'PC1',
    duser: 'ann',
    fname: 'rar.exe',
    filePath: '\\Device\\HarddiskVolume2\\Tools',
    cs5Label: 'CommandLine',
    cs5: 'rar a -hp=x out.rar',
    dntdom: 'CORP',
    rt: RT,
    ...fields,
  });

/** Carbon Black EDR's event forwarder: keys in order, tabs between them, backslashes doubled. */
export const carbonBlackLeef = (type: string, fields: Json): string => {
  const all: Json = {
    cb_server: 'cb',
    cb_version: '7.5',
    computer_name: 'PC1',
    event_type: type,
    pid: 4660,
    process_guid: '0000276e-0000-1234-01d7-641916c5961d',
    process_path: 'c:\\tools\\rar.exe',
    sensor_id: 10094,
    timestamp: '1715688000.123',
    type: `ingress.event.${type}`,
    ...fields,
  };
  const pairs = Object.entries(all).map(([key, value]) => `${key}=${escaped(String(value)).replaceAll('\t', '\\t')}`);
  const eventId = type === 'procstart' ? 'process' : type;
  return `LEEF:1.0|CB|CB|7.5|ingress.event.${eventId}|${pairs.sort().join('\t')}`;
};
