import { describe, expect, it } from 'vitest';
import { osqueryRow } from '../build/feed-records.ts';
import { ignoredAs, read, readAll, TUPLE } from '../build/read-records.ts';

describe('osquery', () => {
  const socket = {
    pid: '4660',
    local_address: '10.1.2.3',
    local_port: '50123',
    remote_address: '203.0.113.9',
    remote_port: '443',
    protocol: '6',
  };

  it('tells tables by their columns, since the name of the query is the choice of the shop', () => {
    const etw = {
      type: 'ProcessStart',
      pid: '4660',
      ppid: '888',
      path: 'C:\\Tools\\rar.exe',
      cmdline: 'rar a x.rar',
      datetime: '2024-05-14 12:00:00',
    };
    expect(read(osqueryRow(etw))).toMatchObject({
      kind: 'process_start',
      host: { id: 'pc1' },
      process: { entityId: 'pid:4660@1715688000000000', parent: { pid: 888 } },
    });
    expect(read(osqueryRow({ action: 'FileCreate', path: 'C:\\x.zip', file_attributes: '' }))).toMatchObject({
      kind: 'file_write',
      path: 'C:\\x.zip',
    });
    expect(read(osqueryRow({ name: 'files.example', type: 'A', response: '203.0.113.9', pid: '4660' }))).toMatchObject({
      kind: 'dns_query',
    });
  });

  it('takes a polled socket as seen at the time of the log, in no direction', () => {
    expect(read(osqueryRow(socket))).toMatchObject({
      kind: 'connection',
      direction: 'unknown',
      timeQuality: 'received',
      at: 1_715_688_300_000_000,
      ...TUPLE,
    });
    expect(ignoredAs(osqueryRow({ ...socket, remote_address: '0.0.0.0' }))).toBe('osquery shop_whatever');
  });

  it('does not take a row that has gone for an end', () => {
    expect(ignoredAs(osqueryRow(socket, { action: 'removed' }))).toBe('osquery shop_whatever removed');
  });

  it('reads each row of a snapshot, with an id of its own', () => {
    const { columns, ...rest } = osqueryRow(socket) as { columns: Record<string, string> };
    const events = readAll({ ...rest, action: 'snapshot', snapshot: [columns, { ...columns, local_port: '50124' }] });
    expect(events).toHaveLength(2);
    expect(new Set(events.map((event) => event.id)).size).toBe(2);
  });

  it('is unwrapped from the TLS logger', () => {
    expect(readAll({ node_key: 'k', log_type: 'result', data: [osqueryRow(socket), osqueryRow(socket)] })).toHaveLength(
      2,
    );
  });
});
