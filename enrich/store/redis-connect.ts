import { type Connection, connectCluster, connectSentinel, connectStandalone } from './redis-clients.ts';
import { redisError } from './redis-errors.ts';
import type { RedisArgument, RedisLink, RedisOptions, RedisReply, RedisScript } from './redis-link.ts';
import { parseRedisUrl, type RedisMode, type RedisTarget } from './redis-url.ts';
import { StoreError } from './store-error.ts';

const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Connects, once: where nobody answers it rejects with `unavailable` and the caller decides when to try again. Once
 * connected it reconnects by itself for ever, and until then commands are rejected at once rather than queued.
 */
export async function connectRedis(url: string, options: RedisOptions = {}): Promise<RedisLink> {
  const target = parseRedisUrl(url);
  return connectTarget(target, options);
}

async function connectTarget(target: RedisTarget, options: RedisOptions): Promise<RedisLink> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const health = new Health(options.onState);
  const connect = { standalone: connectStandalone, cluster: connectCluster, sentinel: connectSentinel }[target.mode];
  try {
    const connection = await connect(target, { ...options, timeoutMs, onEvent: (up, why) => health.event(up, why) });
    return new Link(target, options, timeoutMs, connection, health);
  } catch (error) {
    throw startError(redisError(error, target.name), target);
  }
}

/** A server without TLS waits for the rest of what it takes for a long word, so silence is all that shows. */
function startError(error: StoreError, target: RedisTarget): StoreError {
  if (!target.tls || error.code !== 'unavailable') return error;
  return new StoreError('unavailable', `${error.message}. Does it speak TLS there?`, { cause: error.cause });
}

/**
 * Whether it makes sense to write to the connection. A command that got no reply in time makes it silent: nothing more
 * is written, because every write would put off the socket's own timeout, which is what makes a new connection. The
 * silence ends with any sign of life or death, and after a while by itself.
 */
class Health {
  private silentUntil = 0;
  private up = true;
  losses = 0;
  private readonly onState: ((up: boolean, why: string) => void) | undefined;

  constructor(onState: ((up: boolean, why: string) => void) | undefined) {
    this.onState = onState;
  }

  isSilent(): boolean {
    return performance.now() < this.silentUntil;
  }

  /** The connection went or came. */
  event(up: boolean, why: string): void {
    this.silentUntil = 0;
    if (up === this.up) return;
    this.up = up;
    if (!up) this.losses++;
    this.onState?.(up, why);
  }

  /** A command is late; `reply` is what it still waits for. */
  missed(timeoutMs: number, reply: Promise<unknown>): void {
    this.event(false, `no reply within ${timeoutMs} ms`);
    this.silentUntil = performance.now() + 2 * timeoutMs;
    reply.then(
      () => this.event(true, 'it answers'),
      () => {
        this.silentUntil = 0;
      },
    );
  }
}

class Link implements RedisLink {
  readonly mode: RedisMode;
  readonly name: string;
  readonly maxBlockMs: number;
  private readonly target: RedisTarget;
  private readonly options: RedisOptions;
  private readonly timeoutMs: number;
  private readonly connection: Connection;
  private readonly health: Health;
  private closed = false;

  constructor(target: RedisTarget, options: RedisOptions, timeoutMs: number, connection: Connection, health: Health) {
    this.mode = target.mode;
    this.name = target.name;
    this.maxBlockMs = Math.floor(timeoutMs / 2);
    this.target = target;
    this.options = options;
    this.timeoutMs = timeoutMs;
    this.connection = connection;
    this.health = health;
  }

  send(key: string | undefined, args: readonly RedisArgument[]): Promise<RedisReply> {
    return this.inTime(() => this.connection.send(key, args));
  }

  async evaluate(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(keys[0], ['EVALSHA', script.sha1, ...rest]);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return this.send(keys[0], ['EVAL', script.text, ...rest]);
    }
  }

  eachMaster(args: readonly RedisArgument[]): Promise<RedisReply[]> {
    return this.inTime(() => this.connection.eachMaster(args));
  }

  losses(): number {
    return this.health.losses;
  }

  duplicate(): Promise<RedisLink> {
    return connectTarget(this.target, this.options);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.connection.destroy();
  }

  private async inTime<T>(call: () => Promise<T>): Promise<T> {
    if (this.closed) throw new StoreError('closed', `the connection to Redis at ${this.name} is closed`);
    if (this.health.isSilent()) throw this.noReply();
    let timer: NodeJS.Timeout | undefined;
    try {
      const reply = call();
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          this.health.missed(this.timeoutMs, reply);
          reject(this.noReply());
        }, this.timeoutMs);
      });
      return await Promise.race([reply, late]);
    } catch (error) {
      throw redisError(error, this.name);
    } finally {
      clearTimeout(timer);
    }
  }

  private noReply(): StoreError {
    return new StoreError('unavailable', `Redis at ${this.name} has not replied within ${this.timeoutMs} ms`);
  }
}

function isNoScript(error: unknown): boolean {
  return error instanceof StoreError && error.cause instanceof Error && error.cause.message.startsWith('NOSCRIPT');
}
