import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listCaptures } from '../../sensor/capture/list-captures.ts';
import { readCapture } from '../../sensor/capture/open-capture.ts';
import { pcap, pcapng } from '../build/captures.ts';
import { concat, ethernet, tcp } from '../build/frames.ts';
import { PacketLog } from '../build/packet-log.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-captures-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const PACKETS = Array.from({ length: 200 }, (_, i) => ({
  bytes: ethernet(tcp({ payload: `packet ${i} `.repeat(i) })),
}));
const FILE = pcap(PACKETS);

async function read(file: Uint8Array) {
  const path = join(directory, 'file');
  writeFileSync(path, file);
  const log = new PacketLog();
  return { summary: await readCapture(path, log), lines: log.lines };
}

async function pipe(chunks: readonly Uint8Array[]) {
  const log = new PacketLog();
  return { summary: await readCapture('-', log, { stdin: Readable.from(chunks) }), lines: log.lines };
}

/** `file` in pieces of `size` bytes. */
const pieces = (file: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(file.length / size) }, (_, i) => file.subarray(i * size, (i + 1) * size));

describe('readCapture', () => {
  it('reads the same packets from a file, a gzip file and standard input', async () => {
    const plain = await read(FILE);
    expect(plain.summary).toEqual({ packets: PACKETS.length, bytes: FILE.length });
    expect(await read(gzipSync(FILE))).toEqual(plain);
    expect(await pipe(pieces(FILE, 1000))).toEqual(plain);
    expect(await pipe(pieces(gzipSync(FILE), 77))).toEqual(plain);
    expect((await read(pcapng(PACKETS))).lines).toEqual(plain.lines);
    expect((await read(gzipSync(pcapng(PACKETS)))).lines).toEqual(plain.lines);
  });

  it('reads a gzip file of several members', async () => {
    const plain = await read(FILE);
    const members = concat(
      gzipSync(FILE.subarray(0, 100)),
      gzipSync(FILE.subarray(100, 5000)),
      gzipSync(FILE.subarray(5000)),
    );
    expect(await read(members)).toEqual(plain);
  });

  it('tells standard input apart also when its first bytes come one by one', async () => {
    const plain = await read(FILE);
    for (const file of [FILE, gzipSync(FILE)]) {
      const chunks = [...pieces(file.subarray(0, 6), 1), file.subarray(6)];
      expect(await pipe(chunks)).toEqual(plain);
    }
  });

  it('delivers what came before the cut of a gzip file, and says so', async () => {
    const plain = await read(FILE);
    const zipped = gzipSync(FILE, { level: 0 });
    const { summary, lines } = await read(zipped.subarray(0, zipped.length >> 1));
    expect(lines.length).toBeGreaterThan(50);
    expect(lines).toEqual(plain.lines.slice(0, lines.length));
    expect(summary.damaged).toMatch(
      /^the gzip data is damaged \(unexpected end of file\) after \d+ bytes of capture\./,
    );
  });

  it('says that gzip data is damaged instead of throwing', async () => {
    const zipped = Uint8Array.from(gzipSync(FILE));
    zipped.fill(0xff, 40, 60);
    expect((await read(zipped)).summary.damaged).toMatch(/^the gzip data is damaged/);
  });

  it.each([
    ['a plain file', (text: Uint8Array) => text],
    ['inside gzip', (text: Uint8Array) => gzipSync(text)],
  ])('says that %s is no capture when it is none', async (_name, wrap) => {
    const { summary } = await read(wrap(Buffer.from('log line\n')));
    expect(summary.damaged).toMatch(/^not a capture: it starts with 6c6f6720/);
  });

  it('says that empty input is none', async () => {
    expect((await read(new Uint8Array(0))).summary.damaged).toBe('not a capture: the file is empty.');
    expect((await pipe([])).summary.damaged).toBe('not a capture: the file is empty.');
  });

  it('rejects in one line when there is nothing to read', async () => {
    const missing = join(directory, 'missing.pcap');
    await expect(readCapture(missing, new PacketLog())).rejects.toThrow(`cannot open ${missing}: no such file`);
    await expect(readCapture(directory, new PacketLog())).rejects.toThrow('it is a directory');
  });

  it('lets errors of the sink through', async () => {
    writeFileSync(join(directory, 'file'), FILE);
    const broken = {
      packet(): void {
        throw new Error('sink failed');
      },
    };
    await expect(readCapture(join(directory, 'file'), broken)).rejects.toThrow('sink failed');
    await expect(readCapture('-', broken, { stdin: Readable.from([FILE]) })).rejects.toThrow('sink failed');
  });

  it('stops waiting for a silent pipe when it is told to', async () => {
    const silent = new PassThrough();
    silent.write(FILE.subarray(0, 500));
    const control = new AbortController();
    const log = new PacketLog();
    const reading = readCapture('-', log, { stdin: silent, signal: control.signal });
    setTimeout(() => control.abort(), 20);
    const summary = await reading;
    expect(summary).toEqual({ packets: log.lines.length, bytes: 500 });
  });
});

describe('listCaptures', () => {
  it('finds captures below a directory by what they are, and names what it leaves out', () => {
    const root = join(directory, 'tree');
    mkdirSync(join(root, 'b', 'deep'), { recursive: true });
    mkdirSync(join(root, '.git'));
    writeFileSync(join(root, 'z.bin'), FILE);
    writeFileSync(join(root, 'b', 'deep', 'a.pcap.gz'), gzipSync(FILE));
    writeFileSync(join(root, 'a.pcapng'), pcapng(PACKETS));
    writeFileSync(join(root, 'notes.pcap'), 'these are notes');
    writeFileSync(join(root, 'access.log.gz'), gzipSync('GET / HTTP/1.1'));
    writeFileSync(join(root, 'empty'), '');
    writeFileSync(join(root, '.hidden.pcap'), FILE);
    symlinkSync(join(root, 'missing'), join(root, 'dangling'));
    symlinkSync(root, join(root, 'b', 'loop'));

    const { captures, skipped, truncated } = listCaptures(root);
    expect(captures).toEqual(['a.pcapng', 'b/deep/a.pcap.gz', 'z.bin'].map((name) => join(root, name)));
    expect(skipped.map(({ path, why }) => `${path.slice(root.length + 1)}: ${why}`)).toEqual([
      '.git: hidden',
      '.hidden.pcap: hidden',
      'access.log.gz: not-a-capture',
      'b/loop: not-a-capture',
      'dangling: unreadable',
      'empty: not-a-capture',
      'notes.pcap: not-a-capture',
    ]);
    expect(truncated).toBe(false);
  });

  it('lists a file and standard input as they are', () => {
    const file = join(directory, 'anything');
    writeFileSync(file, 'not a capture');
    expect(listCaptures(file).captures).toEqual([file]);
    expect(listCaptures('-').captures).toEqual(['-']);
  });
});
