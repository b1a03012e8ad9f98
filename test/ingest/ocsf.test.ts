import { describe, expect, it } from 'vitest';
import { GUID } from '../build/endpoint.ts';
import { ocsf } from '../build/feed-records.ts';
import { AT_MILLIS, ignoredAs, read, TUPLE } from '../build/read-records.ts';

describe('OCSF', () => {
  const ends = { src_endpoint: { ip: '10.1.2.3', port: 50123 }, dst_endpoint: { ip: '203.0.113.9', port: 443 } };

  it('has the same process key as Sysmon when it was made of Sysmon', () => {
    expect(read(ocsf(4001, 1, { ...ends, connection_info: { direction_id: 2, protocol_num: 6 } }))).toMatchObject({
      id: 'ocsf-id-1',
      kind: 'connection',
      at: AT_MILLIS,
      direction: 'egress',
      transport: 'tcp',
      host: { id: 'pc1' },
      process: { entityId: GUID.slice(1, -1), pid: 4660, user: { name: 'ann', domain: 'CORP' } },
      ...TUPLE,
    });
  });

  it('does not guess a direction the producer could not tell', () => {
    const record = ocsf(4001, 1, { ...ends, is_src_dst_assignment_known: false, connection_info: { direction_id: 2 } });
    expect(read(record)).toMatchObject({ direction: 'unknown' });
  });

  it('takes the actor as parent of a launched process, and its user when the process has none', () => {
    const record = ocsf(1007, 1, {
      process: {
        pid: 5000,
        file: { path: 'C:\\x.exe' },
        cmd_line: 'x',
        user: { name: '-', domain: '-' },
        created_time: 1_715_687_999_000,
      },
    });
    expect(read(record)).toMatchObject({
      kind: 'process_start',
      process: {
        entityId: 'pid:5000@1715687999000000',
        user: { name: 'ann' },
        parent: { entityId: GUID.slice(1, -1), image: 'C:\\Tools\\rar.exe' },
      },
    });
  });

  it.each([
    [1007, 2, 'process_end'],
    [1001, 1, 'file_write'],
    [1001, 2, 'file_read'],
    [1001, 4, 'file_delete'],
    [1005, 1, 'image_load'],
    [4003, 2, 'dns_query'],
  ])('reads class %i activity %i as %s', (classUid, activity, kind) => {
    const parts = {
      file: { path: 'C:\\x' },
      module: { file: { path: 'C:\\x.dll' } },
      query: { hostname: 'files.example' },
    };
    expect(read(ocsf(classUid, activity, parts))).toMatchObject({ kind });
  });

  it('ignores other classes by number', () => {
    expect(ignoredAs(ocsf(3002, 1, {}))).toBe('ocsf 3002/1');
  });
});
