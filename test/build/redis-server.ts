import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { tied } from './tied.ts';

const SERVER = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));
const CLI = SERVER?.replace(/server$/, 'cli') ?? 'redis-cli';

/** `describe` where a redis-server is installed; elsewhere skipped by name, or failed when CI_NO_SKIP=1. */
export function describeWithRedis(name: string, suite: () => void): void {
  if (SERVER !== undefined) describe(name, suite);
  else if (process.env.CI_NO_SKIP === '1') {
    it(`${name} (needs redis-server)`, () => {
      throw new Error('redis-server is not installed: apt-get install redis-server');
    });
  } else describe.skip(`${name} (skipped: redis-server is not installed)`, suite);
}

export interface RedisServer {
  readonly port: number;
  /** redis://127.0.0.1:PORT */
  readonly url: string;
  /** Runs redis-cli against it and gives what it prints. */
  cli(...args: readonly string[]): string;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and directory. */
  start(): Promise<void>;
  /** Kills it and removes its directory. */
  remove(): Promise<void>;
}

export interface RedisServerOptions {
  /** Further arguments: configuration as `--name value`. */
  readonly args?: readonly string[];
  /** What redis-cli needs to be let in. */
  readonly cliArgs?: readonly string[];
  /** Start as sentinel. */
  readonly sentinel?: boolean;
  readonly port?: number;
}

/** Starts a real redis-server on a free port of the loopback, with a directory of its own and no persistence. */
export function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { port } = options;
  return port === undefined ? onFreePorts(async () => startOn(await freePort(), options)) : startOn(port, options);
}

/** Tries again with other ports when somebody else took one that had just been free. */
async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await start();
    } catch (error) {
      if (tries === 3 || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

async function startOn(port: number, options: RedisServerOptions): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-redis-'));
  const args = serverArgs(port, directory, options);
  const cliArgs = ['-p', String(port), ...(options.cliArgs ?? [])];
  let server: ChildProcess | undefined;

  const cli = (...rest: readonly string[]) => execFileSync(CLI, [...cliArgs, ...rest], { encoding: 'utf8' }).trim();
  // A test that dies must not leave its server behind.
  const onExit = () => void server?.kill('SIGKILL');
  process.on('exit', onExit);
  const kill = async () => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    server = spawn(...tied(SERVER ?? 'redis-server', args), { stdio: ['ignore', 'pipe', 'inherit'] });
    await answering(server, port);
  };
  const remove = async () => {
    await kill();
    process.off('exit', onExit);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli,
    signal: (name) => void server?.kill(name),
    kill,
    start,
    remove,
  };
}

export interface RedisCluster {
  readonly url: string;
  /** Masters first, then replicas. */
  readonly nodes: readonly RedisServer[];
  /** The node that is now the master of a key. */
  masterOf(key: string): RedisServer;
  remove(): Promise<void>;
}

/** Three masters that share the slots, each with `replicas` replicas; `remove` ends them all. */
export async function startCluster(replicas = 0): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: 3 * (1 + replicas) }, () =>
      onFreePorts(async () => {
        const [port, bus] = [await freePort(), String(await freePort())];
        const args = ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-node-timeout', '1000'];
        return startRedis({ port, args: [...args, '--repl-diskless-sync-delay', '0'] });
      }),
    ),
  );
  const addresses = nodes.map((node) => `127.0.0.1:${node.port}`);
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'];
  execFileSync(CLI, create, { stdio: 'ignore' });
  await clusterReady(nodes);
  return {
    url: `redis+cluster://${addresses.slice(0, 3).join(',')}`,
    nodes,
    masterOf: (key) => {
      const slot = Number(nodes.find((node) => isUp(node))?.cli('cluster', 'keyslot', key));
      const master = nodes.find(
        (node) => isUp(node) && ownSlots(node).some(([low, high]) => low <= slot && slot <= high),
      );
      if (!master) throw new Error(`no node of the cluster has slot ${slot}`);
      return master;
    },
    remove: async () => void (await Promise.all(nodes.map((node) => node.remove()))),
  };
}

function isUp(node: RedisServer): boolean {
  try {
    return node.cli('ping') === 'PONG';
  } catch {
    return false; // killed by a test
  }
}

/** Slots that a node is the master of. */
function ownSlots(node: RedisServer): [number, number][] {
  const own =
    node
      .cli('cluster', 'nodes')
      .split('\n')
      .find((line) => line.includes('myself,master')) ?? '';
  return own
    .split(' ')
    .slice(8)
    .filter((range) => /^\d+(-\d+)?$/.test(range))
    .map((range) => range.split('-').map(Number))
    .map(([low = -1, high = low]) => [low, high]);
}

async function clusterReady(nodes: readonly RedisServer[]): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const known = nodes.every((node) => {
      const listed = node.cli('cluster', 'nodes').split('\n');
      return listed.length === nodes.length && !listed.some((line) => /handshake|fail/.test(line));
    });
    const isComplete = nodes.every((node) => node.cli('cluster', 'info').includes('cluster_state:ok'));
    const replicas = nodes.filter((node) => node.cli('info', 'replication').includes('master_link_status:up')).length;
    if (known && isComplete && replicas === nodes.length - 3) return;
    await setTimeout(25);
  }
  throw new Error('the cluster does not come up');
}

function serverArgs(port: number, directory: string, options: RedisServerOptions): string[] {
  const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  if (options.sentinel === true) return [sentinelFile(directory), '--sentinel', ...common, ...(options.args ?? [])];
  return [...common, '--save', '', '--appendonly', 'no', ...(options.args ?? [])];
}

/** A sentinel keeps its state in its configuration file, so it must have one. */
function sentinelFile(directory: string): string {
  const file = join(directory, 'sentinel.conf');
  writeFileSync(file, '');
  return file;
}

async function answering(server: ChildProcess, port: number): Promise<void> {
  const lines: string[] = [];
  server.stdout?.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  for (let tries = 0; tries < 400; tries++) {
    if (server.exitCode !== null) {
      await setTimeout(50); // for its last words
      throw new Error(`redis-server ended: ${lines.join('')}`);
    }
    if (lines.join('').match(/Ready to accept connections|Sentinel ID is/)) return;
    await setTimeout(10);
  }
  throw new Error(`redis-server on port ${port} does not start: ${lines.join('')}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
