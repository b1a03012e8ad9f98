import { expect } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';

/** Every event of one record. */
export function readAll(record: unknown): EndpointEvent[] {
  const reader = new FeedNormalizer();
  return [...reader.normalize(record), ...reader.drain()];
}

/** The first event of one record. */
export function read(record: unknown): EndpointEvent | undefined {
  return readAll(record)[0];
}

/** The name under which a record that gives no event is counted as ignored. */
export function ignoredAs(record: unknown): string | undefined {
  const reader = new FeedNormalizer();
  expect(reader.normalize(record)).toEqual([]);
  return reader.summary.ignored.entries()[0]?.[0];
}

/** Noon of the samples and 123,456 microseconds; and the same cut to milliseconds. */
export const AT = 1_715_688_000_123_456;
export const AT_MILLIS = 1_715_688_000_123_000;
/** The two ends of every sample connection. */
export const TUPLE = { source: { ip: '10.1.2.3', port: 50123 }, destination: { ip: '203.0.113.9', port: 443 } };
