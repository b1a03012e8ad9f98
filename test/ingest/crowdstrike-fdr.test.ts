import { describe, expect, it } from 'vitest';
import { fdr } from '../build/feed-records.ts';
import { AT_MILLIS, ignoredAs, read, TUPLE } from '../build/read-records.ts';

describe('CrowdStrike FDR', () => {
  const tuple = {
    LocalAddressIP4: '10.1.2.3',
    LocalPort: '50123',
    RemoteAddressIP4: '203.0.113.9',
    RemotePort: '443',
    Protocol: '6',
  };

  it('reads a start by its 64-bit key, which no number could hold', () => {
    const record = fdr('ProcessRollup2', {
      TargetProcessId: '98765432109876543',
      ParentProcessId: '98765432109876001',
      RawProcessId: '4660',
      ImageFileName: '\\Device\\HarddiskVolume3\\Tools\\rar.exe',
      CommandLine: 'rar a x.rar',
      ParentBaseFileName: 'explorer.exe',
      SHA1HashData: '0'.repeat(40),
      SHA256HashData: 'd'.repeat(64),
      UserSid: 'S-1-5-21-1-2-3-1001',
      AuthenticationId: '999',
      IntegrityLevel: '12288',
      ProcessStartTime: '1715688000.123',
    });
    expect(read(record)).toMatchObject({
      id: 'fdr-id-1',
      kind: 'process_start',
      at: AT_MILLIS,
      host: { id: 'aid0001' },
      process: {
        entityId: '98765432109876543',
        entityKind: 'vendor',
        pid: 4660,
        hashes: { sha256: 'd'.repeat(64) },
        user: { id: 'S-1-5-21-1-2-3-1001' },
        logonId: '0x3e7',
        integrity: 'High',
        parent: { entityId: '98765432109876001', image: 'explorer.exe' },
      },
    });
  });

  it('reads a loaded module as the module of its context process', () => {
    const path = '\\Device\\HarddiskVolume3\\Windows\\System32\\winhttp.dll';
    expect(read(fdr('ClassifiedModuleLoad', { ImageFileName: path }))).toMatchObject({
      kind: 'image_load',
      path,
      process: { entityId: '98765432109876543', image: 'rar.exe' },
    });
  });

  it.each([
    ['0', 'egress', TUPLE],
    ['1', 'ingress', { source: TUPLE.destination, destination: TUPLE.source }],
    ['2', 'unknown', TUPLE],
  ])('reads direction %s', (ConnectionDirection, direction, ends) => {
    expect(read(fdr('NetworkConnectIP4', { ...tuple, ConnectionDirection }))).toMatchObject({
      direction,
      ...ends,
      process: { entityId: '98765432109876543', image: 'rar.exe' },
    });
  });

  it.each([
    ['ZipFileWritten', 'application/zip'],
    ['SevenZipFileWritten', 'application/x-7z-compressed'],
    ['RarFileWritten', 'application/vnd.rar'],
    ['OoxmlFileWritten', undefined],
  ])('knows from %s what was written, whatever the name', (name, mimeType) => {
    const event = read(fdr(name, { TargetFileName: '\\Device\\HarddiskVolume3\\a.tmp', Size: '8200405' }));
    expect(event).toMatchObject({ kind: 'file_write', op: 'create', size: 8_200_405 });
    expect((event as { mimeType?: string }).mimeType).toBe(mimeType);
  });

  it('unwraps a relay that rewrites the times of its outer copy', () => {
    const inner = fdr('DnsRequest', { DomainName: 'files.example', IP4Records: '203.0.113.9;999.1.1.1;' });
    const wrapped = {
      ...inner,
      ContextTimeStamp: '2030-01-01 00:00:00',
      event: inner,
      fdr_event_type: 'DnsRequest',
      p_log_type: 'x',
    };
    expect(read(wrapped)).toMatchObject({
      kind: 'dns_query',
      at: AT_MILLIS,
      name: 'files.example',
      answers: ['203.0.113.9'],
    });
  });

  it('reads the names that Splunk gives to numbers', () => {
    const record = fdr('NetworkConnectIP4', { ...tuple, LocalPort_decimal: '50123', RemotePort_decimal: '443' });
    const { LocalPort: _local, RemotePort: _remote, ...suffixed } = record;
    expect(read(suffixed)).toMatchObject(TUPLE);
  });

  it('counts a query without a name, and ignores what says nothing of one process', () => {
    expect(read(fdr('DnsRequest', {}))).toMatchObject({ kind: 'dns_query', name: '' });
    expect(ignoredAs(fdr('ProcessRollup2Stats', {}))).toBe('crowdstrike-fdr ProcessRollup2Stats');
  });

  it('takes the address of the host from its own events, and never the one the cloud saw', () => {
    expect(read(fdr('LocalIpAddressIP4', { LocalAddressIP4: '10.1.2.3' }))).toMatchObject({
      kind: 'host_address',
      ips: ['10.1.2.3'],
    });
    expect(JSON.stringify(read(fdr('NetworkConnectIP4', tuple)))).not.toContain('198.51.100.77');
  });

  it('reads executables and scripts that were written, renamed or deleted by their names', () => {
    const path = {
      TargetFileName: '\\Device\\HarddiskVolume2\\x.exe',
      SourceFileName: '\\Device\\HarddiskVolume2\\y.tmp',
    };
    expect(read(fdr('NewExecutableWritten', path))).toMatchObject({ kind: 'file_write', op: 'create' });
    expect(read(fdr('NewScriptWritten', path))).toMatchObject({ kind: 'file_write', op: 'create' });
    expect(read(fdr('NewExecutableRenamed', path))).toMatchObject({ op: 'rename', oldPath: path.SourceFileName });
    expect(read(fdr('ExecutableDeleted', path))).toMatchObject({ kind: 'file_delete', path: path.TargetFileName });
  });
});
