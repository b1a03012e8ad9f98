import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { tied } from './tied.ts';

const RSYSLOGD = '/usr/sbin/rsyslogd';
const MODULES = '/usr/lib/x86_64-linux-gnu/rsyslog';

/** `describe` where rsyslog with these modules is installed; elsewhere skipped by name, or failed when CI_NO_SKIP=1. */
export function describeWithRsyslog(name: string, modules: readonly string[], suite: () => void): void {
  const missing = [RSYSLOGD, ...modules.map((module) => `${MODULES}/${module}.so`)].filter((path) => !existsSync(path));
  if (missing.length === 0) describe(name, suite);
  else if (process.env.CI_NO_SKIP === '1') {
    it(`${name} (needs rsyslog)`, () => {
      throw new Error(`${missing.join(', ')}: apt-get install rsyslog rsyslog-openssl rsyslog-elasticsearch`);
    });
  } else describe.skip(`${name} (skipped: rsyslog is not installed)`, suite);
}

export interface Rsyslog {
  /** Lines of the file that its configuration writes to, `OUT` in it. */
  readonly lines: () => string[];
  /** Everything it said about itself. */
  readonly said: () => string;
  stop(): void;
}

/**
 * Runs a real rsyslogd in the foreground with a directory of its own. `DIR` and `OUT` in the configuration stand for that
 * directory and for the file whose lines are read.
 *
 * @param port TCP port to wait for
 */
export async function startRsyslog(configuration: string, port?: number): Promise<Rsyslog> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-rsyslog-'));
  const out = join(directory, 'out');
  const file = join(directory, 'rsyslog.conf');
  writeFileSync(out, '');
  writeFileSync(file, configuration.replaceAll('OUT', out).replaceAll('DIR', directory));
  const child = spawn(...tied(RSYSLOGD, ['-n', '-f', file, '-i', join(directory, 'pid')]), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  const onExit = (): void => void child.kill('SIGKILL');
  process.on('exit', onExit);
  if (port !== undefined) await answering(child, port, () => said);
  return {
    lines: () => readFileSync(out, 'utf8').split('\n').slice(0, -1),
    said: () => said,
    stop: () => {
      process.off('exit', onExit);
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function answering(child: ChildProcess, port: number, said: () => string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`rsyslogd ended: ${said()}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' });
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await setTimeout(25);
  }
  throw new Error(`rsyslogd does not listen on ${port}: ${said()}`);
}
