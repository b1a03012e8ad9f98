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
  const found = new Map<string, Set<string>>();
  const onRecord = (record: string, id: string): void => {
    if (wanted.has(id)) found.set(record, (found.get(record) ?? new Set()).add(id));
  };
  for (const file of paths.flatMap(listEndpointFiles)) await readEndpointFile(file, () => {}, { onRecord });
  return [...found].map(([record, ids]) => ({ events: [...ids], record }));
}
