import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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

  /** Two jobs that write into a pipe nobody reads, and the processes that read for them. */
  async function stuck(): Promise<{ child: ChildProcess; readers: number[]; told: () => string }> {
    // The hour of ordinary work is more than pipe and readers hold.
    const captures = ['pcaps/stories', 'pcaps/stories'].flatMap((path) => ['-r', path]);
    const child = spawn(process.execPath, [...PROGRAM, 'sensor', '-q', '-j', '2', ...captures], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (piece: Buffer) => (text += piece.toString()));
    let readers: number[] = [];
    await vi.waitFor(
      () => {
        readers = childrenOf(child.pid!);
        expect(readers).toHaveLength(2);
      },
      { timeout: 20_000, interval: 20 },
    );
    return { child, readers, told: () => text };
  }

  it('ends with one line when a process that reads is killed', async () => {
    const { child, readers, told } = await stuck();
    process.kill(readers[0]!, 'SIGKILL');
    child.stdout!.resume();
    const [status] = await once(child, 'close');
    expect({ status, told: told() }).toEqual({
      status: 1,
      told: 'waybill: a process that read captures was ended by SIGKILL\n',
    });
    expect(readers.filter(isAlive)).toEqual([]);
  });

  it('leaves no process behind when it is killed', async () => {
    const { child, readers } = await stuck();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await vi.waitFor(() => expect(readers.filter(isAlive)).toEqual([]), { timeout: 20_000 });
  });
});

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

const isAlive = (pid: number): boolean => {
  try {
    // A process that has ended and was not asked after is a zombie: state Z, third of proc_pid_stat(5).
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};
