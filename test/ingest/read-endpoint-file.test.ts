import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { normalizeCommand } from '../../enrich/cli/normalize.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import type { FeedSummary } from '../../enrich/ingest/feed-summary.ts';
import { type ReadOptions, readEndpointFile } from '../../enrich/ingest/read-endpoint-file.ts';
import { eventXml, SYSMON_SAMPLES, sysmon } from '../build/endpoint.ts';
import { EvtxChunk, evtxFile } from '../build/evtx.ts';
import { elasticDefend, mdeRow } from '../build/feed-records.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-ingest-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const xml = eventXml(SYSMON_SAMPLES.fileCreate());

async function read(
  bytes: Uint8Array | string,
  options?: ReadOptions,
): Promise<{ events: EndpointEvent[]; summary: FeedSummary }> {
  const path = join(folder, 'feed');
  writeFileSync(path, bytes);
  const events: EndpointEvent[] = [];
  const summary = await readEndpointFile(path, (event) => void events.push(event), options);
  return { events, summary };
}

const utf16 = (text: string, order: 'le' | 'be', mark: boolean): Buffer => {
  const bytes = Buffer.from(mark ? `\ufeff${text}` : text, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
};

describe('readEndpointFile', () => {
  it.each([
    ['UTF-8', Buffer.from(xml)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${xml}`)],
    ['UTF-16LE with a mark', utf16(xml, 'le', true)],
    ['UTF-16BE with a mark', utf16(xml, 'be', true)],
    ['UTF-16LE without one', utf16(xml, 'le', false)],
    ['UTF-16BE without one', utf16(xml, 'be', false)],
    ['gzip', gzipSync(xml)],
    ['gzip of UTF-16', gzipSync(utf16(xml, 'le', true))],
    ['gzip of gzip', gzipSync(gzipSync(xml))],
    ['a binary event log', evtxFile(new EvtxChunk([SYSMON_SAMPLES.fileCreate()]).bytes)],
    ['gzip of a binary event log', gzipSync(evtxFile(new EvtxChunk([SYSMON_SAMPLES.fileCreate()]).bytes))],
  ])('reads %s', async (_name, bytes) => {
    const { events, summary } = await read(bytes);
    expect(events).toMatchObject([{ kind: 'file_write', path: 'C:\\Docs\\out.rar' }]);
    expect(summary.damaged.total).toBe(0);
  });

  it('reads concatenated gzip members and text beyond ASCII across pieces', async () => {
    const record = (n: number) =>
      `${JSON.stringify(elasticDefend('file', 'creation', { file: { path: `C:\\Büro\\${n}-\u{1f4e6}.zip` } }))}\n`;
    const texts = Array.from({ length: 400 }, (_, n) => record(n));
    const { events } = await read(
      Buffer.concat([gzipSync(texts.slice(0, 200).join('')), gzipSync(texts.slice(200).join(''))]),
    );
    expect(events.map((event) => (event as { path: string }).path)).toEqual(
      texts.map((_, n) => `C:\\Büro\\${n}-\u{1f4e6}.zip`),
    );
  });

  it.each([
    ['a zip archive', Buffer.from('PK\x03\x04 and more')],
    ['a packet capture', Buffer.from([0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0])],
    ['a tar archive', gzipSync(Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar\0'), Buffer.alloc(300)]))],
    ['compressed more than twice', gzipSync(gzipSync(gzipSync(xml)))],
  ])('refuses %s by name', async (what, bytes) => {
    const { events, summary } = await read(bytes);
    expect(events).toEqual([]);
    expect(summary.refused).toContain(what);
  });

  it('reads a gzip file up to where it is cut off or damaged, and says so', async () => {
    const lines = Array.from({ length: 3000 }, (_, n) =>
      eventXml(sysmon(5, { ProcessGuid: `{${n}-x}`, ProcessId: String(n * 4 + 4) })),
    ).join('\n');
    const whole = gzipSync(lines);
    const cut = await read(whole.subarray(0, whole.length - 2000));
    expect(cut.events.length).toBeGreaterThan(100);
    expect(cut.summary.damaged.get('the gzip stream is cut off')).toBe(1);

    const spoiled = Buffer.from(whole);
    const middle = whole.length >> 1;
    spoiled.fill(0xff, middle, middle + 64);
    const damaged = await read(spoiled);
    expect(damaged.summary.damaged.total).toBeGreaterThan(0);
  });

  it('does not hold what inflates beyond measure', async () => {
    const { summary } = await read(gzipSync(Buffer.alloc(60_000_000, '[')));
    expect(summary.damaged.total).toBeLessThanOrEqual(2);
    expect(summary.accepted.total).toBe(0);
  });

  it('reads an empty file as an empty feed', async () => {
    const { events, summary } = await read('');
    expect(events).toEqual([]);
    expect(summary.damaged.total).toBe(0);
  });

  it('reads standard input and waits for a taker that is slow', async () => {
    const text = Array.from({ length: 50 }, () =>
      JSON.stringify(mdeRow('FileCreated', { FolderPath: 'C:\\x.zip' })),
    ).join('\n');
    let busy = 0;
    let most = 0;
    const summary = await readEndpointFile(
      '-',
      async () => {
        most = Math.max(most, ++busy);
        await new Promise((resolve) => setImmediate(resolve));
        busy--;
      },
      { stdin: Readable.from([Buffer.from(text.slice(0, 700)), Buffer.from(text.slice(700))]) },
    );
    expect(summary.accepted.get('file_write')).toBe(50);
    expect(most).toBe(1);
  });

  it('throws only when the path cannot be opened', async () => {
    await expect(readEndpointFile(join(folder, 'absent'), () => {})).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('waybill normalize', { timeout: 30_000 }, () => {
  interface Ran {
    readonly code: number | null;
    readonly out: string;
    readonly err: string;
  }

  const run = (args: readonly string[], input = ''): Promise<Ran> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ['--import', 'tsx', 'enrich/cli/main.ts', 'normalize', ...args], {
        stdio: 'pipe',
      });
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk) => {
        out += String(chunk);
      });
      child.stderr.on('data', (chunk) => {
        err += String(chunk);
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
      child.stdin.end(input);
    });

  it('prints one event a line in ECS and a table of what it did not use', async () => {
    const nested = join(folder, 'tree', 'deep');
    mkdirSync(nested, { recursive: true });
    writeFileSync(
      join(folder, 'tree', 'a.json'),
      `${JSON.stringify(elasticDefend('file', 'creation', { file: { path: 'C:\\a\u001b[31m\nb.zip' } }))}\n{"what":1}\n`,
    );
    writeFileSync(join(nested, 'b.xml.gz'), gzipSync(xml + eventXml(sysmon(10, {}))));
    const { code, out, err } = await run([join(folder, 'tree')]);
    expect(code).toBe(0);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: { action: string }; file: { path: string } });
    expect(events.map((event) => event.event.action)).toEqual(['file_write', 'file_write']);
    expect(events[0]?.file.path).toBe('C:\\a\u001b[31m\nb.zip');
    expect(out).not.toContain('\u001b');
    expect(err).toContain('2 events');
    expect(err).toContain('sysmon 10 process access');
    expect(err).toContain('{what}');
  });

  it('tells of the dates that it could not be sure of', async () => {
    const row = mdeRow('ProcessCreated', { FileName: 'x.exe', ProcessId: 1, Timestamp: '05/06/2024 10:00:00' });
    const { out, err } = await run(['-'], JSON.stringify(row));
    expect(out).toContain('"@timestamp":"2024-05-06T10:00:00');
    expect(err).toContain('1 record has a date whose day and month nothing tells apart');
    const sure = { ...row, Timestamp: '14/06/2024 10:00:00' };
    const both = await run(['-'], `${JSON.stringify(row)}\n${JSON.stringify(sure)}`);
    expect(both.err).not.toContain('nothing tells apart');
    expect(both.out).toContain('"@timestamp":"2024-06-05T10:00:00');
  });

  it('says in one line what it could not read, and exits 3', async () => {
    writeFileSync(join(folder, 'bad.zip'), 'PK\x03\x04........');
    const refused = await run(['-q', join(folder, 'bad.zip')]);
    expect(refused.code).toBe(3);
    expect(refused.err.trim().split('\n')).toHaveLength(1);
    expect(refused.err).toContain('a zip archive');

    const cut = await run(['-q', '-'], `${xml}\n${xml.slice(0, 100)}`);
    expect(cut.code).toBe(3);
    expect(cut.out.trimEnd().split('\n')).toHaveLength(1);
    expect(cut.err).toContain('damaged after record 1');
  });

  it.each([
    ['a missing file', () => [join(folder, 'absent')], 'no such file'],
    ['no path at all', () => [], 'no PATH given'],
    ['a wrong zone', () => ['--zone', 'CEST', folder], 'expected a zone'],
    ['an unknown option', () => ['--nope'], 'nope'],
    ['an empty directory', () => [mkdtempSync(join(folder, 'empty-'))], 'no files'],
  ])('ends with a usage error of one line on %s', async (_name, args, message) => {
    const error: unknown = await normalizeCommand(args()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
    expect((error as Error).message).not.toContain('\n');
  });
});
