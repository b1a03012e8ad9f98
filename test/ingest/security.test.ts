import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { classicText, eventXml, SECURITY_SAMPLES, security } from '../build/endpoint.ts';

function read(record: unknown, reader = new FeedNormalizer()): EndpointEvent | undefined {
  return [...reader.normalize(record), ...reader.drain()][0];
}

describe('the Security log', () => {
  it('keys a process by pid and start, since it has no GUID', () => {
    expect(read(eventXml(SECURITY_SAMPLES.processStart()))).toMatchObject({
      kind: 'process_start',
      feed: 'security',
      timeQuality: 'log',
      process: {
        entityId: 'pid:4660@1715688000000000',
        entityKind: 'pid-start',
        pid: 4660,
        startedAt: 1_715_688_000_000_000,
        commandLine: 'rar a out.rar',
        user: { domain: 'CORP', name: 'ann', id: 'S-1-5-21-1-2-3-1001' },
        logonId: '0x3e7a',
        integrity: 'Medium',
        parent: { pid: 888, image: 'C:\\Windows\\explorer.exe' },
      },
    });
  });

  it.each([['0x1234'], ['0x0000000000001234'], ['4660']])('reads the pid written as %s', (pid) => {
    expect(read(eventXml(security(4689, { ProcessId: pid, ProcessName: 'C:\\x.exe' })))).toMatchObject({
      process: { pid: 4660, entityId: 'pid:4660', entityKind: 'pid-only' },
    });
  });

  it('runs the process as its target user where there is one', () => {
    const start = SECURITY_SAMPLES.processStart();
    const event = security(4688, {
      ...start.data,
      TargetUserName: 'svc-backup',
      TargetDomainName: 'CORP',
      TargetUserSid: 'S-1-5-21-9',
      TargetLogonId: '0x99',
    });
    expect(read(eventXml(event))).toMatchObject({
      process: { user: { name: 'svc-backup', domain: 'CORP', id: 'S-1-5-21-9' }, logonId: '0x99' },
    });
  });

  it.each([
    ['%%14593', '%%14611', 'egress'],
    ['Outbound', 'Connect', 'egress'],
    ['%%14592', '%%14610', 'ingress'],
    ['Inbound', 'Receive/Accept', 'ingress'],
    ['Ausgehend', '%%14611', 'egress'],
    ['-', '-', 'unknown'],
  ])('reads direction %s on layer %s as %s', (direction, layer, expected) => {
    const event = security(5156, { ...SECURITY_SAMPLES.connection().data, Direction: direction, LayerName: layer });
    expect(read(eventXml(event))).toMatchObject({ direction: expected, outcome: 'ok' });
  });

  it('finds the pid of a permitted connection under either spelling', () => {
    const { ProcessID, ...rest } = SECURITY_SAMPLES.connection().data;
    expect(read(eventXml(security(5156, { ...rest, ProcessId: String(ProcessID) })))).toMatchObject({
      process: { pid: 4660 },
    });
  });

  it.each([
    ['0x1', 'file_read', 'read'],
    ['0x2', 'file_write', 'modify'],
    ['0x4', 'file_write', 'modify'],
    ['0x6', 'file_write', 'modify'],
  ])('reads the use of right %s as %s', (mask, kind, op) => {
    expect(read(eventXml(security(4663, { ...SECURITY_SAMPLES.objectAccess().data, AccessMask: mask })))).toMatchObject(
      { kind, op },
    );
  });

  it('tells the rights from their codes where the mask is lost', () => {
    const { AccessMask: _mask, ...rest } = SECURITY_SAMPLES.objectAccess().data;
    expect(read(eventXml(security(4663, rest)))).toMatchObject({ kind: 'file_read' });
    expect(read(eventXml(security(4663, { ...rest, AccessList: '%%4417' })))).toMatchObject({ kind: 'file_write' });
  });

  it('takes a handle for reading as a fact, and a handle for writing as none', () => {
    const data = SECURITY_SAMPLES.objectAccess().data;
    expect(read(eventXml(security(4656, { ...data, AccessMask: '0x120089' })))).toMatchObject({
      kind: 'file_read',
      op: 'open',
    });
    expect(read(eventXml(security(4656, { ...data, AccessMask: '0x12019f' })))).toBeUndefined();
    expect(read(eventXml(security(4670, data)))).toMatchObject({ kind: 'file_read', op: 'permissions' });
  });

  it('ignores by name what is no file, was refused, or is no connection', () => {
    const reader = new FeedNormalizer();
    const data = SECURITY_SAMPLES.objectAccess().data;
    reader.normalize(eventXml(security(4663, { ...data, ObjectType: 'Key' })));
    reader.normalize(eventXml(security(5158, { SourceAddress: '0.0.0.0' })));
    reader.normalize(eventXml(security(4663, data)).replace('0x8020000000000000', '0x8010000000000000'));
    expect(reader.summary.accepted.total).toBe(0);
    expect(
      reader.summary.ignored
        .entries()
        .map(([name]) => name)
        .sort(),
    ).toEqual(['security 4663 on Key', 'security 4663 refused', 'security 5158 bind permitted']);
  });
});

describe('classic event text', () => {
  const start = classicText('05/14/2024 08:00:00 AM', 4688, [
    'A new process has been created.',
    '',
    'Creator Subject:',
    '\tSecurity ID:\t\tS-1-5-21-1',
    '\tAccount Name:\t\tann',
    '\tAccount Domain:\t\tCORP',
    '\tLogon ID:\t\t0x3E7A',
    '',
    'Target Subject:',
    '\tSecurity ID:\t\tNULL SID',
    '\tAccount Name:\t\t-',
    '\tLogon ID:\t\t0x0',
    '',
    'Process Information:',
    '\tNew Process ID:\t\t0x1234',
    '\tNew Process Name:\tC:\\Tools\\rar.exe',
    '\tMandatory Label:\t\tMandatory Label\\High Mandatory Level',
    '\tCreator Process ID:\t0x378',
    '\tCreator Process Name:\tC:\\Windows\\explorer.exe',
    '\tProcess Command Line:\trar a x: y.rar',
    '',
    'Token Elevation Type indicates the type of token: none.',
  ]);
  const connection = classicText('05/14/2024 08:00:01 AM', 5156, [
    'The Windows Filtering Platform has permitted a connection.',
    '',
    'Application Information:',
    '\tProcess ID:\t\t4660',
    '\tApplication Name:\t\\device\\harddiskvolume2\\tools\\rar.exe',
    '',
    'Network Information:',
    '\tDirection:\t\tOutbound',
    '\tSource Address:\t\t10.1.2.3',
    '\tSource Port:\t\t50123',
    '\tDestination Address:\t203.0.113.9',
    '\tDestination Port:\t\t443',
    '\tProtocol:\t\t6',
  ]);
  const access = classicText('05/14/2024 08:00:02 AM', 4663, [
    'An attempt was made to access an object.',
    '',
    'Object:',
    '\tObject Server:\t\tSecurity',
    '\tObject Type:\t\tFile',
    '\tObject Name:\t\tC:\\Docs\\plan.docx',
    '',
    'Process Information:',
    '\tProcess ID:\t\t0x1234',
    '\tProcess Name:\t\tC:\\Tools\\rar.exe',
    '',
    'Access Request Information:',
    '\tAccesses:\t\tReadData (or ListDirectory)',
    '\t\t\t\t\tReadAttributes',
    '\tAccess Mask:\t\t0x81',
  ]);

  it('is read by its labels', () => {
    expect(read(start)).toMatchObject({
      kind: 'process_start',
      host: { id: 'pc1' },
      process: {
        pid: 4660,
        image: 'C:\\Tools\\rar.exe',
        commandLine: 'rar a x: y.rar',
        integrity: 'High',
        user: { name: 'ann', domain: 'CORP' },
        parent: { pid: 888, image: 'C:\\Windows\\explorer.exe' },
      },
    });
    expect(read(connection)).toMatchObject({
      kind: 'connection',
      direction: 'egress',
      process: { pid: 4660 },
      destination: { ip: '203.0.113.9', port: 443 },
    });
    expect(read(access)).toMatchObject({ kind: 'file_read', path: 'C:\\Docs\\plan.docx', process: { pid: 4660 } });
  });

  it('is in a zone nobody knows, unless the caller or the envelope says', () => {
    expect(read(start)).toMatchObject({ at: Date.UTC(2024, 4, 14, 8) * 1000, timeQuality: 'received' });
    expect(read(start, new FeedNormalizer({ zoneMinutes: -240 }))).toMatchObject({
      at: Date.UTC(2024, 4, 14, 12) * 1000,
      timeQuality: 'offset-corrected',
    });
    const hec = { time: Date.UTC(2024, 4, 14, 12) / 1000, host: 'x', sourcetype: 'WinEventLog', event: start };
    expect(read(hec)).toMatchObject({ at: Date.UTC(2024, 4, 14, 12) * 1000, timeQuality: 'log' });
  });
});
