import { StoreError } from './store-error.ts';

export type RedisMode = 'standalone' | 'cluster' | 'sentinel';

/** Where a Redis is, as its URL says. */
export interface RedisTarget {
  readonly mode: RedisMode;
  readonly tls: boolean;
  /** The server; some nodes of the cluster; the sentinels. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  /** Sentinel's name of the master. */
  readonly master: string | undefined;
  /** The address without user and password, for messages. */
  readonly name: string;
}

const FORMS =
  'redis://[user:password@]host[:port][/db], redis+cluster://host:port,host:port or ' +
  'redis+sentinel://host:port,host:port/master[/db]; rediss for TLS';

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;

/**
 * Reads a Redis URL. Written by hand because a list of hosts is no URL to WHATWG. Throws StoreError `bad-url`, whose
 * message never repeats the part before the `@`.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const scheme = /^(rediss?)(\+cluster|\+sentinel)?:\/\//.exec(text);
  if (scheme === null) throw bad('it does not begin with redis:// or a kin of it');
  const mode = scheme[2] === '+cluster' ? 'cluster' : scheme[2] === '+sentinel' ? 'sentinel' : 'standalone';
  const rest = text.slice(scheme[0].length);
  const credentialsEnd = rest.lastIndexOf('@');
  const [hosts = '', ...path] = rest.slice(credentialsEnd + 1).split('/');
  const nodes = hosts.split(',').map((host) => readHost(host, mode));
  if (mode === 'standalone' && nodes.length > 1) throw bad('several hosts need redis+cluster:// or redis+sentinel://');
  const master = mode === 'sentinel' ? path.shift() : undefined;
  if (mode === 'sentinel' && !master) throw bad('the name of the master is missing');
  const database = readDatabase(path);
  if (mode === 'cluster' && database !== 0) throw bad('a cluster has database 0 only');
  const where = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const name = master === undefined ? where : `${where} (master ${master})`;
  return { mode, tls: scheme[1] === 'rediss', nodes, ...readCredentials(rest, credentialsEnd), database, master, name };
}

function readHost(text: string, mode: RedisMode): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) throw bad(`${JSON.stringify(text)} is not a host`);
  const port = Number(match[3] ?? (mode === 'sentinel' ? DEFAULT_SENTINEL_PORT : DEFAULT_PORT));
  if (port < 1 || port > 65_535) throw bad(`${port} is not a port`);
  return { host, port };
}

function readDatabase(path: readonly string[]): number {
  const [text = ''] = path;
  if (path.length > 1 || !/^\d{0,5}$/.test(text)) throw bad('what follows the host is not a database number');
  return Number(text);
}

function readCredentials(rest: string, end: number): { username: string | undefined; password: string | undefined } {
  if (end < 0) return { username: undefined, password: undefined };
  const [username = '', ...password] = rest.slice(0, end).split(':');
  try {
    return {
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(password.join(':')) || undefined,
    };
  } catch {
    throw bad('its user or password is not percent-encoded'); // the cause would repeat it
  }
}

function bad(why: string): StoreError {
  return new StoreError('bad-url', `the Redis URL cannot be read: ${why}. Write ${FORMS}.`);
}
