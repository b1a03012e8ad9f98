import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replay } from '../../enrich/cli/replay.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { CaptureReader } from '../../sensor/capture/capture-reader.ts';
import { pcapng, type TestPacket } from '../build/captures.ts';

const story = 'pcaps/stories/story-exfil-archive';
const other = 'pcaps/stories/story-exfil-two-hours';
let folder = '';

/** Alerts as text: what `replay` would print. */
async function alertsOf(captures: readonly string[], endpoints: readonly string[]): Promise<string> {
  // Nothing is known of the days before, so only the match of bytes can open the gate.
  const { alerts } = await replay({ captures, endpoints, settings: defaultSettings() });
  return alerts.map((alert) => JSON.stringify(alert.body)).join('\n');
}

function packetsOf(capture: Uint8Array): TestPacket[] {
  const packets: TestPacket[] = [];
  const reader = new CaptureReader({
    packet: (bytes, start, end, tsMicros, wireLength) =>
      packets.push({ bytes: bytes.slice(start, end), tsMicros, wireLength }),
  });
  reader.push(capture);
  expect(reader.end().damaged).toBeUndefined();
  return packets;
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n');

describe('replay', () => {
  let expected = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waybill-order-'));
    expected = await alertsOf(
      [`${story}.pcap.gz`, `${other}.pcap.gz`],
      [`${story}.endpoint.jsonl`, `${other}.endpoint.jsonl`],
    );
    expect(expected.split('\n')).toHaveLength(2);
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives byte-identical alerts for any order of input files', async () => {
    const again = await alertsOf(
      [`${other}.pcap.gz`, `${story}.pcap.gz`],
      [`${other}.endpoint.jsonl`, `${story}.endpoint.jsonl`],
    );
    expect(again).toBe(expected);
  });

  it('gives byte-identical alerts for any order and repetition of the lines, in one file or in several', async () => {
    const lines = [...linesOf(`${story}.endpoint.jsonl`), ...linesOf(`${other}.endpoint.jsonl`)];
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(lines, { minLength: lines.length }),
        fc.subarray(lines, { maxLength: 20 }),
        fc.nat(lines.length),
        async (shuffled, repeated, cut) => {
          const all = [...repeated, ...shuffled];
          const [a, b] = [join(folder, 'a.endpoint.jsonl'), join(folder, 'b.endpoint.jsonl')];
          writeFileSync(a, `${all.slice(0, cut).join('\n')}\n`);
          writeFileSync(b, `${all.slice(cut).join('\n')}\n`);
          expect(await alertsOf([`${story}.pcap.gz`, `${other}.pcap.gz`], [b, a])).toBe(expected);
        },
      ),
      { numRuns: 8 },
    );
  }, 120_000);

  it('gives byte-identical alerts for a pcap and for a gzipped pcapng of the same packets', async () => {
    const pcap = gunzipSync(readFileSync(`${story}.pcap.gz`));
    const [plain, zipped] = [join(folder, 'same.pcap'), join(folder, 'same.pcapng.gz')];
    writeFileSync(plain, pcap);
    writeFileSync(zipped, gzipSync(pcapng(packetsOf(pcap))));
    const endpoints = [`${story}.endpoint.jsonl`];
    const first = await alertsOf([plain], endpoints);
    expect(first).not.toBe('');
    expect(await alertsOf([zipped], endpoints)).toBe(first);
  }, 60_000);
});
