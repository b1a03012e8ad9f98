/** p06: a flood of malformed packets is counted to the last one, and written about in one line. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pcap } from '../build/captures.ts';
import { ethernet, hex, ip, udp } from '../build/frames.ts';
import { handshakeRecords } from '../build/hellos.ts';
import { observe } from '../build/observe.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import { helloMessage } from '../build/tls-flights.ts';

const COUNT = 700;
/** type(1), length(3), version(2), random(32) */
const SESSION_ID_LENGTH_AT = 38;
const damaged = helloMessage().map((byte, i) => (i === SESSION_ID_LENGTH_AT ? byte ^ 0xff : byte));
const malformedHellos = Array.from({ length: COUNT }, (_, i) =>
  frames(new TcpConnection().open().send('client', handshakeRecords(damaged)).packets, { clientPort: 2_000 + i }),
).flat();
const at = malformedHellos.at(-1)!.tsMicros;
const times = (bytes: Uint8Array) => Array.from({ length: COUNT }, () => ({ bytes, tsMicros: at }));
const FLOOD = [
  ...malformedHellos,
  ...times(ethernet(hex('65000014'))), // an IPv4 header that is cut
  ...times(ethernet(hex('0000'), { type: 0x0800 })),
  ...times(ethernet(ip({ protocol: 6, payload: new Uint8Array(20) }))), // TCP with a header of no words
  ...times(ethernet(udp({ payload: new Uint8Array(3) }).map((byte, i) => (i === 24 ? 0xff : byte)))), // UDP length
];

describe('a flood of malformed packets (p06)', () => {
  it('is counted to the last one', () => {
    const { ends, skipped } = observe(FLOOD, { limits: { flows: 2 * COUNT, handshakes: 2 * COUNT } });
    const malformed = ends.filter(({ waybill }) => waybill.anomalies?.includes('hello_malformed'));
    expect(malformed).toHaveLength(COUNT);
    expect(malformed.every(({ tls }) => tls?.client === undefined)).toBe(true);
    expect([...skipped.values()].reduce((sum, n) => sum + n, 0)).toBe(4 * COUNT);
  });

  it('is written about in one line', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'waybill-p06-'));
    try {
      const path = join(directory, 'flood.pcap');
      writeFileSync(path, pcap(FLOOD));
      const said = await new Promise<string>((resolve, reject) => {
        const args = ['--import', 'tsx', 'enrich/cli/main.ts', 'sensor', '-r', path];
        execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (error, _, stderr) =>
          error ? reject(error) : resolve(stderr),
        );
      });
      expect(said.trimEnd().split('\n')).toHaveLength(1);
      expect(said).toContain(`${COUNT} encrypted`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 30_000);
});
