import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';
import { CaptureReader } from '../../sensor/capture/capture-reader.ts';
import type { PacketSink } from '../../sensor/capture/packet.ts';
import { pcap } from './captures.ts';

const hasTcpdump = spawnSync('tcpdump', ['--version'], { stdio: 'ignore' }).error === undefined;

/** `describe` where tcpdump is installed; elsewhere skipped by name, or failed when CI_NO_SKIP=1. */
export function describeWithTcpdump(name: string, suite: () => void): void {
  if (hasTcpdump) describe(name, suite);
  else if (process.env.CI_NO_SKIP === '1') {
    it(`${name} (needs tcpdump)`, () => {
      throw new Error('tcpdump is not installed: apt-get install tcpdump');
    });
  } else describe.skip(`${name} (skipped: tcpdump is not installed)`, suite);
}

/** The frames that libpcap lets through, in order. */
export function filtered(frames: readonly Uint8Array[], expression: string, linkType = 1): Uint8Array[] {
  const run = spawnSync('tcpdump', ['-r', '-', '-w', '-', '--', expression], {
    input: pcap(
      frames.map((bytes) => ({ bytes })),
      { linkType },
    ),
    maxBuffer: 64 << 20,
  });
  if (run.status !== 0) throw new Error(run.stderr.toString());
  const passed: Uint8Array[] = [];
  const sink: PacketSink = { packet: (bytes, start, end) => void passed.push(bytes.slice(start, end)) };
  const reader = new CaptureReader(sink);
  reader.push(run.stdout);
  return passed;
}
