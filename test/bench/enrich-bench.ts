/**
 * `npm run bench -- enrich [options]`: joined flows and endpoint events a second through a real Redis, with one worker and
 * with two, beside the floor: reading and acknowledging the same streams without any work.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { streamsOf } from '../../enrich/service/stream-entries.ts';
import { GROUP } from '../../enrich/service/stream-group.ts';
import { connectRedis } from '../../enrich/store/redis-connect.ts';
import type { RedisLink } from '../../enrich/store/redis-link.ts';
import { ENTRY_RECORDS, entryArguments } from '../../sensor/record/stream-keys.ts';
import { freePort } from '../build/redis-server.ts';
import { connectionLine, flowLine } from './enrich-records.ts';

const PROGRAM = 'dist/enrich/cli/main.js';
/** As docker-compose.yml and the README have it. */
const NODE_OPTIONS = '--max-semi-space-size=64';

const HELP = `npm run bench -- enrich [options]

  --flows N      flows, each with its connection event (default 30000)
  --hosts N      hosts they belong to (default 200)
  --workers L    numbers of workers (default 1,2)
  --probes N     staged uploads sent one after the other for the time to the alert (default 40)
  --cpu-prof DIR writes the workers' CPU profiles there
`;

export async function enrichBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      flows: { type: 'string', default: '30000' },
      hosts: { type: 'string', default: '200' },
      workers: { type: 'string', default: '1,2' },
      probes: { type: 'string', default: '40' },
      'cpu-prof': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [flows, hosts, probes] = [Number(values.flows), Number(values.hosts), Number(values.probes)];
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; ${flows} flows of ${hosts} hosts; workers with ${NODE_OPTIONS}`,
  );
  const bench = await openBench(values['cpu-prof']);
  try {
    const least = await floor(bench, flows, hosts);
    console.log(`floor (read and acknowledge): ${rate(flows, least)} flows/s`);
    for (const workers of values.workers.split(',').map(Number)) {
      for (const line of await measure(bench, workers, { flows, hosts, least })) console.log(line);
    }
    console.log(await flowSize(bench.link));
    console.log(await latency(bench, probes));
  } finally {
    await bench.close();
  }
}

interface Bench {
  readonly url: string;
  readonly link: RedisLink;
  readonly server: ChildProcess;
  readonly directory: string;
  /** Where the workers write their CPU profiles. */
  readonly profiles: string | undefined;
  close(): Promise<void>;
}

async function openBench(profiles: string | undefined): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-bench-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'yes'];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  const link = await retried(() => connectRedis(url));
  return {
    url,
    link,
    server,
    directory,
    profiles,
    close: async () => {
      await link.close();
      server.kill('SIGKILL');
      await once(server, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const rate = (count: number, seconds: number): string => Math.round(count / seconds).toLocaleString('en');

/** The time to read and acknowledge entries of flow records, seconds. */
async function floor({ link }: Bench, flows: number, hosts: number): Promise<number> {
  await fill(link, 'flows', flows, (i) => flowLine(i, hosts));
  const key = '{wb:0}:flows';
  await link.send(key, ['XGROUP', 'CREATE', key, GROUP, '0']);
  const started = performance.now();
  for (let seen = 0; seen < flows; ) {
    const reply = await link.send(key, ['XREADGROUP', 'GROUP', GROUP, 'floor', 'COUNT', '32', 'STREAMS', key, '>']);
    const entries = streamsOf(reply).flatMap((stream) => stream.entries);
    // What any reader has to do: the records as objects.
    for (const { fields } of entries) {
      const lines = String(fields.get('b')).split('\n');
      for (const line of lines) if (line !== '') JSON.parse(line);
      seen += Number(String(fields.get('n')));
    }
    await link.send(key, ['XACK', key, GROUP, ...entries.map(({ id }) => id)]);
  }
  return (performance.now() - started) / 1000;
}

interface Load {
  readonly flows: number;
  readonly hosts: number;
  /** The floor of so many flows, seconds. */
  readonly least: number;
}

/** Events first, as a backlog, then flows, as a backlog: how long the workers need for each. */
async function measure(bench: Bench, workers: number, { flows, hosts, least }: Load): Promise<string[]> {
  const lines: string[] = [];
  await bench.link.send(undefined, ['FLUSHALL']);
  const running = await Promise.all(Array.from({ length: workers }, (_, i) => worker(bench, i)));
  for (const [kind, line] of [
    ['raw', (i: number) => connectionLine(i, hosts)],
    ['flows', (i: number) => flowLine(i, hosts)],
  ] as const) {
    await bench.link.send(undefined, ['CONFIG', 'RESETSTAT']);
    const before = cpuSeconds(running);
    const redisBefore = cpuSeconds([bench.server]);
    const started = performance.now();
    await fill(bench.link, kind, flows, line);
    const filled = (performance.now() - started) / 1000;
    await done(bench.link, kind);
    const seconds = (performance.now() - started) / 1000;
    const each = (spent: number): string => ((spent * 1e6) / flows).toFixed(0);
    const cpu = `of the workers ${each(cpuSeconds(running) - before)} µs, of Redis ${each(cpuSeconds([bench.server]) - redisBefore)} µs`;
    const what = kind === 'raw' ? 'endpoint events' : 'joined flows';
    const share = kind === 'raw' ? '' : `, ${Math.round((100 * least) / seconds / workers)} % of the floor a worker`;
    lines.push(
      `${workers} worker${workers === 1 ? '' : 's'}: ${rate(flows, seconds)} ${what}/s${share} (filled in ${filled.toFixed(1)} s; a record: ${await work(bench.link, flows)}; on a processor: ${cpu})`,
    );
  }
  for (const child of running) await ended(child);
  return lines;
}

/** Bytes of Redis for each flow that is kept for late evidence, with its indexes: MEMORY USAGE of whole keys. */
async function flowSize(link: RedisLink): Promise<string> {
  let [bytes, flows] = [0, 0];
  for (const key of await keysLike(link, 'waybill:{*}:[fx]:flow:*')) {
    bytes += Number(await link.send(key, ['MEMORY', 'USAGE', key, 'SAMPLES', '0']));
    if (key.includes(':f:flow:')) flows += Number(await link.send(key, ['HLEN', key]));
  }
  return `bytes of Redis a waiting flow: ${(bytes / flows).toFixed(0)} (${flows.toLocaleString('en')} flows; entries of familiarity: npm run bench -- store)`;
}

async function keysLike(link: RedisLink, pattern: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const reply = (await link.send(undefined, ['SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000'])) as [
      unknown,
      unknown[],
    ];
    cursor = String(reply[0]);
    keys.push(...reply[1].map(String));
  } while (cursor !== '0');
  return keys;
}

/** Time on a processor, user and system, of these processes until now: proc_pid_stat(5), in ticks of 10 ms. */
function cpuSeconds(children: readonly ChildProcess[]): number {
  const ticks = children.map(({ pid }) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // From the third field on: the second, the name, may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

/** What Redis did for one record: commands of clients and of scripts. */
async function work(link: RedisLink, records: number): Promise<string> {
  const text = String(await link.send(undefined, ['INFO', 'commandstats']));
  let [scripts, all] = [0, 0];
  for (const [, name, calls] of text.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)) {
    all += Number(calls);
    if (name === 'evalsha' || name === 'eval') scripts += Number(calls);
  }
  return `${(scripts / records).toFixed(2)} scripts and ${(all / records).toFixed(1)} commands of Redis`;
}

/** From the last piece of evidence to the alert, one theft after the other, each on a host of its own. */
async function latency(bench: Bench, probes: number): Promise<string> {
  await bench.link.send(undefined, ['FLUSHALL']);
  const running = await worker(bench, 0);
  const story = 'pcaps/stories/story-exfil-archive';
  const endpoint = readFileSync(`${story}.endpoint.jsonl`, 'utf8');
  const flows = await recordsOf(`${story}.pcap.gz`);
  const host = /"host":\{"hostname":"[^"]*","name":"[^"]*","id":"([^"]*)"/.exec(endpoint)?.[1] ?? '';
  const times: number[] = [];
  let alerts = '';
  running.stdout?.on('data', (chunk: Buffer) => (alerts += chunk.toString()));
  for (let i = 0; i < probes; i++) {
    const mine = (text: string): string =>
      text.replaceAll(host, `host-${i}`).replaceAll('10.20.0.11', `10.30.${i >> 8}.${i & 255}`);
    await add(bench.link, 'raw', 1, mine(endpoint));
    await setTimeout(300 + (i % 7) * 40);
    const started = performance.now();
    const own = flows.map((line) => mine(line).replace(/"flow_id":"/, `"flow_id":"${i}-`));
    await add(bench.link, 'flows', own.length, own.join(''));
    while (!alerts.includes(`"host-${i}"`)) {
      if (performance.now() - started > 20_000) throw new Error(`no alert for probe ${i}`);
      await setTimeout(2);
    }
    times.push(performance.now() - started);
  }
  await ended(running);
  times.sort((a, b) => a - b);
  const at = (share: number): string =>
    `${Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))]!)} ms`;
  return `evidence to alert, ${probes} times: p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`;
}

async function recordsOf(capture: string): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, 'sensor', '-r', capture, '-q'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `${line}\n`);
}

async function worker({ url, directory, profiles }: Bench, number: number): Promise<ChildProcess> {
  const config = join(directory, 'settings.yaml');
  writeFileSync(config, 'service: { retention_days: 3650 }\n');
  const args = ['enrich', '--store', url, '--listen', '127.0.0.1:0', '--config', config, '--worker', `w${number}`];
  const node = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const env = { ...process.env, NODE_OPTIONS };
  const child = spawn(process.execPath, [...node, PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  while (!text.includes('"msg":"ready"')) {
    if (child.exitCode !== null) throw new Error(text);
    await setTimeout(20);
  }
  return child;
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** Everything of this kind has been read and acknowledged. */
async function done(link: RedisLink, kind: string): Promise<void> {
  const key = `{wb:0}:${kind}`;
  for (;;) {
    const groups = (await link.send(key, ['XINFO', 'GROUPS', key])) as unknown[][];
    const fields = groups[0]!.map(String);
    const [lag, pending] = ['lag', 'pending'].map((name) => Number(fields[fields.indexOf(name) + 1]));
    if (lag === 0 && pending === 0) return;
    await setTimeout(10);
  }
}

const add = (link: RedisLink, kind: 'raw' | 'flows', count: number, text: string): Promise<unknown> =>
  link.send(`{wb:0}:${kind}`, entryArguments(`{wb:0}:${kind}`, count, Buffer.from(text)));

async function fill(link: RedisLink, kind: 'raw' | 'flows', count: number, line: (i: number) => string): Promise<void> {
  for (let i = 0; i < count; ) {
    const lines: string[] = [];
    for (; i < count && lines.length < ENTRY_RECORDS; i++) lines.push(line(i));
    await add(link, kind, lines.length, lines.join(''));
  }
}

async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries > 100) throw error;
      await setTimeout(50);
    }
  }
}
