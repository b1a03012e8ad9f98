import { createHash } from 'node:crypto';
import type { RedisMode } from './redis-url.ts';

export interface RedisOptions {
  /** Stand before those of the URL; secrets belong into the environment or a file. */
  readonly username?: string;
  readonly password?: string;
  /** For sentinels that ask for a password of their own. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** PEM texts; with rediss:// only. Without `ca` the system's authorities are used. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  };
  /** Longest wait for a reply, milliseconds; default 5000. A blocking read must ask for less (`maxBlockMs`). */
  readonly timeoutMs?: number;
  /** Shown in CLIENT LIST. */
  readonly clientName?: string;
  /** Told when the connection goes and comes, with the reason. */
  readonly onState?: (up: boolean, why: string) => void;
}

export type RedisArgument = string | Buffer;

/** A reply as RESP2 has it: bulk strings are Buffers, statuses strings. Errors are thrown. */
export type RedisReply = string | Buffer | number | null | RedisReply[];

export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

/** A Lua script with its name for EVALSHA. */
export function redisScript(text: string): RedisScript {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** One connection to a Redis of any kind. Every method rejects with StoreError only. */
export interface RedisLink {
  readonly mode: RedisMode;
  /** Address without secrets, for messages. */
  readonly name: string;
  /** Longest BLOCK for a blocking read on this link, milliseconds. Blocking reads need a link of their own. */
  readonly maxBlockMs: number;
  /** Sends one command to the node that has `key`; with no key to any master. */
  send(key: string | undefined, args: readonly RedisArgument[]): Promise<RedisReply>;
  /** Runs a script whose keys all have the hash tag of the first; loads it where it is not known. */
  evaluate(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply>;
  /** Sends a command to every master. */
  eachMaster(args: readonly RedisArgument[]): Promise<RedisReply[]>;
  /** How often the connection was lost since it first stood. */
  losses(): number;
  /** Another connection to the same place, with the same options. */
  duplicate(): Promise<RedisLink>;
  close(): Promise<void>;
}
