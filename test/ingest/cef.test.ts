import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { readDeviceLine } from '../../enrich/ingest/cef/device-line.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { arcSightSecurity, arcSightSysmon, carbonBlackLeef, cefLine, falconLine, RT } from '../build/device-lines.ts';
import { AT_MILLIS, ignoredAs, read, readAll, TUPLE } from '../build/read-records.ts';

const ANN = { domain: 'CORP', name: 'ann' };
const ENDS = { src: '10.1.2.3', spt: 50123, dst: '203.0.113.9', dpt: 443, proto: 'TCP' };
const INBOUND = { source: TUPLE.destination, destination: TUPLE.source };

function readText(text: string): { events: EndpointEvent[]; damaged: number } {
  const normalizer = new FeedNormalizer();
  const reader = new TextReader(normalizer, {});
  return { events: [...reader.push(text), ...reader.end()], damaged: normalizer.summary.damaged.total };
}

const fields = (line: string) => Object.fromEntries(readDeviceLine(line)?.fields ?? []);

describe('a line of CEF', () => {
  it('is split at pipes and equals signs that no backslash stands before', () => {
    const line = readDeviceLine('CEF:0|a\\|b|c\\\\d|1|id|na=me|5|k=v\\=w x msg=one\\ntwo\\\\three  act=a b=c|d');
    expect(line).toMatchObject({ format: 'cef', vendor: 'a|b', product: 'c\\d', eventClass: 'id', name: 'na=me' });
    expect(Object.fromEntries(line?.fields ?? [])).toEqual({ k: 'v=w x', msg: 'one\ntwo\\three', act: 'a', b: 'c|d' });
  });

  it.each([
    ['escaped', 'C:\\\\new\\\\run.exe', 'C:\\new\\run.exe'],
    ['not escaped', 'C:\\new\\run.exe', 'C:\\new\\run.exe'],
    ['not escaped, in quotes', '"C:\\new\\run.exe" -a', '"C:\\new\\run.exe" -a'],
    ['not escaped, a device', '\\Device\\HarddiskVolume2\\x', '\\Device\\HarddiskVolume2\\x'],
    ['escaped, a share', '\\\\\\\\srv\\\\share\\\\new', '\\\\srv\\share\\new'],
    ['not escaped, a share', '\\\\srv\\share', '\\\\srv\\share'],
  ])('gives a path that is %s as it is', (_name, written, expected) => {
    expect(fields(`CEF:0|a|b|1|2|3|4|filePath=${written}`)).toEqual({ filePath: expected });
  });

  it('keeps the first value of a key, and every key a key', () => {
    expect(fields('CEF:0|a|b|1|2|3|4|act=first act=second empty= __proto__=x')).toEqual(
      Object.fromEntries([
        ['act', 'first'],
        ['__proto__', 'x'],
      ]),
    );
  });

  it.each([
    ['RFC 3164', '<134>May 14 12:00:00 relay '],
    ['RFC 5424', '<134>1 2024-05-14T12:00:00Z relay app - - - \ufeff'],
    ['a tag', 'May 14 12:00:00 relay app: '],
    ['octets before it', '312 <134>May 14 12:00:00 relay '],
  ])('is found behind a syslog header (%s)', (_name, prefix) => {
    const text = `${prefix}${arcSightSysmon('NETWORK_CONNECT', 3, ENDS)}\n`;
    expect(readText(text + text)).toMatchObject({
      damaged: 0,
      events: [{ kind: 'connection' }, { kind: 'connection' }],
    });
    expect(read({ message: text })).toMatchObject({ kind: 'connection' });
    expect(read({ time: 1, host: 'relay', sourcetype: 'cef', event: text })).toMatchObject({ kind: 'connection' });
  });

  it('may have pairs between pipes, as "CEF:2" has them', () => {
    const line =
      '<14>2024-05-14 12:00:00,350 sentinel - CEF:2|SentinelOne|Mgmt|eventID=19|eventDesc=New active threat|filePath=C:\\x|';
    expect(readDeviceLine(line)).toMatchObject({ vendor: 'SentinelOne', eventClass: '19', name: 'New active threat' });
    expect(fields(line)).toMatchObject({ filePath: 'C:\\x' });
    expect(ignoredAs(line)).toBe('cef SentinelOne Mgmt 19');
  });

  it('is no line of its own inside the event of another agent, JSON or XML', () => {
    const forged = cefLine(['X', 'Y', '1', '2', '3', '4'], { ...ENDS, sproc: 'C:\\x.exe', rt: RT });
    expect(readAll(`<Event><System/><EventData><Data Name="a"> ${forged}</Data></EventData></Event>`)).toEqual([]);
    expect(readAll(`{"a":" ${forged.replaceAll('\\', '\\\\')}"}`)).toEqual([]);
    const snare = `<13>May 14 14:00:00 PC1 MSWinEventLog\t1\tSecurity\t9\tx ${forged}`;
    expect(readAll(snare)).toEqual([]);
  });
});

describe('a line of LEEF', () => {
  it.each([
    ['1.0 with tabs', 'LEEF:1.0|v|p|1|id|src=10.1.2.3\tmsg=a b\tcat=x', {}],
    ['1.0 with tabs that rsyslog wrote', 'LEEF:1.0|v|p|1|id|src=10.1.2.3#011msg=a b#011cat=x', {}],
    ['1.0 with blanks', 'LEEF:1.0|v|p|1|id|src=10.1.2.3 msg=a b cat=x', {}],
    ['2.0 with a character', 'LEEF:2.0|v|p|1|id|^|src=10.1.2.3^msg=a b^cat=x', {}],
    ['2.0 with its code', 'LEEF:2.0|v|p|1|id|0x5e|src=10.1.2.3^msg=a b^cat=x', {}],
    ['2.0 without delimiter', 'LEEF:2.0|v|p|1|id|src=10.1.2.3\tmsg=a b\tcat=x', {}],
  ])('is read: %s', (_name, line) => {
    expect(readDeviceLine(line)).toMatchObject({ format: 'leef', vendor: 'v', product: 'p', eventClass: 'id' });
    expect(fields(line)).toEqual({ src: '10.1.2.3', msg: 'a b', cat: 'x' });
  });

  it('has dates in the order that its format, the date itself or another line tells', () => {
    const event = (time: string, more: string[] = []) =>
      read(
        ['LEEF:1.0|v|p|1|id|src=10.1.2.3', 'dst=10.1.2.4', 'dstPort=1', 'sproc=x', `devTime=${time}`, ...more].join(
          '\t',
        ),
      );
    const june = Date.UTC(2024, 5, 5, 10) * 1000;
    const may = Date.UTC(2024, 4, 6, 10) * 1000;
    expect(event('05/06/2024 10:00:00', ['devTimeFormat=dd/MM/yyyy HH:mm:ss'])?.at).toBe(june);
    expect(event('05/06/2024 10:00:00', ['devTimeFormat=MM/dd/yyyy HH:mm:ss'])?.at).toBe(may);
    expect(event('15/06/2024 10:00:00')?.at).toBe(june + 10 * 86_400_000_000);
    expect(event('05/06/2024 10:00:00')?.at).toBe(may);
    expect(event('05/06/2024 10:00:00', ['receivedTime=2024-06-05T11:00:00Z'])?.at).toBe(june);
  });

  it('has backslashes of its own, unless they are doubled', () => {
    expect(fields('LEEF:1.0|v|p|1|id|a=C:\\temp\\new\tb=c:\\\\temp\\\\new\tc=x\\=y')).toEqual({
      a: 'C:\\temp\\new',
      b: 'c:\\temp\\new',
      c: 'x=y',
    });
  });
});

describe("ArcSight's connectors", () => {
  const GUID = 'a1b2c3d4-0001-0002-0003-000400050006';

  it('give the start of a process with its parent', () => {
    const line = arcSightSysmon('CREATE_PROCESS', 1, {
      deviceCustomDate1Label: 'Event TimeStamp (UTC)',
      deviceCustomDate1: '1715687999000',
      sproc: 'C:\\Windows\\explorer.exe',
      spid: 888,
      dproc: 'C:\\Tools\\rar.exe',
      cs1Label: 'Command Line',
      cs1: 'rar a -hp=x out.rar',
      cs2Label: 'Parent Command Line',
      cs2: 'explorer.exe',
      cs4Label: 'Parent Process GUID',
      cs4: '{A1B2C3D4-0001-0002-0003-000400050007}',
      cs5Label: 'IntegrityLevel',
      cs5: 'Medium',
      fileHash: 'A'.repeat(64),
    });
    expect(read(line)).toMatchObject({
      feed: 'sysmon',
      kind: 'process_start',
      at: 1_715_687_999_000_000,
      timeQuality: 'exact',
      host: { id: 'pc1', name: 'PC1.corp.example' },
      process: {
        entityId: GUID,
        pid: 4660,
        image: 'C:\\Tools\\rar.exe',
        commandLine: 'rar a -hp=x out.rar',
        hashes: { sha256: 'a'.repeat(64) },
        user: ANN,
        integrity: 'Medium',
        parent: { entityId: 'a1b2c3d4-0001-0002-0003-000400050007', pid: 888, image: 'C:\\Windows\\explorer.exe' },
      },
    });
  });

  it.each([
    ['true', { direction: 'egress', ...TUPLE }],
    ['false', { direction: 'ingress', ...TUPLE }],
  ])('give a connection of Sysmon (initiated %s)', (initiated, expected) => {
    const line = arcSightSysmon('NETWORK_CONNECT', 3, { ...ENDS, cs4Label: 'Initiated', cs4: initiated });
    expect(read(line)).toMatchObject({
      kind: 'connection',
      at: AT_MILLIS,
      timeQuality: 'log',
      transport: 'tcp',
      process: { entityId: GUID, pid: 4660, image: 'C:\\Tools\\rar.exe', user: ANN },
      ...expected,
    });
  });

  it('give files, modules, look-ups and ends of Sysmon', () => {
    expect(read(arcSightSysmon('FILE_CREATE', 11, { filePath: 'C:\\out.rar' }))).toMatchObject({
      kind: 'file_write',
      path: 'C:\\out.rar',
    });
    expect(read(arcSightSysmon('FILE_DELETE', 23, { filePath: 'C:\\out.rar' }))).toMatchObject({ kind: 'file_delete' });
    const module = { filePath: 'C:\\m.dll', dproc: 'C:\\m.dll', cs2Label: 'Signature', cs2: 'Win' };
    expect(read(arcSightSysmon('IMAGE_LOAD', 7, module))).toMatchObject({
      kind: 'image_load',
      path: 'C:\\m.dll',
      signer: 'Win',
      process: { image: 'C:\\Tools\\rar.exe' },
    });
    const dns = { dhost: 'a.example', cs1Label: 'Query Results', cs1: '::ffff:203.0.113.9;' };
    expect(read(arcSightSysmon('DNS_QUERY', 22, dns))).toMatchObject({ name: 'a.example', answers: ['203.0.113.9'] });
    expect(read(arcSightSysmon('PROCESS_TERMINATE', 5, {}))).toMatchObject({ kind: 'process_end' });
    expect(ignoredAs(arcSightSysmon('REG_SETVALUE', 13, {}))).toBe('sysmon 13 registry value');
  });

  it("know an event by its task, where there is no number and the names are NXLog's", () => {
    const header = [
      'Microsoft Sysmon',
      'Sysmon NXLog',
      '1',
      'sysmonTask-SYSMON_NETWORK_CONNECT',
      'Network connection',
      '1',
    ];
    const line = cefLine(header, { ...ENDS, rt: RT, dvchost: 'PC1', dproc: 'C:\\x.exe', dpid: 4660, dvcpid: 99 });
    expect(read(line)).toMatchObject({ kind: 'connection', process: { image: 'C:\\x.exe' } });
    // `dvcpid` is the logging service's there.
    expect((read(line) as { process: object }).process).not.toMatchObject({ pid: 99 });
  });

  it('give the start of a process of the Security log, with labels and without', () => {
    const values = { dproc: 'C:\\Tools\\rar.exe', cs3: '0x1234', cs4: 'rar a out.rar', cs5: '0x378' };
    const labels = { cs3Label: 'New Process ID', cs4Label: 'Process Command Line', cs5Label: 'Creator Process ID' };
    for (const line of [arcSightSecurity(4688, values), arcSightSecurity(4688, { ...values, ...labels })]) {
      expect(read(line)).toMatchObject({
        feed: 'security',
        kind: 'process_start',
        at: AT_MILLIS,
        process: {
          pid: 4660,
          image: 'C:\\Tools\\rar.exe',
          commandLine: 'rar a out.rar',
          user: ANN,
          parent: { pid: 888 },
        },
      });
    }
  });

  it('give connections, accesses and ends of the Security log', () => {
    const application = { filePath: '\\device\\harddiskvolume2\\tools', fname: 'rar.exe', fileType: 'Application' };
    expect(read(arcSightSecurity(5156, { ...ENDS, ...application, deviceDirection: 1 }))).toMatchObject({
      kind: 'connection',
      direction: 'egress',
      process: { image: '\\device\\harddiskvolume2\\tools\\rar.exe' },
      ...TUPLE,
    });
    const access = { dproc: 'C:\\x.exe', fileType: 'File', fname: 'C:\\a.docx', cs3: '0x1234', cs3Label: 'Process ID' };
    const read4663 = (cs1: string) => read(arcSightSecurity(4663, { ...access, cs1, cs1Label: 'Accesses' }));
    expect(read4663('ReadData (or ListDirectory)')).toMatchObject({
      kind: 'file_read',
      path: 'C:\\a.docx',
      process: { pid: 4660, image: 'C:\\x.exe' },
    });
    expect(read4663('WriteData (or AddFile)')).toMatchObject({ kind: 'file_write' });
    expect(read(arcSightSecurity(4689, { dproc: 'C:\\x.exe', cs3: '0x1234', cs3Label: 'Process ID' }))).toMatchObject({
      kind: 'process_end',
      process: { pid: 4660 },
    });
    expect(ignoredAs(arcSightSecurity(4624, {}))).toBe('security 4624 logon');
  });

  it("keep the event's own names beside the dictionary's", () => {
    const own = {
      end: RT,
      dvchost: 'PC1',
      dvcpid: 99,
      SourceName: 'Microsoft-Windows-Sysmon',
      EventID: 11,
      ProcessGuid: `{${GUID}}`,
      UtcTime: '2024-05-14 12:00:00.123',
      TargetFilename: 'C:\\out.rar',
      Image: 'C:\\x.exe',
      RecordNumber: 77,
    };
    const cef = read(cefLine(['NXLog', 'NXLog', '5.8', '0', '-', '7'], own));
    expect(cef).toMatchObject({
      feed: 'sysmon',
      kind: 'file_write',
      at: AT_MILLIS,
      process: { entityId: GUID, image: 'C:\\x.exe' },
    });
    expect((cef as { process: object }).process).not.toHaveProperty('pid');
    const pairs = Object.entries(own).map(([key, value]) => `${key}=${value}`);
    const leef = read(`LEEF:1.0|NXLog|NXLog|5.8|11|${pairs.join('\t')}`);
    expect(leef?.id).toBe(cef?.id);
  });
});

describe("CrowdStrike's SIEM connector", () => {
  const PROCESS = {
    entityId: '12345678901234',
    image: '\\Device\\HarddiskVolume2\\Tools\\rar.exe',
    commandLine: 'rar a -hp=x out.rar',
    user: ANN,
    parent: { entityId: '12345678900000' },
  };

  it('gives what a detection tells, at the time of the detection', () => {
    const network = read(falconLine('Network Access In A Detection Summary Event', ENDS));
    expect(network).toMatchObject({
      feed: 'cef',
      kind: 'connection',
      at: AT_MILLIS,
      timeQuality: 'received',
      host: { id: 'a1b2c3d4e5f60718293a4b5c6d7e8f90', name: 'PC1' },
      direction: 'unknown',
      process: PROCESS,
      ...TUPLE,
    });
    expect((network as { process: object }).process).not.toHaveProperty('pid');
    expect(read(falconLine('DNS Request In A Detection Summary Event', { domainName: 'a.example' }))).toMatchObject({
      kind: 'dns_query',
      name: 'a.example',
      process: PROCESS,
    });
    const written = { cs2Label: 'WrittenExeFileName', cs2: 'x.exe', cs3Label: 'WrittenExeFilePath', cs3: 'C:\\t' };
    expect(read(falconLine('Executable Written In A Detection Summary Event', written))).toMatchObject({
      kind: 'file_write',
      path: 'C:\\t\\x.exe',
    });
    const read_ = { cs2Label: 'AccessedDocFileName', cs2: 'a.docx', cs3Label: 'AccessedDocFilePath', cs3: 'C:\\d' };
    expect(read(falconLine('Document Access In A Detection Summary Event', read_))).toMatchObject({
      kind: 'file_read',
      path: 'C:\\d\\a.docx',
    });
  });

  it('says nothing of when a process began, unless it does', () => {
    expect(ignoredAs(falconLine('DetectionSummaryEvent', {}))).toBe('cef CrowdStrike FalconHost DetectionSummaryEvent');
    const start = { deviceCustomDate1Label: 'ProcessStartTime', deviceCustomDate1: '1715687990' };
    expect(read(falconLine('DetectionSummaryEvent', start))).toMatchObject({
      kind: 'process_start',
      at: 1_715_687_990_000_000,
      timeQuality: 'log',
      process: PROCESS,
    });
  });
});

describe("Carbon Black EDR's forwarder", () => {
  it('gives the same events in LEEF as in JSON', () => {
    const ends = { local_ip: '10.1.2.3', local_port: 50123, remote_ip: '203.0.113.9', remote_port: 443, protocol: 6 };
    expect(read(carbonBlackLeef('netconn', { ...ends, direction: 'inbound', src: '203.0.113.9' }))).toMatchObject({
      feed: 'carbon-black',
      kind: 'connection',
      at: AT_MILLIS,
      direction: 'ingress',
      process: { pid: 4660, image: 'c:\\tools\\rar.exe' },
      ...INBOUND,
    });
    const start = { path: 'c:\\temp\\new.exe', command_line: 'new -a=1', username: 'CORP\\ann', parent_pid: 888 };
    expect(read(carbonBlackLeef('procstart', start))).toMatchObject({
      kind: 'process_start',
      process: { image: 'c:\\tools\\rar.exe', commandLine: 'new -a=1', user: ANN, parent: { pid: 888 } },
    });
    expect(read(carbonBlackLeef('filemod', { action: 'create', path: 'c:\\temp\\out.rar' }))).toMatchObject({
      kind: 'file_write',
      path: 'c:\\temp\\out.rar',
    });
    expect(ignoredAs(carbonBlackLeef('regmod', {}))).toBe('carbon-black regmod');
  });
});

describe('any other product', () => {
  const line = (eventClass: string, name: string, more: object) =>
    cefLine(['Any', 'EDR', '1', eventClass, name, '3'], { dvchost: 'PC1', rt: RT, ...more });

  it('gives a connection when it names both ends and a process', () => {
    const ncie = {
      ...ENDS,
      rt: 'May 14 2024 12:00:00 GMT+00:00',
      shost: 'PC1',
      dvchost: 'server',
      deviceProcessName: 'C:\\x.exe',
    };
    expect(
      read(cefLine(['Trend Micro', 'Apex Central', '2019', 'NCIE:Pass', 'Suspicious Connection', '3'], ncie)),
    ).toMatchObject({
      feed: 'cef',
      kind: 'connection',
      at: 1_715_688_000_000_000,
      host: { id: 'pc1' },
      direction: 'unknown',
      process: { image: 'C:\\x.exe' },
      ...TUPLE,
    });
    expect(
      read(line('net', 'x', { ...ENDS, deviceDirection: 0, dpid: 7, dproc: 'C:\\srv.exe', spid: 8 })),
    ).toMatchObject({
      direction: 'ingress',
      process: { pid: 7, image: 'C:\\srv.exe' },
    });
  });

  it.each([
    ['both ends without a process', ENDS],
    ['a daemon that wrote the line', { ...ENDS, deviceProcessName: 'sshd' }],
    ['a process without an end', { sproc: 'C:\\x.exe', src: '10.1.2.3' }],
    ['a file without a process', { act: 'file created', filePath: 'C:\\x' }],
  ])('gives nothing for %s', (_name, more) => {
    expect(ignoredAs(line('100', 'Alert', more))).toBe('cef Any EDR 100');
  });

  it('gives files and processes by the words of what was done', () => {
    const file = { sproc: 'C:\\x.exe', spid: 4660, suser: 'CORP\\ann', filePath: 'C:\\d', fname: 'out.rar', fsize: 9 };
    expect(read(line('FileWrite', 'x', file))).toMatchObject({
      kind: 'file_write',
      op: 'modify',
      path: 'C:\\d\\out.rar',
      size: 9,
      process: { pid: 4660, image: 'C:\\x.exe', user: ANN },
    });
    expect(read(line('9', 'File Deleted', file))).toMatchObject({ kind: 'file_delete' });
    expect(ignoredAs(line('9', 'File write blocked', file))).toBe('cef Any EDR 9');
    const start = { sproc: 'C:\\p.exe', spid: 888, dproc: 'C:\\x.exe', dpid: 4660, start: RT, rt: '1715688999000' };
    expect(read(line('ProcessCreate', 'x', start))).toMatchObject({
      kind: 'process_start',
      at: AT_MILLIS,
      process: { pid: 4660, startedAt: AT_MILLIS, image: 'C:\\x.exe', parent: { pid: 888, image: 'C:\\p.exe' } },
    });
    expect(read(line('9', 'Process terminated', { dpid: 4660 }))).toMatchObject({ kind: 'process_end' });
  });

  it("gives what Trend Micro's behaviour monitoring saw", () => {
    const seen = (operation: string, target: string) =>
      cefLine(['Trend Micro', 'Apex Central', '2019', 'BM:1000', 'Behavior Monitoring', '3'], {
        rt: 'May 14 2024 12:00:00 GMT+00:00',
        shost: 'PC1',
        sproc: 'C:\\x.exe',
        cs3Label: 'Event_Type',
        cs3: operation === 'Create Process' ? 'Process' : 'File system',
        cs4Label: 'Operation',
        cs4: operation,
        TMCMLogTarget: target,
      });
    expect(read(seen('Write', 'C:\\out.rar'))).toMatchObject({ kind: 'file_write', path: 'C:\\out.rar' });
    expect(read(seen('Create Process', 'C:\\y.exe'))).toMatchObject({
      kind: 'process_start',
      process: { image: 'C:\\y.exe', parent: { image: 'C:\\x.exe' } },
    });
  });

  it('has its time in the zone that it states, and else in one to be told', () => {
    const at = (rt: string, more = {}) => read(line('net', 'x', { ...ENDS, sproc: 'C:\\x.exe', ...more, rt }));
    expect(at('May 14 2024 14:00:00.123 +0200')).toMatchObject({ at: AT_MILLIS, timeQuality: 'log' });
    expect(at('2024-05-14T12:00:00.123Z')).toMatchObject({ at: AT_MILLIS });
    expect(at('May 14 2024 14:00:00', { dtz: '+02:00' })).toMatchObject({ at: 1_715_688_000_000_000 });
    expect(at('"May 14 2024 12:00:00"')).toMatchObject({ at: 1_715_688_000_000_000, timeQuality: 'received' });
    const reader = new FeedNormalizer();
    expect(reader.normalize(line('net', 'x', { ...ENDS, sproc: 'C:\\x.exe', rt: 'yesterday' }))).toEqual([]);
    expect(reader.summary.rejected.entries()).toEqual([['cef Any EDR net: no time', 1]]);
  });
});

describe('CEF that a collector took apart', () => {
  it('is read under the names of each', () => {
    const sentinel = {
      TimeGenerated: '2024-05-14T12:00:00.123Z',
      DeviceVendor: 'Any',
      DeviceProduct: 'EDR',
      DeviceEventClassID: 'net',
      Activity: 'x',
      DeviceName: 'PC1',
      SourceIP: '10.1.2.3',
      SourcePort: 50123,
      DestinationIP: '203.0.113.9',
      DestinationPort: 443,
      Protocol: 'tcp',
      SourceProcessId: 4660,
      AdditionalExtensions: 'sproc=C:\\x.exe;other=1',
      Type: 'CommonSecurityLog',
    };
    const expected = { feed: 'cef', kind: 'connection', at: AT_MILLIS, host: { id: 'pc1' }, ...TUPLE };
    expect(read(sentinel)).toMatchObject({ ...expected, process: { pid: 4660, image: 'C:\\x.exe' } });
    const long = {
      deviceReceiptTime: RT,
      deviceHostName: 'PC1',
      sourceAddress: '::ffff:10.1.2.3',
      sourcePort: '50123',
      destinationAddress: '203.0.113.9',
      destinationPort: '443',
      sourceProcessName: 'C:\\x.exe',
    };
    const device = { deviceVendor: 'Any', deviceProduct: 'EDR', deviceEventClassId: 'net', name: 'x' };
    expect(read({ ...device, ...long })).toMatchObject(expected);
    const beats = { device: { vendor: 'Any', product: 'EDR', event_class_id: 'net' }, extensions: long };
    expect(read({ cef: beats })).toMatchObject(expected);
  });
});

describe('hostile lines', () => {
  const LINES = [
    arcSightSysmon('CREATE_PROCESS', 1, { dproc: 'C:\\x.exe', fileHash: 'a'.repeat(64) }),
    arcSightSysmon('NETWORK_CONNECT', 3, ENDS),
    arcSightSecurity(5156, { ...ENDS, deviceDirection: 1, fname: 'x.exe' }),
    falconLine('Network Access In A Detection Summary Event', ENDS),
    carbonBlackLeef('netconn', { remote_ip: '203.0.113.9' }),
    'LEEF:2.0|v|p|1|id|^|src=10.1.2.3^dst=10.1.2.4^dstPort=1^sproc=x',
  ];
  const piece = fc.constantFrom(
    '|',
    '=',
    '\\',
    '\t',
    ' ',
    '"',
    '\\=',
    'CEF:0|',
    'LEEF:2.0|',
    ' a=',
    '__proto__=',
    '\0',
    '\ud800',
    'é',
    '0x',
    '#011',
  );

  it('never throw, whatever is put into them, and are counted once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...LINES),
        fc.array(fc.tuple(fc.nat(), piece), { maxLength: 12 }),
        (line, changes) => {
          let text = line;
          for (const [at, what] of changes)
            text = text.slice(0, at % text.length) + what + text.slice((at % text.length) + 1);
          const reader = new FeedNormalizer();
          const events = [...reader.normalize(text), ...reader.drain()];
          const { summary } = reader;
          const counted =
            summary.ignored.total + summary.rejected.total + summary.unknown.total + summary.damaged.total;
          expect(events.length + counted).toBe(1);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('are read in time that grows as they do', () => {
    const started = performance.now();
    readDeviceLine(`CEF:0|a|b|c|d|e|f|${'a=b '.repeat(32_000)}`);
    readDeviceLine(`CEF:0|a|b|c|d|e|f|${'='.repeat(128_000)}`);
    readDeviceLine(`CEF:0|a|b|c|d|e|f|x=${'\\'.repeat(128_000)}`);
    readDeviceLine(`CEF:0|a|b|c|d|e|f|${'a'.repeat(128_000)}=`);
    readDeviceLine(`LEEF:1.0|a|b|c|d|${'\t'.repeat(128_000)}`);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(
      readDeviceLine(`CEF:0|a|b|c|d|e|f|${Array.from({ length: 5000 }, (_, i) => `k${i}=v`).join(' ')}`)?.fields.size,
    ).toBeLessThanOrEqual(513);
  });
});
