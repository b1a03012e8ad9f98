import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { defaultSettings, type Settings } from '../../enrich/settings.ts';
import { PROGRAM } from '../build/program.ts';
import { tied } from '../build/tied.ts';

/** A directory that is removed when the test file is done. */
export function temporary(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'waybill-service-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Waybill {
  readonly process: ChildProcess;
  /** Everything on standard output and standard error so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

/** Runs `waybill …`. */
export function waybill(...args: readonly string[]): Waybill {
  const child = spawn(...tied(process.execPath, [...PROGRAM, ...args]), { stdio: ['ignore', 'pipe', 'pipe'] });
  // A test that fails must not leave its service behind.
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  child.once('close', () => process.off('exit', onExit));
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return { process: child, out: () => out, err: () => err, ended, kill: (signal) => void child.kill(signal) };
}

export interface RunningService extends Waybill {
  readonly url: string;
}

/** `waybill enrich` on a free port, or where `listen` says; resolves when it listens, or with `ready` when it works. */
export async function enrichProcess(
  args: readonly string[],
  until: 'listening' | 'ready' = 'ready',
  listen: readonly string[] = ['--listen', '127.0.0.1:0'],
): Promise<RunningService> {
  const child = waybill('enrich', ...listen, ...args);
  await eventually(() => child.err().includes(`"msg":"${until}"`) || child.process.exitCode !== null, 30_000);
  const port = /"port":(\d+)/.exec(child.err())?.[1];
  if (port === undefined) throw new Error(`enrich does not listen: ${child.err()}`);
  return { ...child, url: `http://127.0.0.1:${port}` };
}

/** Waits until it holds; fails with what was waited for. */
export async function eventually(holds: () => boolean | Promise<boolean>, millis = 15_000): Promise<void> {
  const end = performance.now() + millis;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${millis} ms in vain for: ${holds.toString()}`);
    await setTimeout(25);
  }
}

/** A number of /metrics; 0 when it is not there. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^waybill_enrich_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}

export const post = (
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> => fetch(url, { method: 'POST', body, headers });

/** Default settings with some of the service's changed. */
export function settingsWith(service: Partial<Settings['service']>): Settings {
  const settings = defaultSettings();
  return { ...settings, service: { ...settings.service, listen: '127.0.0.1:0', ...service } };
}

export const STORY = 'pcaps/stories/story-exfil-archive';
export const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');
