import { listEndpointFiles } from '../ingest/list-endpoint-files.ts';
import { readEndpointFile } from '../ingest/read-endpoint-file.ts';
import type { AboutAlert } from './judge-again.ts';
import type { RawEvent } from './write-bundle.ts';

/**
 * The records of endpoint logs that an alert names, as they stand there, each once. Rejects with the operating system's
 * error when a log cannot be opened.
 */
export async function rawEventsOf({ waybill }: AboutAlert, paths: readonly string[]): Promise<RawEvent[]> {
  const wanted = new Set(waybill?.events);
  const found = new Map<string, RawEvent>();
  const onRecord = (record: string, ids: readonly string[]): void => {
    if (ids.some((id) => wanted.has(id))) found.set(ids.join(' '), { events: ids, record });
  };
  for (const file of paths.flatMap(listEndpointFiles)) await readEndpointFile(file, () => {}, { onRecord });
  return [...found.values()];
}
