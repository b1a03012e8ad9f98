import { startKey } from './process-key.ts';
import type { Draft } from './reading.ts';

/** A process that started at this event: its start in epoch microseconds, and the key made of it. */
export function startedAt(body: Draft['body'], at: number): Draft['body'] {
  if (body.kind !== 'process_start') return body;
  const { process } = body;
  const started = { ...process, startedAt: at };
  if (process.entityKind !== 'pid-only' || process.pid === undefined) return { ...body, process: started };
  return { ...body, process: { ...started, entityId: startKey(process.pid, at), entityKind: 'pid-start' } };
}
