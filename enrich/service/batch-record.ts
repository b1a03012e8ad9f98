import { STREAM_KINDS, type StreamKind } from '../../sensor/record/stream-keys.ts';
import type { Batch, DeadLetter } from './inbox.ts';

/**
 * A batch as a record of the journal: a JSON head (kind, count and, of dead letters, the reason), a line feed, and the
 * lines as they came.
 */
export function encodeBatch({ lines, ...head }: Batch | DeadLetter): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), lines]);
}

interface Head {
  readonly kind?: unknown;
  readonly count?: unknown;
  readonly host?: unknown;
  readonly sender?: unknown;
  readonly reason?: unknown;
  readonly id?: unknown;
}

/** Undefined when the bytes are no batch: written by a later program, say. */
export function decodeBatch(record: Buffer): DeadLetter | undefined {
  const end = record.indexOf(0x0a);
  if (end < 0) return undefined;
  const head = headOf(record.toString('utf8', 0, end));
  const kind = STREAM_KINDS.find((k) => k === head?.kind);
  if (!head || kind === undefined || typeof head.count !== 'number') return undefined;
  return {
    ...batchOf(kind, head.count, record.subarray(end + 1), head.host, head.sender),
    reason: typeof head.reason === 'string' ? head.reason : '',
    id: typeof head.id === 'string' ? head.id : '',
  };
}

export function batchOf(kind: StreamKind, count: number, lines: Buffer, host?: unknown, sender?: unknown): Batch {
  return {
    kind,
    count,
    lines,
    ...(typeof host === 'string' && host !== '' ? { host } : {}),
    ...(typeof sender === 'string' && sender !== '' ? { sender } : {}),
  };
}

function headOf(text: string): Head | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // the caller says that it is no batch
  }
}
