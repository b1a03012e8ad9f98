import { StoreError, type StoreErrorCode } from '../store/store-error.ts';

const NOT_NOW: ReadonlySet<StoreErrorCode> = new Set(['unavailable', 'full', 'busy', 'read-only', 'denied', 'closed']);

/** The same work may succeed later, without anything about it being changed. */
export const isTransient = (error: unknown): boolean => error instanceof StoreError && NOT_NOW.has(error.code);
