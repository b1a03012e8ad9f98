/** A network namespace of our own with one veth pair, and a live sensor that listens inside it. Needs root. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { isInstalled } from '../../sensor/capture/live-driver.ts';
import type { Driver } from '../../sensor/capture/live-messages.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { PROGRAM } from './program.ts';
import { tied } from './tied.ts';

/** Where packets are sent, and where the sensor listens. */
export const SENDING = 'wtx';
export const LISTENING = 'wrx';
/** The machine may be busy: how long anything that should happen soon is waited for. */
const PATIENCE_MILLIS = 30_000;

/** True when the optional package `cap` was built here. */
const hasCap = existsSync('node_modules/cap/build/Release/cap.node');

/** Drivers to try a test with: the two that must work everywhere, and dumpcap where it is installed. */
export const TEST_DRIVERS: readonly Driver[] = [
  'tcpdump',
  'cap',
  ...(isInstalled('dumpcap') ? ['dumpcap' as const] : []),
];

const missing = missingForLive();

/**
 * `describe` where namespaces can be made, packets replayed and the driver run; elsewhere skipped by name, or failed when
 * CI_NO_SKIP=1.
 */
export function describeLive(name: string, suite: () => void, driver: Driver = 'tcpdump'): void {
  const lacking = missing ?? (driver === 'cap' && !hasCap ? 'the npm package cap, built' : undefined);
  if (lacking === undefined) describe(name, suite);
  else if (process.env.CI_NO_SKIP === '1') {
    it(`${name} (needs ${lacking})`, () => {
      throw new Error(`cannot run: ${lacking} is missing`);
    });
  } else describe.skip(`${name} (skipped: needs ${lacking})`, suite);
}

function missingForLive(): string | undefined {
  if (process.getuid?.() !== 0) return 'root';
  const lacking = ['ip', 'tcpdump', 'tcpreplay', 'setpriv', 'bash'].find((program) => !isInstalled(program));
  if (lacking) return lacking;
  const name = `wbprobe${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name], { stdio: 'ignore' }).status !== 0) return 'permission for namespaces';
  spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  return undefined;
}

let networks = 0;

export class Network {
  readonly name = `wb${process.pid}n${networks++}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'waybill-live-'));
  private readonly sensors: RunningSensor[] = [];

  constructor() {
    execFileSync('ip', ['netns', 'add', this.name]);
    this.ip('link', 'set', 'lo', 'up');
    this.addPair();
  }

  addPair(): void {
    this.ip('link', 'add', SENDING, 'mtu', '65535', 'type', 'veth', 'peer', 'name', LISTENING, 'mtu', '65535');
    // No neighbour discovery among the packets that are counted.
    for (const name of [SENDING, LISTENING]) {
      this.exec('sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${name}/disable_ipv6 || true`);
    }
    this.ip('link', 'set', SENDING, 'up');
    this.ip('link', 'set', LISTENING, 'up');
  }

  ip(...args: readonly string[]): void {
    execFileSync('ip', ['-n', this.name, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  exec(command: string, ...args: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name, command, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Writes a capture file and sends its packets at a bounded rate. */
  play(capture: Uint8Array, packetsPerSecond: number, loops = 1): void {
    const file = join(this.folder, 'play.pcap');
    writeFileSync(file, capture);
    this.exec('tcpreplay', '-q', '-i', SENDING, '--pps', String(packetsPerSecond), '--loop', String(loops), file);
  }

  /** The same many times over, each time with other addresses; other work goes on meanwhile. */
  async playUnique(capture: Uint8Array, packetsPerSecond: number, loops: number): Promise<void> {
    const file = join(this.folder, 'play.pcap');
    writeFileSync(file, capture);
    const rate = ['--pps', String(packetsPerSecond), '--loop', String(loops), '--unique-ip', '--preload-pcap'];
    const child = spawn(...tied('ip', ['netns', 'exec', this.name, 'tcpreplay', '-q', '-i', SENDING, ...rate, file]));
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code !== 0) throw new Error(`tcpreplay ended with ${code}`);
  }

  /** Starts `waybill sensor -i` and waits until capture is up. */
  async listen(...args: readonly string[]): Promise<RunningSensor> {
    const sensor = this.start(...args);
    await sensor.logged('capture is up');
    return sensor;
  }

  start(...args: readonly string[]): RunningSensor {
    return this.startUnder([], ...args);
  }

  /** The same under a program that changes what the process may do, e.g. `setpriv`. */
  startUnder(wrapper: readonly string[], ...args: readonly string[]): RunningSensor {
    const sensor = new RunningSensor(this, wrapper, args);
    this.sensors.push(sensor);
    return sensor;
  }

  /** Ends what runs in the namespace and removes it. */
  remove(): void {
    for (const sensor of this.sensors) sensor.abandon();
    // A capture program whose launcher was killed waits for a packet that will not come.
    const pids = execFileSync('ip', ['netns', 'pids', this.name], { encoding: 'utf8' }).split('\n').filter(Boolean);
    for (const pid of pids) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
    }
    execFileSync('ip', ['netns', 'del', this.name]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

export type LogLine = Readonly<Record<string, unknown>>;

export class RunningSensor {
  readonly records: FlowRecord[] = [];
  readonly log: LogLine[] = [];
  /** Standard error that is not our log. */
  stderr = '';
  ended: Ended | undefined;

  readonly process: ChildProcess;
  private readonly network: Network;

  constructor(network: Network, wrapper: readonly string[], args: readonly string[]) {
    this.network = network;
    const { sensorArgs, nodeArgs } = splitNodeArgs(args);
    const node = [...nodeArgs, ...PROGRAM, 'sensor', '-i', LISTENING, ...sensorArgs];
    // `ip` and the wrapper become what they start: this is the process id of the parsing process itself.
    this.process = spawn(...tied('ip', ['netns', 'exec', network.name, ...wrapper, process.execPath, ...node]), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    eachLine(this.process.stdout!, (line) => this.records.push(JSON.parse(line) as FlowRecord));
    eachLine(this.process.stderr!, (line) => {
      if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
      else this.stderr += `${line}\n`;
    });
    this.process.on('close', (code, signal) => {
      this.ended = { code, signal };
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Process ids: the launcher, and the capture program under it. */
  get launcherPid(): number | undefined {
    return childrenOf(this.pid)[0];
  }

  get capturePid(): number | undefined {
    const launcher = this.launcherPid;
    return launcher === undefined ? undefined : childrenOf(launcher)[0];
  }

  /** Waits for the `count`-th log line with this message. */
  async logged(message: string, count = 1): Promise<LogLine> {
    const found = await this.until(`log line "${message}"`, () => this.log.filter((l) => l.msg === message)[count - 1]);
    return found;
  }

  /** Waits until `look` gives something. */
  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    const deadline = Date.now() + PATIENCE_MILLIS;
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > deadline || this.ended) {
        const log = this.log.map((l) => JSON.stringify(l)).join('\n');
        throw new Error(`waited in vain for ${what}; ended ${JSON.stringify(this.ended)}\n${log}\n${this.stderr}`);
      }
      await setTimeout(20);
    }
  }

  /** The flow records of a kind, by server name. */
  ends(): Map<string, FlowRecord> {
    const ends = this.records.filter((r) => r.event.action === 'flow_end');
    return new Map(ends.map((r) => [r.destination.domain ?? r.network.community_id, r]));
  }

  /** Status page, asked from inside the namespace; bash opens the connection, which is quicker than starting Node. */
  status(path: string): { code: number; body: string } {
    const script = `exec 3<>/dev/tcp/127.0.0.1/9477; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
    const answer = this.network.exec('bash', '-c', script);
    return { code: Number(answer.slice(9, 12)), body: answer.slice(answer.indexOf('\r\n\r\n') + 4) };
  }

  metric(name: string): number {
    const line = this.status('/metrics')
      .body.split('\n')
      .find((l) => l.startsWith(`waybill_sensor_${name} `));
    return line === undefined ? Number.NaN : Number(line.split(' ')[1]);
  }

  /** Waits until the sensor has read this many packets. */
  async read(packets: number): Promise<void> {
    const deadline = Date.now() + PATIENCE_MILLIS;
    while (!(this.metric('packets_total') >= packets)) {
      if (Date.now() > deadline || this.ended)
        throw new Error(`read ${this.metric('packets_total')} of ${packets} packets`);
      await setTimeout(50);
    }
  }

  /** SIGTERM, and waits for the end. */
  async stop(): Promise<Ended> {
    this.process.kill('SIGTERM');
    return this.end();
  }

  async end(): Promise<Ended> {
    const deadline = Date.now() + PATIENCE_MILLIS;
    while (!this.ended) {
      if (Date.now() > deadline) throw new Error(`did not end; said ${this.stderr}`);
      await setTimeout(20);
    }
    return this.ended;
  }

  /** SIGKILL; the launcher notices and ends what it started. */
  abandon(): void {
    if (!this.ended) this.process.kill('SIGKILL');
  }
}

/** Arguments before `--` are for Node. */
function splitNodeArgs(args: readonly string[]): { nodeArgs: readonly string[]; sensorArgs: readonly string[] } {
  const at = args.indexOf('--');
  return at < 0 ? { nodeArgs: [], sensorArgs: args } : { nodeArgs: args.slice(0, at), sensorArgs: args.slice(at + 1) };
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return [];
  try {
    return readFileSync(file, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it ended while we looked
  }
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== '') take(line);
  });
}
