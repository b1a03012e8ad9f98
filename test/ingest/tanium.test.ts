import { describe, expect, it } from 'vitest';
import { taniumEvent, taniumRow } from '../build/edr-records.ts';
import { AT, AT_MILLIS, ignoredAs, read, readAll, TUPLE } from '../build/read-records.ts';

const ANN = { domain: 'CORP', name: 'ann' };
const INBOUND = { source: TUPLE.destination, destination: TUPLE.source };
const ENDS = { local_ip: '10.1.2.3', local_port: 50123, remote_ip: '::ffff:203.0.113.9', remote_port: 443 };
const ACTOR = { entityId: 'key-1', pid: 4660, image: 'C:\\Tools\\rar.exe', commandLine: 'rar a out.rar', user: ANN };

describe("Tanium's event stream", () => {
  it('tells of a start with its parent', () => {
    const start = {
      pid: 4660,
      command_line: 'x -a',
      file__full_path: 'C:\\x.exe',
      file__md5: 'A'.repeat(32),
      user__name: 'ann',
      user__group: 'CORP',
      tanium_process_id: 'KEY-1',
      create_time: '2024-05-14T11:59:59.000Z',
      parent_pid: 888,
      parent__file__full_path: 'C:\\p.exe',
      parent__command_line: 'p',
      tanium_parent_process_id: 'KEY-0',
    };
    const { create_time: _start, ...unstarted } = start;
    const process = {
      entityId: 'key-1',
      pid: 4660,
      image: 'C:\\x.exe',
      commandLine: 'x -a',
      hashes: { md5: 'a'.repeat(32) },
      user: ANN,
      parent: { entityId: 'key-0', pid: 888, image: 'C:\\p.exe', commandLine: 'p' },
    };
    const host = { id: '1234567', name: 'PC1.corp.example', ips: ['10.1.2.3'] };
    expect(read(taniumEvent('process_start', start))).toMatchObject({
      feed: 'tanium',
      kind: 'process_start',
      at: 1_715_687_999_000_000,
      timeQuality: 'exact',
      host,
      process,
    });
    expect(read(taniumEvent('process_start', unstarted))).toMatchObject({
      at: AT,
      process: { ...process, startedAt: AT },
    });
    expect(read(taniumEvent('process_end', start))).toMatchObject({ kind: 'process_end', at: AT });
  });

  it.each([
    ['network_connect', { direction: 'egress', ...TUPLE }],
    ['network_accept', { direction: 'ingress', ...INBOUND }],
    ['network_disconnect', { direction: 'unknown', phase: 'end', ...TUPLE }],
  ])('reads %s', (event, expected) => {
    expect(read(taniumEvent(event, ENDS))).toMatchObject({
      kind: 'connection',
      at: AT,
      transport: 'tcp',
      process: ACTOR,
      ...expected,
    });
  });

  it('reads files under their own names, not the name of the process', () => {
    const file = (event: string, fields: object) => read(taniumEvent(event, { ...fields }));
    expect(file('file_create', { full_path: 'C:\\out.rar' })).toMatchObject({
      kind: 'file_write',
      op: 'create',
      path: 'C:\\out.rar',
      process: ACTOR,
    });
    expect(file('file_write', { file__full_path: 'C:\\out.rar' })).toMatchObject({ op: 'modify', path: 'C:\\out.rar' });
    const moved = { src_full_path: 'C:\\o.tmp', dst_full_path: 'C:\\out.rar' };
    expect(file('file_move', moved)).toMatchObject({ op: 'rename', path: 'C:\\out.rar', oldPath: 'C:\\o.tmp' });
    expect(file('file_delete', { full_path: 'C:\\out.rar' })).toMatchObject({ kind: 'file_delete' });
    expect(readAll(taniumEvent('file_write', {}))).toEqual([]);
    expect(ignoredAs(taniumEvent('registry_set', {}))).toBe('tanium registry_set');
  });
});

describe("rows of Tanium's recorder", () => {
  it('give a process with its start and end', () => {
    const row = taniumRow({
      create_time: '2024-05-14 11:59:59.000',
      create_time_raw: 1_715_687_999_000,
      end_time: '2024-05-14 12:00:00.123',
      process_command_line: 'rar a out.rar',
      process_hash: 'B'.repeat(32),
      parent_process_table_id: '1',
      parent_pid: -2,
      parent_path: '<Pruned Process>',
      parent_command_line: '<Pruned Process>',
    });
    const found = readAll({ message: JSON.stringify([row]) });
    expect(found).toMatchObject([
      {
        kind: 'process_start',
        at: 1_715_687_999_000_000,
        process: {
          entityId: '345678',
          pid: 4660,
          hashes: { md5: 'b'.repeat(32) },
          user: ANN,
          parent: { entityId: '1' },
        },
      },
      { kind: 'process_end', at: AT_MILLIS },
    ]);
    expect((found[0] as { process: { parent: object } }).process.parent).toEqual({ entityId: '1' });
  });

  it('give connections, files and look-ups by their columns', () => {
    const timestamp = '2024-05-14 12:00:00.123';
    const older = {
      source_addr: '10.1.2.3',
      source_port: 50123,
      destination_addr: '203.0.113.9',
      destination_port: '443',
    };
    expect(read(taniumRow({ timestamp, operation: 'NetworkConnect', ...older }))).toMatchObject({
      kind: 'connection',
      at: AT_MILLIS,
      direction: 'egress',
      ...TUPLE,
    });
    const file = taniumRow({ timestamp, operation: 'CreateNewFile', file: 'C:\\out.rar' });
    expect(read(file)).toMatchObject({ kind: 'file_write', op: 'create', path: 'C:\\out.rar', process: { pid: 4660 } });
    const dns = taniumRow({ timestamp, query: 'a.example', response: 'type: 5 b.example;203.0.113.9' });
    expect(read(dns)).toMatchObject({ kind: 'dns_query', name: 'a.example', answers: ['203.0.113.9'] });
    expect(ignoredAs(taniumRow({ timestamp, key_path: 'x' }))).toBe('tanium row');
  });
});
