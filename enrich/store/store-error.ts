/**
 * Why a store could not do what was asked. Closed list: it is a metric label and what callers branch on.
 *
 * - `refused`: the caller's data breaks a limit of limits.ts; repeating it is pointless.
 * - `full`: no room (disk, Redis maxmemory, maxBytes); expire something or give it more.
 * - `busy`: more writes are waiting than the store will hold; wait for the earlier ones.
 * - `unavailable`: no answer in time, connection lost, cluster or replica not ready; repeat later.
 * - `read-only`: the directory or the Redis node takes no writes.
 * - `denied`: wrong password, missing ACL right, TLS refused.
 * - `locked`: another process has the directory.
 * - `newer-schema`: written by a later version of this program.
 * - `corrupt`: the stored bytes are not what was written.
 * - `evicting`: this Redis may delete what it was given.
 * - `too-old`: this Redis lacks commands we need.
 * - `bad-url`: the address cannot be read.
 * - `closed`: the store was closed by us.
 * - `unexpected`: an answer outside this list: our bug or theirs.
 */
export type StoreErrorCode =
  | 'refused'
  | 'full'
  | 'busy'
  | 'unavailable'
  | 'read-only'
  | 'denied'
  | 'locked'
  | 'newer-schema'
  | 'corrupt'
  | 'evicting'
  | 'too-old'
  | 'bad-url'
  | 'closed'
  | 'unexpected';

/** The one error of enrich/store. `message` is one line: what, what was expected, what to do. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** With `refused`: which element of the batch. */
  readonly index: number | undefined;

  constructor(code: StoreErrorCode, message: string, details: { cause?: unknown; index?: number } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'StoreError';
    this.code = code;
    this.index = details.index;
  }
}
