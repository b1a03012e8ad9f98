import { describe, expect, it } from 'vitest';
import { asimRow, cbCloud, cbEdr, ecsDocument, limaCharlie, xdr } from '../build/edr-records.ts';
import { eventXml, type Json, SYSMON_SAMPLES } from '../build/endpoint.ts';
import { AT_MILLIS, ignoredAs, read, readAll, TUPLE } from '../build/read-records.ts';

const ANN = { domain: 'CORP', name: 'ann' };
const INBOUND = { source: TUPLE.destination, destination: TUPLE.source };

describe('Carbon Black Cloud', () => {
  const net = { local_ip: '10.1.2.3', local_port: 50123, remote_ip: '203.0.113.9', remote_port: 443 };

  it('tells of a start in the name of the parent', () => {
    const child = {
      childproc_guid: 'ORG00001-003d902d-00001388-00000000-1d81e7490700000',
      childproc_pid: 5000,
      childproc_name: 'c:\\x.exe',
      childproc_username: 'CORP\\ann',
      target_cmdline: 'x -a',
    };
    expect(read(cbCloud('procstart', { action: 'ACTION_CREATE_PROCESS', ...child }))).toMatchObject({
      feed: 'carbon-black',
      kind: 'process_start',
      at: AT_MILLIS,
      timeQuality: 'exact',
      host: { id: '7', name: 'PC1' },
      process: {
        entityId: 'org00001-003d902d-00001388-00000000-1d81e7490700000',
        pid: 5000,
        startedAt: AT_MILLIS,
        image: 'c:\\x.exe',
        commandLine: 'x -a',
        user: ANN,
        parent: {
          entityId: 'org00001-003d902d-00001234-00000000-1d81e74906feadc',
          pid: 4660,
          commandLine: 'rar a out.rar',
        },
      },
    });
    expect(read(cbCloud('procstart', { action: 'ACTION_PROCESS_DISCOVERED' }))).toMatchObject({
      process: { pid: 4660 },
    });
  });

  it.each([
    [
      false,
      'PROTO_TCP',
      'ACTION_CONNECTION_CREATE',
      { direction: 'egress', transport: 'tcp', outcome: 'ok', ...TUPLE },
    ],
    [true, 'PROTO_UDP', 'ACTION_CONNECTION_CREATE', { direction: 'ingress', transport: 'udp', ...INBOUND }],
    [false, 'PROTO_TCP', 'ACTION_CONNECTION_CREATE_FAILED', { outcome: 'failed' }],
  ])('reads a connection (inbound %s, %s, %s)', (netconn_inbound, netconn_protocol, action, expected) => {
    const record = cbCloud('netconn', {
      ...net,
      netconn_inbound,
      netconn_protocol,
      action,
      netconn_domain: 'a.example',
    });
    expect(read(record)).toMatchObject({
      kind: 'connection',
      remoteName: 'a.example',
      process: { pid: 4660, signer: 'win.rar GmbH', signatureStatus: 'valid', hashes: { md5: '1'.repeat(32) } },
      ...expected,
    });
  });

  it.each([
    ['ACTION_FILE_CREATE | ACTION_FILE_OPEN_WRITE', 'file_write'],
    ['ACTION_FILE_MOD_OPEN | ACTION_FILE_OPEN_READ | ACTION_FILE_OPEN_WRITE', 'file_read'],
    ['ACTION_FILE_DELETE', 'file_delete'],
    ['ACTION_FILE_MOD_OPEN | ACTION_FILE_OPEN_DELETE', undefined],
  ])('reads %s as %s', (action, kind) => {
    const event = read(cbCloud('filemod', { action, filemod_name: 'c:\\out.rar' }));
    expect(event?.kind).toBe(kind);
  });

  it('reads modules and ends, and counts the rest by name', () => {
    const module = { modload_name: 'c:\\m.dll', modload_publisher: [{ state: 'FILE_SIGNATURE_STATE_NOT_SIGNED' }] };
    expect(read(cbCloud('moduleload', module))).toMatchObject({ path: 'c:\\m.dll', signatureStatus: 'unsigned' });
    expect(read(cbCloud('procend', {}))).toMatchObject({ kind: 'process_end', process: { pid: 4660 } });
    expect(ignoredAs(cbCloud('regmod', {}))).toBe('carbon-black regmod');
  });
});

describe('Carbon Black EDR', () => {
  it('names the process in its start and nothing but the process elsewhere', () => {
    const start = { path: 'c:\\x.exe', command_line: 'x', username: 'CORP\\ann', md5: 'B'.repeat(32), parent_pid: 888 };
    expect(read(cbEdr('procstart', start))).toMatchObject({
      kind: 'process_start',
      at: AT_MILLIS,
      host: { id: '10094', name: 'PC1' },
      process: { pid: 4660, image: 'c:\\x.exe', commandLine: 'x', user: ANN, hashes: { md5: 'b'.repeat(32) } },
    });
    const module = read(cbEdr('moduleload', { path: 'c:\\m.dll', process_path: 'c:\\x.exe', md5: 'C'.repeat(32) }));
    expect(module).toMatchObject({ path: 'c:\\m.dll', process: { image: 'c:\\x.exe' } });
    expect((module as { process: object }).process).not.toHaveProperty('hashes');
  });

  it('is read inside the wrapper of a shipper, too', () => {
    const net = { local_ip: '10.1.2.3', local_port: 50123, remote_ip: '203.0.113.9', remote_port: 443, protocol: 6 };
    const record = cbEdr('netconn', { ...net, direction: 'inbound', domain: 'a.example' });
    const expected = { kind: 'connection', transport: 'tcp', direction: 'ingress', ...INBOUND };
    expect(read(record)).toMatchObject(expected);
    expect(read({ '@timestamp': '2024-05-15T00:00:00Z', json: record, tags: [] })).toMatchObject(expected);
    expect(read(cbEdr('filemod', { action: 'delete', path: 'c:\\y.txt' }))).toMatchObject({ kind: 'file_delete' });
  });
});

describe('Cortex XDR', () => {
  it('makes the actor the parent of what it started', () => {
    const target = {
      action_process_instance_id: 'NEW1',
      action_process_os_pid: 5000,
      action_process_image_path: 'C:\\x.exe',
      action_process_image_command_line: 'x -a',
      action_process_username: 'CORP\\ann',
      action_process_instance_execution_time: 1_715_687_999_000,
    };
    expect(read(xdr('PROCESS_START', target))).toMatchObject({
      feed: 'cortex-xdr',
      id: 'EVENT-1',
      kind: 'process_start',
      at: AT_MILLIS,
      host: { id: 'agent-1', name: 'PC1', ips: ['10.1.2.3'] },
      process: {
        entityId: 'NEW1',
        pid: 5000,
        startedAt: 1_715_687_999_000_000,
        commandLine: 'x -a',
        user: ANN,
        parent: { entityId: 'Adr1YUm6dfg', pid: 4660, image: 'C:\\Tools\\rar.exe' },
      },
    });
  });

  it.each([
    ['NETWORK_STREAM_CONNECT', {}, { direction: 'egress', outcome: 'ok', ...TUPLE }],
    ['NETWORK_STREAM_CONNECT_FAILED', {}, { direction: 'egress', outcome: 'failed' }],
    ['NETWORK_STREAM_ACCEPT', {}, { direction: 'ingress', ...INBOUND }],
    [
      'NETWORK_STREAM_DISCONNECT',
      { action_network_is_server: true },
      { phase: 'end', direction: 'ingress', ...INBOUND },
    ],
  ])('reads %s', (type, more, expected) => {
    const ends = {
      action_local_ip: '10.1.2.3',
      action_local_port: '50123',
      action_remote_ip: '::ffff:203.0.113.9',
      action_remote_port: 443,
      action_network_protocol: 'ENUM.TCP',
      action_external_hostname: 'a.example',
      ...more,
    };
    expect(read(xdr(type, ends))).toMatchObject({
      kind: 'connection',
      transport: 'tcp',
      remoteName: 'a.example',
      process: { entityId: 'Adr1YUm6dfg', signer: 'win.rar GmbH', signatureStatus: 'valid' },
      ...expected,
    });
  });

  it('reads files, modules and look-ups', () => {
    const file = {
      action_file_path: 'C:\\out.rar',
      action_file_previous_file_path: 'C:\\o.tmp',
      action_file_size: '9',
    };
    expect(read(xdr('FILE_RENAME', file))).toMatchObject({
      op: 'rename',
      path: 'C:\\out.rar',
      oldPath: 'C:\\o.tmp',
      size: 9,
    });
    expect(read(xdr('LOAD_IMAGE_MODULE', { action_module_path: 'C:\\m.dll' }))).toMatchObject({ path: 'C:\\m.dll' });
    const dns = { dns_query_name: 'a.example', dns_resolutions: ['203.0.113.9', 'x'] };
    expect(read(xdr('NETWORK_DNS_QUERY', dns))).toMatchObject({ name: 'a.example', answers: ['203.0.113.9'] });
    expect(ignoredAs(xdr('REGISTRY_SET_VALUE', {}))).toBe('cortex-xdr REGISTRY_SET_VALUE');
  });
});

describe('LimaCharlie', () => {
  const process = { FILE_PATH: 'C:\\x.exe', COMMAND_LINE: 'x -a', PROCESS_ID: 4660, USER_NAME: 'CORP\\ann' };

  it('ties a start to its parent by atoms', () => {
    const above = { FILE_PATH: 'C:\\p.exe', PROCESS_ID: 888 };
    const record = { ...process, PARENT: above, PARENT_PROCESS_ID: 888, HASH: 'a'.repeat(64), FILE_IS_SIGNED: 0 };
    expect(read(limaCharlie('NEW_PROCESS', record))).toMatchObject({
      feed: 'limacharlie',
      kind: 'process_start',
      at: AT_MILLIS,
      host: { id: 'sensor-1', name: 'pc1.corp.example', ips: ['10.1.2.3'] },
      process: {
        entityId: 'a443f9c48bef700740ef27e062c333c6',
        pid: 4660,
        image: 'C:\\x.exe',
        user: ANN,
        signatureStatus: 'unsigned',
        hashes: { sha256: 'a'.repeat(64) },
        parent: { entityId: '42217cb0326ca254999554a862c3298e', pid: 888, image: 'C:\\p.exe' },
      },
    });
  });

  it('reads each connection of a summary at its own time', () => {
    const entry = (IS_OUTGOING: number, TIMESTAMP: number, PROTOCOL: string): Json => ({
      SOURCE: { IP_ADDRESS: '10.1.2.3', PORT: 50123 },
      DESTINATION: { IP_ADDRESS: '203.0.113.9', PORT: 443 },
      IS_OUTGOING,
      TIMESTAMP,
      PROTOCOL,
    });
    const list = [entry(1, 1_715_687_990_000, 'tcp4'), entry(0, 1_715_687_991_000, 'udp6'), 7];
    const found = readAll(limaCharlie('NETWORK_CONNECTIONS', { ...process, NETWORK_ACTIVITY: list }));
    expect(found).toMatchObject([
      { kind: 'connection', at: 1_715_687_990_000_000, direction: 'egress', transport: 'tcp', ...TUPLE },
      { kind: 'connection', at: 1_715_687_991_000_000, direction: 'ingress', transport: 'udp' },
    ]);
    expect(found.map((event) => event.id)).toEqual(['event-1', 'event-1#1']);
    expect(found[0]).toMatchObject({ process: { entityId: '42217cb0326ca254999554a862c3298e', pid: 4660 } });
  });

  it('reads look-ups, files, ends and the detections that hold them', () => {
    const dns = limaCharlie('DNS_REQUEST', { DOMAIN_NAME: 'a.example', IP_ADDRESS: '203.0.113.9', PROCESS_ID: 4660 });
    expect(read(dns)).toMatchObject({ kind: 'dns_query', name: 'a.example', answers: ['203.0.113.9'] });
    expect(read({ detect: dns, detect_id: 'x', cat: 'a rule' })).toMatchObject({ kind: 'dns_query' });
    const file = read(limaCharlie('FILE_CREATE', { FILE_PATH: 'C:\\out.rar', PROCESS_ID: 4660 }));
    expect(file).toMatchObject({ kind: 'file_write', path: 'C:\\out.rar', process: { pid: 4660 } });
    expect((file as { process: object }).process).not.toHaveProperty('image');
    expect(read(limaCharlie('TERMINATE_PROCESS', { PROCESS_ID: 4660 }))).toMatchObject({ kind: 'process_end' });
    expect(ignoredAs(limaCharlie('CODE_IDENTITY', { FILE_PATH: 'x' }))).toBe('limacharlie CODE_IDENTITY');
  });

  it("hands on a Windows log's record", () => {
    const event = SYSMON_SAMPLES.processEnd();
    const System = {
      Provider: { Name: 'Microsoft-Windows-Sysmon' },
      EventID: '5',
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      Computer: event.computer,
      EventRecordID: String(event.recordId),
      TimeCreated: { SystemTime: new Date(event.logged).toISOString() },
    };
    const found = read(limaCharlie('WEL', { EVENT: { System, EventData: event.data } }));
    expect(found).toEqual(read(eventXml(event)));
  });
});

describe('a document of the common schema alone', () => {
  const PROCESS = { entityId: 'KEY-1', pid: 4660, image: 'C:\\Tools\\rar.exe', user: ANN };

  it('is read by category and type', () => {
    const start = read(ecsDocument('process', ['start'], {}));
    expect(start).toMatchObject({
      feed: 'ecs',
      kind: 'process_start',
      at: AT_MILLIS,
      host: { id: 'pc1' },
      process: PROCESS,
    });
    expect(read(ecsDocument('process', ['end'], {}))).toMatchObject({ kind: 'process_end', process: PROCESS });
    const ends = { source: { ip: '10.1.2.3', port: 50123 }, destination: { ip: '203.0.113.9', port: '443' } };
    const network = { ...ends, network: { transport: 'tcp', direction: 'outbound' } };
    expect(read(ecsDocument('network', ['connection', 'start'], network))).toMatchObject({
      direction: 'egress',
      ...TUPLE,
    });
    const dns = { dns: { question: { name: 'a.example' }, resolved_ip: ['203.0.113.9'] } };
    expect(read(ecsDocument('network', ['protocol'], dns))).toMatchObject({ kind: 'dns_query', name: 'a.example' });
    const file = { file: { path: 'C:\\out.rar', size: 9 } };
    expect(read(ecsDocument('file', ['creation'], file))).toMatchObject({ kind: 'file_write', op: 'create', size: 9 });
    expect(read(ecsDocument('file', ['deletion'], file))).toMatchObject({ kind: 'file_delete' });
    expect(read(ecsDocument('library', ['start'], { dll: { path: 'C:\\m.dll' } }))).toMatchObject({
      kind: 'image_load',
    });
  });

  it('is left out when a rule copied it, or when it names no process', () => {
    const copied = { event: { category: ['process'], type: ['start'], kind: 'signal' } };
    expect(ignoredAs(ecsDocument('process', ['start'], copied))).toBe('ecs signal');
    expect(readAll(ecsDocument('network', ['connection'], { process: undefined, source: { ip: '10.1.2.3' } }))).toEqual(
      [],
    );
  });

  it('gives way to the original where that is kept', () => {
    const original = eventXml(SYSMON_SAMPLES.connection());
    const event = { category: ['process'], type: ['start'], original };
    expect(readAll(ecsDocument('process', ['start'], { event }))).toMatchObject([
      { feed: 'sysmon', kind: 'connection' },
    ]);
  });
});

describe("Sentinel's normalised tables", () => {
  it('give the actor as the parent of what it created', () => {
    const target = { TargetProcessName: 'C:\\x.exe', TargetProcessId: '5000', TargetProcessCommandLine: 'x -a' };
    expect(read(asimRow('ProcessEvent', 'ProcessCreated', target))).toMatchObject({
      feed: 'asim',
      kind: 'process_start',
      at: AT_MILLIS,
      host: { id: 'pc1', ips: ['10.1.2.3'] },
      process: {
        pid: 5000,
        startedAt: AT_MILLIS,
        commandLine: 'x -a',
        user: ANN,
        parent: { entityId: 'key-1', pid: 4660, image: 'C:\\Tools\\rar.exe' },
      },
    });
    expect(read(asimRow('ProcessEvent', 'ProcessTerminated', target))).toMatchObject({ kind: 'process_end' });
  });

  it('give the process at the end that is the device', () => {
    const ends = { SrcIpAddr: '10.1.2.3', SrcPortNumber: 50123, DstIpAddr: '203.0.113.9', DstPortNumber: '443' };
    const processes = { SrcProcessId: '1', DstProcessId: '2', NetworkProtocol: 'TCP', ...ends };
    const row = (NetworkDirection: string) =>
      asimRow('NetworkSession', 'EndpointNetworkSession', { ...processes, NetworkDirection });
    expect(read(row('Outbound'))).toMatchObject({
      direction: 'egress',
      transport: 'tcp',
      process: { pid: 1 },
      ...TUPLE,
    });
    expect(read(row('Inbound'))).toMatchObject({ direction: 'ingress', process: { pid: 2 }, ...TUPLE });
  });

  it('are read for files and look-ups', () => {
    const renamed = { TargetFilePath: 'C:\\out.rar', SrcFilePath: 'C:\\o.tmp', TargetFileSize: 9 };
    expect(read(asimRow('FileEvent', 'FileRenamed', renamed))).toMatchObject({
      op: 'rename',
      path: 'C:\\out.rar',
      oldPath: 'C:\\o.tmp',
      size: 9,
      process: { entityId: 'key-1' },
    });
    const dns = { DnsQuery: 'a.example', DnsResponseName: 'type:  5 b.example;203.0.113.9;', SrcProcessId: '7' };
    expect(read(asimRow('Dns', 'Query', dns))).toMatchObject({ answers: ['203.0.113.9'], process: { pid: 7 } });
    expect(ignoredAs(asimRow('Authentication', 'Logon', {}))).toBe('asim Authentication/Logon');
  });
});
