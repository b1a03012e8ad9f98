import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROGRAM } from '../build/program.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-jobs-'));
  const files = readdirSync('pcaps/clients').filter((name) => name.endsWith('.pcap.gz'));
  for (const file of files) cpSync(join('pcaps/clients', file), join(directory, file));
  const whole = readFileSync(join('pcaps/clients', files[0]!));
  writeFileSync(join(directory, 'cut.pcap.gz'), whole.subarray(0, whole.length >> 1));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function sensor(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...PROGRAM, 'sensor', '--observer', 'x', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  // How long a capture took is the only thing that may differ.
  return { status, stdout, stderr: stderr.replaceAll(/\(\d+\.\d\d s\)/g, '') };
}

describe('waybill sensor --jobs', () => {
  it('gives the output of one reader, damaged captures among the others, in every format', () => {
    for (const format of ['ecs', 'zeek']) {
      const one = sensor('-r', directory, '--format', format);
      expect(one.status).toBe(3);
      expect(one.stdout.length).toBeGreaterThan(10_000);
      expect(sensor('-r', directory, '--format', format, '--jobs', '3')).toEqual(one);
    }
  });

  it('takes more jobs than there are captures, and one at least', () => {
    const file = join(directory, 'clients-quic.pcap.gz');
    expect(sensor('-r', file, '-j', '64').stdout).toBe(sensor('-r', file).stdout);
    expect(sensor('-r', file, '-j', '0')).toMatchObject({ status: 2, stdout: '' });
  });

  it('tells of a capture that cannot be read in one line', () => {
    for (const jobs of ['1', '2']) {
      // Its first page is never mapped.
      const { status, stderr } = sensor('-r', '/proc/self/mem', '-r', '/proc/self/mem', '-j', jobs, '-q');
      expect({ status, stderr }).toEqual({ status: 1, stderr: 'waybill: cannot read /proc/self/mem: EIO\n' });
    }
  });
});
