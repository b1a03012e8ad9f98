import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../sensor/base/exit.ts';

const START_MILLIS = 30_000;
const STOP_MILLIS = 6_000;
/** Characters of the log that are looked at. */
const MAX_LOG = 65_536;

export interface OwnService {
  readonly url: string;
  stop(): Promise<void>;
}

/** `waybill run -i lo` as a child, on a free port and with a store that is thrown away. */
export async function serviceOfOurOwn(): Promise<OwnService> {
  const data = mkdtempSync(join(tmpdir(), 'waybill-drill-store-'));
  chmodSync(data, 0o755); // for the user that the sensor becomes
  const own = [
    'run',
    '-i',
    'lo',
    '--data',
    join(data, 'data'),
    '--listen',
    '127.0.0.1:0',
    '--status',
    'off',
    '--no-stdout',
  ];
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...own], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLIS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
    rmSync(data, { recursive: true, force: true });
  };
  const isUp = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), START_MILLIS);
    child.stderr.on('data', (piece: Buffer) => {
      if (log.length < MAX_LOG) log += piece.toString();
      if (!log.includes('"capture is up"') || !log.includes('"ready"')) return;
      clearTimeout(timer);
      resolve(true);
    });
    ended.then(() => {
      clearTimeout(timer);
      resolve(false);
    });
  });
  if (await isUp) return { url: `http://127.0.0.1:${/"port":(\d+)/.exec(log)?.[1]}`, stop };
  await stop();
  const why = log.trim().split('\n').at(-1) ?? '';
  throw new UserError(
    `cannot run sensor and service on lo: ${why.slice(0, 300)}. Name a running service with --service URL`,
  );
}
