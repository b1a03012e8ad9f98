import { StoreError, type StoreErrorCode } from './store-error.ts';

/** How Redis begins its errors, and what that means to us. The first word is the error's class. */
const BY_FIRST_WORD = new Map<string, StoreErrorCode>([
  ['OOM', 'full'],
  ['MISCONF', 'full'],
  ['NOAUTH', 'denied'],
  ['WRONGPASS', 'denied'],
  ['NOPERM', 'denied'],
  ['DENIED', 'denied'],
  ['READONLY', 'unavailable'],
  ['LOADING', 'unavailable'],
  ['BUSY', 'unavailable'],
  ['MASTERDOWN', 'unavailable'],
  ['CLUSTERDOWN', 'unavailable'],
  ['TRYAGAIN', 'unavailable'],
  ['NOREPLICAS', 'unavailable'],
  ['UNBLOCKED', 'unavailable'],
]);

/** Errors of node-redis and of sockets that mean: not now. */
const TRANSIENT = new Set([
  'SocketTimeoutError',
  'SocketClosedUnexpectedlyError',
  'SocketTimeoutDuringMaintenanceError',
  'CommandTimeoutDuringMaintenanceError',
  'ConnectionTimeoutError',
  'ClientOfflineError',
  'DisconnectsClientError',
  'ClientClosedError',
  'TimeoutError',
  'AbortError',
  'RootNodesUnavailableError',
  'MaxCommandRedirectionsError',
  'ReconnectStrategyError',
]);

/** node-redis says these with a plain Error. */
const NOT_NOW = /None of the sentinels are available/;
const TOO_MANY = /queue is full/;

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Any error of the connection as a StoreError that names the address. */
export function redisError(error: unknown, name: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = oneLine(error instanceof Error ? error.message : String(error));
  const byReply = BY_FIRST_WORD.get(text.split(' ', 1)[0] ?? '');
  if (byReply === 'full') {
    return new StoreError('full', `Redis at ${name} takes no more: ${text} Give it memory or shorten the retention.`, {
      cause: error,
    });
  }
  if (byReply === 'denied') return new StoreError('denied', `Redis at ${name} refused us: ${text}`, { cause: error });
  if (byReply !== undefined) return new StoreError(byReply, `Redis at ${name} is not ready: ${text}`, { cause: error });
  const code = socketCode(error);
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(code)) {
    return new StoreError('denied', `no TLS with Redis at ${name}: ${text} (${code})`, { cause: error });
  }
  if (TOO_MANY.test(text))
    return new StoreError('busy', `too many commands wait for Redis at ${name}`, { cause: error });
  const named = error instanceof Error ? error.constructor.name : '';
  if (TRANSIENT.has(named) || SOCKET_CODES.has(code) || NOT_NOW.test(text)) {
    return new StoreError('unavailable', `no answer from Redis at ${name}: ${text || code || named}`, { cause: error });
  }
  return new StoreError('unexpected', `Redis at ${name}: ${text}`, { cause: error });
}

/** The system's or OpenSSL's code, looked for in causes and in the errors of several addresses as well. */
function socketCode(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('originalError' in error) return socketCode(error.originalError, depth + 1);
  if (error instanceof AggregateError) return socketCode(error.errors[0], depth + 1);
  return socketCode(error.cause, depth + 1);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
