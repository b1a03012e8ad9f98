import { setTimeout } from 'node:timers/promises';
import type { RedisArgument, RedisOptions, RedisReply } from './redis-link.ts';
import type { RedisTarget } from './redis-url.ts';
import { StoreError } from './store-error.ts';

/** What redis-connect needs of a client of node-redis, whichever of the three it is. */
export interface Connection {
  send(key: string | undefined, args: readonly RedisArgument[]): Promise<RedisReply>;
  eachMaster(args: readonly RedisArgument[]): Promise<RedisReply[]>;
  /** Drops the connection; commands under way are rejected. */
  destroy(): void;
}

export interface ClientOptions extends RedisOptions {
  readonly timeoutMs: number;
  /** The connection, or one node's, went or came. */
  readonly onEvent: (up: boolean, why: string) => void;
}

/** Commands that wait for their reply; more are rejected. */
const MAX_PENDING = 20_000;
const MAX_RECONNECT_WAIT_MS = 2_000;

type Reconnect = (retries: number, cause: Error) => number | Error;

/**
 * Settings of every connection (node-redis 6.3), each against something that was seen with the defaults:
 * - disableOfflineQueue: without it commands wait five seconds for a server that is gone;
 * - socketTimeout: without it a stopped server is waited for as long as the kernel likes;
 * - reconnectStrategy: the default one gives up after a socket timeout;
 * - pingInterval below socketTimeout: otherwise an idle connection looks like a dead one;
 * - RESP 2 and Buffers: one shape of reply on every server, and records are bytes.
 */
function clientSettings(target: RedisTarget, options: ClientOptions, reconnect: Reconnect) {
  const username = options.username ?? target.username;
  const password = options.password ?? target.password;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    name: options.clientName ?? 'waybill',
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_PENDING,
    pingInterval: Math.ceil(options.timeoutMs / 3),
    maintNotifications: 'disabled' as const,
    socket: socketSettings(target, options, reconnect),
  };
}

function socketSettings(target: RedisTarget, options: ClientOptions, reconnectStrategy: Reconnect) {
  const common = { connectTimeout: options.timeoutMs, socketTimeout: options.timeoutMs, reconnectStrategy };
  return target.tls ? { ...common, tls: true as const, ...options.tls } : common;
}

/** Until the first connection stands a failure is the caller's; afterwards it is tried for ever, ever more slowly. */
function patience(): { reconnect: Reconnect; stands: () => void } {
  let standing = false;
  return {
    reconnect: (retries, cause) => {
      if (!standing) return cause;
      // Spread, so that many workers do not come back at the same moment.
      return Math.min(MAX_RECONNECT_WAIT_MS, 50 * 2 ** Math.min(retries, 10)) * (0.5 + Math.random() / 2);
    },
    stands: () => {
      standing = true;
    },
  };
}

/** node-redis is heavy (0.17 s): only who needs it loads it. */
async function loadRedis() {
  const redis = await import('redis');
  return { redis, replies: { typeMapping: { [redis.RESP_TYPES.BLOB_STRING]: Buffer } } };
}

const textOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.constructor.name : String(error);

/** A first connection that takes longer than twice the wait for a reply is given up (sentinels were tried for 22 s). */
async function inTime(
  target: RedisTarget,
  timeoutMs: number,
  connecting: Promise<unknown>,
  giveUp: () => void,
): Promise<void> {
  const timer = new AbortController();
  const late = setTimeout(2 * timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new StoreError('unavailable', `Redis at ${target.name} has not answered within ${2 * timeoutMs} ms`);
  });
  late.catch(() => undefined); // aborted, or told through the race
  try {
    await Promise.race([connecting, late]);
  } catch (error) {
    connecting.catch(() => undefined);
    giveUp();
    throw error;
  } finally {
    timer.abort();
  }
}

export async function connectStandalone(target: RedisTarget, options: ClientOptions): Promise<Connection> {
  const { redis, replies } = await loadRedis();
  const { reconnect, stands } = patience();
  const settings = clientSettings(target, options, reconnect);
  const [node] = target.nodes;
  const client = redis.createClient({
    ...settings,
    RESP: 2,
    database: target.database,
    socket: { ...settings.socket, ...node },
  });
  client.on('error', (error) => options.onEvent(false, textOf(error)));
  client.on('ready', () => options.onEvent(true, 'connected'));
  await inTime(target, options.timeoutMs, client.connect(), () => client.destroy());
  stands();
  const send = (args: readonly RedisArgument[]) => client.sendCommand<RedisReply>([...args], replies);
  return {
    send: (_, args) => send(args),
    eachMaster: async (args) => [await send(args)],
    destroy: () => client.destroy(),
  };
}

export async function connectCluster(target: RedisTarget, options: ClientOptions): Promise<Connection> {
  const { redis, replies } = await loadRedis();
  const { reconnect, stands } = patience();
  const settings = clientSettings(target, options, reconnect);
  const cluster = redis.createCluster({
    RESP: 2,
    // Settings of root nodes are not those of the nodes found through them: all go into `defaults`.
    rootNodes: target.nodes.map((node) => ({ socket: { ...node } })),
    defaults: settings,
  });
  cluster.on('error', (error) => options.onEvent(false, textOf(error)));
  cluster.on('node-error', (error) => options.onEvent(false, textOf(error)));
  cluster.on('node-ready', () => options.onEvent(true, 'connected'));
  await inTime(target, options.timeoutMs, cluster.connect(), () => cluster.destroy());
  stands();
  return {
    send: (key, args) => cluster.sendCommand<RedisReply>(key, false, [...args], replies),
    eachMaster: (args) =>
      Promise.all(
        cluster.masters.map(async (node) =>
          (await cluster.nodeClient(node)).sendCommand<RedisReply>([...args], replies),
        ),
      ),
    destroy: () => cluster.destroy(),
  };
}

export async function connectSentinel(target: RedisTarget, options: ClientOptions): Promise<Connection> {
  const { redis, replies } = await loadRedis();
  const { reconnect, stands } = patience();
  const settings = clientSettings(target, options, reconnect);
  const { username: _, password: __, ...withoutSecrets } = settings;
  const sentinel = redis.createSentinel({
    RESP: 2,
    name: target.master ?? '',
    sentinelRootNodes: [...target.nodes],
    nodeClientOptions: { ...settings, database: target.database },
    sentinelClientOptions: {
      ...withoutSecrets,
      ...(options.sentinelUsername === undefined ? {} : { username: options.sentinelUsername }),
      ...(options.sentinelPassword === undefined ? {} : { password: options.sentinelPassword }),
    },
    scanInterval: Math.ceil(options.timeoutMs / 2),
  });
  sentinel.on('error', (error) => options.onEvent(false, textOf(error)));
  sentinel.on('client-error', (event) => options.onEvent(false, textOf(event.error)));
  sentinel.on('topology-change', () => options.onEvent(true, 'connected'));
  await inTime(target, options.timeoutMs, sentinel.connect(), () => void sentinel.destroy());
  stands();
  const send = (args: readonly RedisArgument[]) => sentinel.sendCommand<RedisReply>(false, [...args], replies);
  return {
    send: (_key, args) => send(args),
    eachMaster: async (args) => [await send(args)],
    destroy: () => void sentinel.destroy(),
  };
}
