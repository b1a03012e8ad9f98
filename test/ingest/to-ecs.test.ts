import { describe, expect, it } from 'vitest';
import { endpointEventToEcs } from '../../enrich/event/to-ecs.ts';
import { eventXml, SYSMON_SAMPLES, security, sysmon } from '../build/endpoint.ts';
import { elasticDefend, fdr, mdeRow } from '../build/feed-records.ts';
import { read } from '../build/read-records.ts';

/** As printed: without what is undefined. */
const ecs = (record: unknown): unknown => JSON.parse(JSON.stringify(endpointEventToEcs(read(record)!)));

describe('the ECS view of an event', () => {
  it('has the whole process', () => {
    expect(ecs(eventXml(SYSMON_SAMPLES.processStart()))).toMatchObject({
      '@timestamp': '2024-05-14T11:59:59.990000Z',
      event: { action: 'process_start', kind: 'event', id: expect.stringMatching(/^[0-9a-f]{32}$/) },
      host: { id: 'pc1', name: 'PC1.corp.example' },
      user: { name: 'ann', domain: 'CORP' },
      process: {
        entity_id: '5a1f0c3e-1111-2222-3333-444455556666',
        pid: 4660,
        start: '2024-05-14T11:59:59.990000Z',
        executable: 'C:\\Tools\\rar.exe',
        name: 'rar.exe',
        command_line: 'rar a -hp"x y" out.rar C:\\Docs\\*.docx',
        hash: { md5: '1'.repeat(32) },
        pe: { original_file_name: 'Rar.exe' },
        parent: { entity_id: '5a1f0c3e-aaaa-bbbb-cccc-ddddeeeeffff', pid: 888, name: 'explorer.exe' },
      },
      waybill: { feed: 'sysmon', time_quality: 'exact', entity_kind: 'vendor' },
    });
  });

  it('has both ends and the direction of a connection, source being who initiated', () => {
    expect(ecs(eventXml(SYSMON_SAMPLES.connection()))).toMatchObject({
      event: { action: 'connection' },
      source: { ip: '10.1.2.3', port: 50123 },
      destination: { ip: '203.0.113.9', port: 443 },
      network: { transport: 'tcp', direction: 'egress' },
      waybill: { time_quality: 'log' },
    });
  });

  it('leaves out what is not known', () => {
    const view = ecs(
      mdeRow('ConnectionFound', {
        RemoteIP: '203.0.113.9',
        InitiatingProcessId: 0,
        InitiatingProcessCreationTime: null,
      }),
    );
    expect(view).toMatchObject({ source: {}, network: {} });
    expect(JSON.stringify(view)).not.toContain('entity_id":""');
  });

  it.each<[string, unknown, string]>([
    ['a stream', eventXml(sysmon(15, { TargetFilename: 'C:\\x.zip:Zone.Identifier' })), 'file_stream'],
    [
      'a change of permissions',
      eventXml(security(4670, { ObjectType: 'File', ObjectName: 'C:\\x' })),
      'file_permissions',
    ],
    [
      'the end of a connection',
      elasticDefend('network', 'disconnect_received', { source: { ip: '10.1.2.3' } }),
      'connection_end',
    ],
    ['a deletion', eventXml(SYSMON_SAMPLES.fileDelete()), 'file_delete'],
    ['a module', eventXml(SYSMON_SAMPLES.imageLoad()), 'image_load'],
    ['an address', fdr('LocalIpAddressIP4', { LocalAddressIP4: '10.1.2.3' }), 'host_address'],
    ['a gap', eventXml(sysmon(255, { ID: 'QUEUE' })), 'feed_gap'],
  ])('calls %s by its own name', (_name, record, action) => {
    expect(ecs(record)).toMatchObject({ event: { action } });
  });

  it('has the file with type and size, and the query with its answers', () => {
    expect(ecs(fdr('RarFileWritten', { TargetFileName: '\\a.tmp', Size: '7' }))).toMatchObject({
      file: { path: '\\a.tmp', name: 'a.tmp', size: 7, mime_type: 'application/vnd.rar' },
    });
    expect(ecs(eventXml(SYSMON_SAMPLES.dnsQuery()))).toMatchObject({
      dns: { question: { name: 'files.example' }, resolved_ip: ['203.0.113.9', '2001:db8::7'] },
    });
  });
});
