import { describe, expect, it } from 'vitest';
import { mdeRow, mdeStreamed } from '../build/feed-records.ts';
import { AT, read, TUPLE } from '../build/read-records.ts';

describe('Microsoft Defender', () => {
  const network = { LocalIP: '10.1.2.3', LocalPort: 50123, RemoteIP: '203.0.113.9', RemotePort: 443, Protocol: 'Tcp' };

  it('reads a row in the streaming envelope, alone, in a batch and in API results alike', () => {
    const row = mdeRow('ConnectionSuccess', network);
    const streamed = mdeStreamed('DeviceNetworkEvents', row);
    const expected = read(row);
    expect(expected).toMatchObject({
      kind: 'connection',
      direction: 'egress',
      outcome: 'ok',
      at: AT,
      host: { id: 'abcdef0123', name: 'pc1.corp.example' },
      process: {
        pid: 4660,
        startedAt: 1_715_687_940_765_432,
        entityId: 'pid:4660@1715687940765432',
        entityKind: 'pid-start',
        image: 'c:\\tools\\rar.exe',
        signatureStatus: 'valid',
        parent: { entityId: 'pid:888@1715673600000000', pid: 888, image: 'explorer.exe' },
      },
      ...TUPLE,
    });
    for (const form of [
      streamed,
      { records: [streamed] },
      { Results: [row] },
      { Stats: {}, Schema: [{ Name: 'Timestamp' }], Results: [row] },
    ]) {
      expect(read(form)).toEqual(expected);
    }
  });

  it.each([
    ['ConnectionFailed', 'egress', 'failed'],
    ['ConnectionAttempt', 'egress', 'attempt'],
    ['InboundConnectionAccepted', 'ingress', 'ok'],
    ['ConnectionFound', 'unknown', 'ok'],
  ])('tells direction and outcome from %s', (action, direction, outcome) => {
    expect(read(mdeRow(action, network))).toMatchObject({ direction, outcome });
  });

  it('puts the remote end of an inbound connection first', () => {
    expect(read(mdeRow('InboundConnectionAccepted', network))).toMatchObject({
      source: TUPLE.destination,
      destination: TUPLE.source,
    });
  });

  it('reads an aggregated row as a span without a tuple to match', () => {
    const row = mdeRow('ConnectionSuccessAggregatedReport', {
      RemoteIP: '203.0.113.9',
      RemotePort: 443,
      LocalIP: null,
      Protocol: 'Tcp',
      AdditionalFields: '{"uniqueEventsAggregated":17}',
    });
    expect(read(row)).toMatchObject({
      aggregate: { until: AT + 3_600_000_000, count: 17 },
      source: { ip: '', port: 0 },
    });
  });

  it.each([['https://u:p@Files.Example:8443/a?b'], ['files.example'], ['files.example:443']])(
    'takes the host of %s as name',
    (RemoteUrl) => {
      expect(read(mdeRow('ConnectionSuccess', { ...network, RemoteUrl, RemoteIP: '' }))).toMatchObject({
        remoteName: 'files.example',
        destination: { ip: '' },
      });
    },
  );

  it('reads a started process with the initiating one as its parent', () => {
    const row = mdeRow('ProcessCreated', {
      ProcessId: 5000,
      ProcessCreationTime: '2024-05-14T11:59:59.5000000Z',
      FileName: 'curl.exe',
      FolderPath: 'C:\\Windows\\System32\\curl.exe',
      ProcessCommandLine: 'curl -T x',
      ProcessIntegrityLevel: 'Medium',
      ProcessVersionInfoOriginalFileName: 'curl.exe',
      AccountName: 'ann',
      AccountDomain: 'corp',
      SHA1: 'c'.repeat(40),
      AdditionalFields: '[]',
    });
    expect(read(row)).toMatchObject({
      kind: 'process_start',
      at: 1_715_687_999_500_000,
      process: {
        entityId: 'pid:5000@1715687999500000',
        image: 'C:\\Windows\\System32\\curl.exe',
        hashes: { sha1: 'c'.repeat(40) },
        parent: {
          entityId: 'pid:4660@1715687940765432',
          pid: 4660,
          image: 'c:\\tools\\rar.exe',
          commandLine: 'rar a out.rar',
        },
      },
    });
  });

  it('has no process where the row has none, and still the query', () => {
    const row = mdeRow('DnsConnectionInspected', {
      InitiatingProcessId: 0,
      InitiatingProcessCreationTime: null,
      InitiatingProcessFileName: null,
      InitiatingProcessFolderPath: null,
      InitiatingProcessParentId: 0,
      AdditionalFields: { direction: 'Out', query: 'files.example', answers: '["203.0.113.9"]' },
    });
    expect(read(row)).toMatchObject({
      kind: 'dns_query',
      name: 'files.example',
      answers: ['203.0.113.9'],
      process: { entityKind: 'none' },
    });
  });

  it('reads file events with size and origin, and the addresses of a device', () => {
    const file = {
      FileName: 'x.zip',
      FolderPath: 'C:\\a\\x.zip',
      FileSize: 99,
      FileOriginUrl: 'https://a.example/x.zip',
    };
    expect(read(mdeRow('FileCreated', file))).toMatchObject({
      op: 'create',
      path: 'C:\\a\\x.zip',
      size: 99,
      origin: 'https://a.example/x.zip',
    });
    expect(
      read(mdeRow('FileRenamed', { ...file, PreviousFileName: 'x.tmp', PreviousFolderPath: 'C:\\a' })),
    ).toMatchObject({
      op: 'rename',
      oldPath: 'C:\\a\\x.tmp',
    });
    const device = {
      Timestamp: '2024-05-14T12:00:00Z',
      DeviceId: 'd',
      DeviceName: 'pc1',
      IPAddresses: '[{"IPAddress":"10.1.2.3"},{"IPAddress":"fe80::1"}]',
    };
    expect(read(mdeStreamed('DeviceNetworkInfo', device))).toMatchObject({
      kind: 'host_address',
      ips: ['10.1.2.3', 'fe80::1'],
    });
  });

  it('is read with its columns in camel case', () => {
    const row = mdeRow('ConnectionSuccess', {
      LocalIP: '10.1.2.3',
      LocalPort: 50123,
      RemoteIP: '203.0.113.9',
      RemotePort: 443,
    });
    const camel = Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name[0]!.toLowerCase() + name.slice(1), value]),
    );
    expect(read(camel)).toEqual(read(row));
  });
});
