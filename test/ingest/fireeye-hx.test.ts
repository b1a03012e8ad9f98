import { describe, expect, it } from 'vitest';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { TextReader } from '../../enrich/ingest/read-endpoint-file.ts';
import { hxAlert, hxItem } from '../build/edr-records.ts';
import { AT_MILLIS, ignoredAs, read, readAll, TUPLE } from '../build/read-records.ts';

const ANN = { domain: 'CORP', name: 'ann' };
const ENDS = { localIP: '10.1.2.3', localPort: 50123, remoteIP: '203.0.113.9', remotePort: 443, protocol: 'TCP' };
const START = {
  eventType: 'start',
  pid: '4660',
  process: 'x.exe',
  processPath: 'C:\\Windows\\x.exe',
  parentPid: '888',
  parentProcess: 'explorer.exe',
  parentProcessPath: 'C:\\Windows\\explorer.exe',
  startTime: '2024-05-14T11:59:59.000Z',
  md5: 'A'.repeat(32),
  processCmdLine: 'x -a <b>',
  username: 'CORP\\ann',
};

function readText(text: string) {
  const normalizer = new FeedNormalizer({ host: 'PC1' });
  const reader = new TextReader(normalizer, {});
  return { events: [...reader.push(text), ...reader.end()], summary: normalizer.summary };
}

describe('Trellix HX', () => {
  it('tells of a start with its parent, in every shape', () => {
    const expected = {
      feed: 'fireeye-hx',
      kind: 'process_start',
      at: 1_715_687_999_000_000,
      timeQuality: 'exact',
      process: {
        entityId: 'pid:4660@1715687999000000',
        pid: 4660,
        image: 'C:\\Windows\\x.exe',
        commandLine: 'x -a <b>',
        hashes: { md5: 'a'.repeat(32) },
        user: ANN,
        parent: { pid: 888, image: 'C:\\Windows\\explorer.exe' },
      },
    };
    expect(read(hxAlert('processEvent', START))).toMatchObject({ ...expected, host: { id: 'agent-1', name: 'PC1' } });
    const items = [hxItem('processEvent', START), hxItem('processEvent', START, true)];
    for (const text of items) expect(readText(text).events).toMatchObject([{ ...expected, host: { id: 'pc1' } }]);
    const details = Object.entries(START).map(([name, value]) => ({ name, value }));
    const json = {
      uid: '1',
      timestamp: '2024-05-14T12:00:00.123Z',
      eventType: 'processEvent',
      details: { detail: details },
    };
    expect(read(json)).toMatchObject(expected);
  });

  it.each([
    ['its pages', (entries: readonly unknown[]) => ({ data: { total: entries.length, entries }, message: 'OK' })],
    ['lists of alerts', (alerts: readonly unknown[]) => ({ route: '/hx/api/v3/alerts', alerts })],
  ])('reads %s, of any size', (_, page) => {
    for (const count of [2, 3_000]) {
      const alerts = Array.from({ length: count }, (_, i) => hxAlert('processEvent', { ...START, pid: String(i + 1) }));
      const text = JSON.stringify(page(alerts));
      expect(text.length > 1024 * 1024).toBe(count > 2);
      expect(readText(`${text}\n`).events).toHaveLength(count);
    }
  });

  it('reads the items of a triage one by one, and loses only what is damaged', () => {
    const head =
      '<?xml version="1.0" encoding="UTF-8"?>\n<itemList generator="stateagentinspector" generatorVersion="24.9.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n';
    const net = hxItem('ipv4NetworkEvent', { ...ENDS, pid: 4660, process: 'x.exe', processPath: 'C:\\x.exe' });
    const cut = net.slice(0, 120);
    const { events, summary } = readText(`${head}${net}\n${cut}\n${net}\n</itemList>\n`);
    expect(events).toMatchObject([{ kind: 'connection' }, { kind: 'connection' }]);
    expect(summary.damaged.total).toBe(1);
    expect(summary.unknown.total).toBe(0);
  });

  it.each([
    ['end', 'process_end'],
    ['running', 'process_start'],
    ['1', 'process_start'],
    ['2', 'process_end'],
  ])('reads a process event of type %s as %s', (eventType, kind) => {
    expect(read(hxAlert('processEvent', { ...START, eventType }))).toMatchObject({ kind });
  });

  it('reads connections without a word on who opened them', () => {
    expect(read(hxAlert('ipv4NetworkEvent', { ...ENDS, remoteIP: '::ffff:203.0.113.9' }))).toMatchObject({
      kind: 'connection',
      at: AT_MILLIS,
      direction: 'unknown',
      transport: 'tcp',
      process: { pid: 4660, entityKind: 'pid-only', image: 'C:\\Tools\\rar.exe', user: ANN },
      ...TUPLE,
    });
  });

  it('reads files with their size and type, look-ups, modules and addresses', () => {
    const file = {
      fullPath: 'C:\\out.bin',
      size: '9',
      md5: 'B'.repeat(32),
      lowestFileOffsetSeen: 0,
      dataAtLowestOffset: Buffer.from('504b030414000000', 'hex').toString('base64'),
    };
    const written = read(hxAlert('fileWriteEvent', file));
    expect(written).toMatchObject({ kind: 'file_write', path: 'C:\\out.bin', size: 9, mimeType: 'application/zip' });
    expect((written as { process: object }).process).not.toHaveProperty('hashes');
    const later = read(hxAlert('fileWriteEvent', { ...file, lowestFileOffsetSeen: 4096 }));
    expect(later).not.toHaveProperty('mimeType');
    const parts = { drive: 'C', filePath: 'Temp', fileName: 'out.rar' };
    expect(read(hxAlert('fileWriteEvent', parts))).toMatchObject({ path: 'C:\\Temp\\out.rar' });
    expect(read(hxAlert('dnsLookupEvent', { hostname: 'a.example' }))).toMatchObject({ name: 'a.example' });
    expect(read(hxAlert('imageLoadEvent', { fullPath: 'C:\\m.dll' }))).toMatchObject({ path: 'C:\\m.dll' });
    expect(read(hxAlert('addressNotificationEvent', { address: '10.1.2.3' }))).toMatchObject({ ips: ['10.1.2.3'] });
    expect(ignoredAs(hxAlert('regKeyEvent', {}))).toBe('fireeye-hx regKeyEvent');
  });

  it('gives one event for the alerts of several conditions on it, and unpacks their pages', () => {
    const alerts = [hxAlert('ipv4NetworkEvent', ENDS), hxAlert('ipv4NetworkEvent', ENDS, { _id: 2, condition: {} })];
    const ids = (page: unknown) => readAll(page).map((event) => event.id);
    expect(new Set(ids({ alerts }))).toHaveProperty('size', 1);
    expect(ids({ data: { total: 2, entries: alerts }, message: 'OK' })).toEqual(ids(alerts));
  });
});
