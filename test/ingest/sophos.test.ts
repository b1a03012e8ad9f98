import { describe, expect, it } from 'vitest';
import { sophosRow } from '../build/edr-records.ts';
import type { Json } from '../build/endpoint.ts';
import { ignoredAs, read, readAll, TUPLE } from '../build/read-records.ts';

const NOON = 1_715_688_000_000_000;
const STARTED = 1_715_687_999_000_000;
const ACTOR = { entityId: '4660:133601615990000000', pid: 4660, startedAt: STARTED, image: 'rar.exe' };
const ENDS = { source: '10.1.2.3', source_port: '50123', destination: '::ffff:203.0.113.9', destination_port: 443 };

describe("Sophos' journals", () => {
  it('give a process with its start, its end and its parent', () => {
    const row: Json = {
      event_type: 0,
      path: 'C:\\Tools\\rar.exe',
      process_name: 'rar.exe',
      cmd_line: 'rar a out.rar',
      parent_sophos_pid: '888:133601615980000000',
      sha256: 'A'.repeat(64),
      sid: 'S-1-5-21-1-2-3-1001',
      username: 'ann',
      file_size: 9,
      end_time: 0,
    };
    const started = {
      feed: 'sophos',
      kind: 'process_start',
      at: STARTED,
      timeQuality: 'exact',
      host: { id: 'pc1', ips: ['10.1.2.3'] },
      process: {
        ...ACTOR,
        image: 'C:\\Tools\\rar.exe',
        commandLine: 'rar a out.rar',
        hashes: { sha256: 'a'.repeat(64) },
        user: { name: 'ann', id: 'S-1-5-21-1-2-3-1001' },
        parent: { entityId: '888:133601615980000000', pid: 888 },
      },
    };
    expect(readAll(sophosRow(row))).toMatchObject([started]);
    expect(readAll(sophosRow({ ...row, end_time: 1_715_688_000 }))).toMatchObject(
      [started, { kind: 'process_end', at: NOON, process: ACTOR }].map((event) => ({
        ...event,
        process: { ...event.process, image: 'C:\\Tools\\rar.exe' },
      })),
    );
    const old = { sophosPID: '4660:133601615990000000', pathname: 'C:\\Tools\\rar.exe', cmdline: 'rar a out.rar' };
    expect(read({ meta_hostname: 'PC1', ...old })).toMatchObject({ kind: 'process_start', at: STARTED });
  });

  it('give a connection, and its end with what it carried', () => {
    const row = { ...ENDS, process_name: 'rar.exe', protocol: 6, data_sent: '4098', data_recv: 6811 };
    const opened = { kind: 'connection', at: NOON, direction: 'unknown', transport: 'tcp', process: ACTOR, ...TUPLE };
    expect(readAll(sophosRow(row))).toMatchObject([opened]);
    const ended = sophosRow({ ...row, start_time: 1_715_688_000, end_time: 1_715_688_060 });
    expect(readAll(ended)).toMatchObject([
      opened,
      { phase: 'end', at: NOON + 60_000_000, bytes: { sent: 4098, received: 6811 } },
    ]);
  });

  it.each([
    [0, 'file_write', 'create'],
    ['Modified', 'file_write', 'modify'],
    [2, 'file_delete', 'delete'],
    [8, 'file_read', 'read'],
    [5, undefined, undefined],
  ])('give a file event of type %s as %s', (event_type, kind, op) => {
    const row = sophosRow({ subject: 'FileDataChanges', event_type, path: 'C:\\out.rar', file_size: 9, cmd_line: 'x' });
    const event = read(row);
    expect(event?.kind).toBe(kind);
    if (kind !== undefined)
      expect(event).toMatchObject({ op, path: 'C:\\out.rar', size: 9, at: NOON, process: { pid: 4660 } });
  });

  it('give the new path of what was renamed', () => {
    const row = sophosRow({ event_type: 1, path: 'C:\\o.tmp', target_path: 'C:\\out.rar', file_size: 9 });
    expect(read(row)).toMatchObject({ op: 'rename', path: 'C:\\out.rar', oldPath: 'C:\\o.tmp' });
  });

  it('give look-ups, and nothing for what they do not know', () => {
    const dns = read(sophosRow({ subject: 'Dns', name: 'a.example' }));
    expect(dns).toMatchObject({ kind: 'dns_query', name: 'a.example', process: { pid: 4660 } });
    expect((dns as { process: object }).process).not.toHaveProperty('image');
    expect(ignoredAs(sophosRow({ subject: 'Registry', key_name: 'x' }))).toBe('sophos any query');
  });

  it('are read in the wrapper of osquery and in the answer of the Data Lake', () => {
    const wrapped = { name: 'pack_x', hostIdentifier: 'PC1', unixTime: 1, action: 'added', columns: sophosRow(ENDS) };
    expect(read(wrapped)).toMatchObject({ feed: 'sophos', kind: 'connection', at: NOON });
    expect(read({ name: 'x', hostIdentifier: 'PC1', snapshot: [sophosRow(ENDS), sophosRow(ENDS)] })).toBeDefined();
    expect(readAll({ items: [sophosRow(ENDS), sophosRow(ENDS)] })).toHaveLength(2);
  });
});
