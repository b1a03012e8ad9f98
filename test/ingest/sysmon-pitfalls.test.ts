import { describe, expect, it } from 'vitest';
import type { ConnectionEvent, EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { eventXml, GUID, NOON, sysmon, utcTime, winlogbeat6 } from '../build/endpoint.ts';

const normalizer = () => new FeedNormalizer();
const read = (record: unknown): EndpointEvent => {
  const [event] = normalizer().normalize(record);
  if (!event) throw new Error('no event');
  return event;
};

const inbound = (data: Record<string, string>, year: number): ConnectionEvent =>
  read(
    eventXml(
      sysmon(
        3,
        { ProcessGuid: GUID, ProcessId: '4', Image: 'System', Protocol: 'tcp', Initiated: 'false', ...data },
        { logged: Date.UTC(year, 5, 1) },
      ),
    ),
  ) as ConnectionEvent;

describe('Sysmon event 3', () => {
  it('keeps the pid of a process that Sysmon does not know, and never the zero GUID', () => {
    const event = read(
      eventXml(
        sysmon(3, {
          ProcessGuid: '{00000000-0000-0000-0000-000000000000}',
          ProcessId: '7123',
          Image: '<unknown process>',
          Protocol: 'tcp',
          Initiated: 'true',
          SourceIp: '10.0.0.1',
          SourcePort: '50000',
          DestinationIp: '192.0.2.1',
          DestinationPort: '443',
        }),
      ),
    ) as ConnectionEvent;
    expect(event.process).toEqual({ entityId: 'pid:7123', entityKind: 'pid-only', pid: 7123 });
  });

  it('has no identity at all without GUID and pid', () => {
    const event = read(
      eventXml(sysmon(3, { ProcessGuid: '-', Initiated: 'true', SourceIp: '10.0.0.1', DestinationIp: '192.0.2.1' })),
    ) as ConnectionEvent;
    expect(event.process).toEqual({ entityId: '', entityKind: 'none' });
  });

  it('is as old as the log says, not as its own clock says', () => {
    const data = { ProcessGuid: GUID, Initiated: 'true', SourceIp: '10.0.0.1', DestinationIp: '192.0.2.1' };
    const event = read(eventXml(sysmon(3, { ...data, UtcTime: utcTime(NOON - 77 * 86_400_000) })));
    expect(event).toMatchObject({ at: NOON * 1000, timeQuality: 'log' });
  });

  it('takes no name from the reverse look-up of the address', () => {
    const event = read(
      eventXml(
        sysmon(3, {
          ProcessGuid: GUID,
          Initiated: 'true',
          SourceIp: '10.0.0.1',
          DestinationIp: '192.0.2.1',
          DestinationHostname: 'a184-84-68-43.deploy.example',
        }),
      ),
    );
    expect(event).not.toHaveProperty('remoteName');
  });

  it.each([
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0:0:0:a1ce:32c7:44a4:24df', 'fe80::a1ce:32c7:44a4:24df'],
    ['fe80::1%12', 'fe80::1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['0:0:0:0:0:ffff:c000:207', '192.0.2.7'],
  ])('writes the address %s as %s', (written, canonical) => {
    const event = read(
      eventXml(sysmon(3, { ProcessGuid: GUID, Initiated: 'true', SourceIp: written, DestinationIp: '192.0.2.1' })),
    );
    expect(event).toMatchObject({ source: { ip: canonical } });
  });

  it('names the initiator as source whichever end old and new versions call source', () => {
    const client = { ip: '10.0.0.9', port: 53118 };
    const server = { ip: '10.0.0.1', port: 49667 };
    const oldWay = inbound(
      { SourceIp: server.ip, SourcePort: '49667', DestinationIp: client.ip, DestinationPort: '53118' },
      2019,
    );
    const newWay = inbound(
      { SourceIp: client.ip, SourcePort: '53118', DestinationIp: server.ip, DestinationPort: '49667' },
      2021,
    );
    for (const event of [oldWay, newWay])
      expect(event).toMatchObject({ direction: 'ingress', source: client, destination: server });
  });

  it('lets a well-known port and the own name of the host overrule the age of the recording', () => {
    const byPort = inbound(
      { SourceIp: '10.0.0.1', SourcePort: '445', DestinationIp: '10.0.0.9', DestinationPort: '53118' },
      2023,
    );
    expect(byPort.source).toEqual({ ip: '10.0.0.9', port: 53118 });
    const byName = inbound(
      {
        SourceIp: '10.0.0.1',
        SourcePort: '49667',
        SourceHostname: 'PC1',
        DestinationIp: '10.0.0.9',
        DestinationPort: '53118',
        DestinationHostname: 'HR001',
      },
      2023,
    );
    expect(byName.source).toEqual({ ip: '10.0.0.9', port: 53118 });
  });

  it('never makes a multicast group the initiator', () => {
    const event = inbound(
      { SourceIp: '224.0.0.251', SourcePort: '5353', DestinationIp: '10.0.0.9', DestinationPort: '5353' },
      2022,
    );
    expect(event).toMatchObject({ source: { ip: '10.0.0.9' }, destination: { ip: '224.0.0.251' } });
  });

  it('without an address on either end is rejected by reason', () => {
    const reader = normalizer();
    expect(
      reader.normalize(eventXml(sysmon(3, { ProcessGuid: GUID, SourceIp: '-', DestinationIp: 'nowhere' }))),
    ).toEqual([]);
    expect(reader.summary.rejected.entries()).toEqual([['sysmon 3: no addresses', 1]]);
  });
});

describe('Sysmon context events', () => {
  it('gives the signer of a process that loads its own image', () => {
    const data = {
      ProcessGuid: GUID,
      Image: 'C:\\A\\x.exe',
      Signed: 'true',
      Signature: 'Someone',
      SignatureStatus: 'Valid',
    };
    expect(read(eventXml(sysmon(7, { ...data, ImageLoaded: 'c:\\a\\X.EXE' })))).toMatchObject({
      process: { signer: 'Someone', signatureStatus: 'valid' },
    });
    expect(read(eventXml(sysmon(7, { ...data, ImageLoaded: 'c:\\a\\y.dll' })))).not.toHaveProperty('process.signer');
  });

  it.each([
    [
      '[ZoneTransfer]  ZoneId=3  ReferrerUrl=https://a.example/  HostUrl=https://b.example/x.zip',
      'https://b.example/x.zip',
    ],
    ['[ZoneTransfer]  ZoneId=3', 'ZoneId=3'],
    ['-', 'Zone.Identifier'],
  ])('tells from the stream %s that a file was downloaded', (contents, origin) => {
    const event = read(
      eventXml(
        sysmon(15, { ProcessGuid: GUID, TargetFilename: 'C:\\Users\\a\\x.zip:Zone.Identifier', Contents: contents }),
      ),
    );
    expect(event).toMatchObject({
      kind: 'file_write',
      op: 'stream',
      path: 'C:\\Users\\a\\x.zip:Zone.Identifier',
      origin,
    });
  });

  it('reports that events may be missing as a gap', () => {
    for (const id of [4, 16, 255])
      expect(read(eventXml(sysmon(id, { State: 'Stopped', ID: 'QUEUE' })))).toMatchObject({ kind: 'feed_gap' });
  });

  it('ignores the rest by name, and records of other logs by provider', () => {
    const reader = normalizer();
    reader.normalize(eventXml(sysmon(10, {})));
    reader.normalize(eventXml(sysmon(13, {})));
    reader.normalize({
      ...winlogbeat6(sysmon(1, {})),
      source_name: 'Service Control Manager',
      provider_guid: '{x}',
      event_id: 7036,
    });
    expect(
      reader.summary.ignored
        .entries()
        .map(([name]) => name)
        .sort(),
    ).toEqual(['sysmon 10 process access', 'sysmon 13 registry value', 'windows Service Control Manager 7036']);
  });

  it('is told by the provider GUID when service and channel were renamed at install', () => {
    const renamed = {
      ...winlogbeat6(sysmon(5, { ProcessGuid: GUID, ProcessId: '8' })),
      source_name: 'Updater',
      log_name: 'Updater/Operational',
    };
    expect(read(renamed)).toMatchObject({ kind: 'process_end', feed: 'sysmon' });
  });
});
