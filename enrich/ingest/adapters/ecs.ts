import type { ConnectionEvent } from '../../event/endpoint-event.ts';
import { idOf, textOf } from '../field-values.ts';
import { at, type JsonObject } from '../json-object.ts';
import { hostRef, ignored, type Reading, rejected } from '../reading.ts';
import { readTime } from '../time-text.ts';
import { type Body, connection, dnsQuery, file, library, processStart, subject } from './elastic-defend.ts';

/** Most entries of `event.category` and `event.type` that are looked at. */
const MAX_WORDS = 8;
const FEED = 'ecs';

/**
 * Any document of the Elastic Common Schema that names a process: what integrations of other products make of their records
 * once the original is gone. `event.category` and `event.type` say what happened; `event.action` is each product's own word.
 */
export const ecs = {
  claims: (record: JsonObject): boolean =>
    words(record, 'event.category').size > 0 &&
    ['process.pid', 'process.entity_id', 'process.executable', 'process.name'].some(
      (path) => textOf(at(record, path)) !== undefined,
    ),
  read(record: JsonObject): Reading {
    const categories = words(record, 'event.category');
    const types = words(record, 'event.type');
    const action = textOf(at(record, 'event.action'))?.toLowerCase() ?? '';
    const type = `${[...categories].join(',')} ${action || [...types].join(',')}`.trim().slice(0, 80);
    const stamp = readTime(textOf(at(record, '@timestamp')) ?? textOf(at(record, 'event.created')));
    if (!stamp) return rejected(FEED, type, 'no time');
    // A rule's copy of an event is no second event.
    if (textOf(at(record, 'event.kind')) === 'signal') return ignored(FEED, 'signal');
    const body = bodyOf(record, categories, types, action, stamp.micros);
    if (body === undefined || 'ignore' in body) return ignored(FEED, type);
    if ('reject' in body) return rejected(FEED, type, body.reject);
    const id = idOf(at(record, 'event.id'));
    return {
      kind: 'events',
      feed: FEED,
      type,
      // `agent` may be the collector's, so the host goes by its name.
      host: hostRef(
        textOf(at(record, 'host.name')) ?? textOf(at(record, 'host.hostname')) ?? textOf(at(record, 'host.id')),
        undefined,
        at(record, 'host.ip'),
      ),
      drafts: [{ body, at: stamp.micros, clock: 'log' }],
      ...(id === undefined ? {} : { vendorId: id }),
    };
  },
};

function words(record: JsonObject, path: string): ReadonlySet<string> {
  const value = at(record, path);
  const list: unknown[] = Array.isArray(value) ? value.slice(0, MAX_WORDS) : [value];
  return new Set(list.flatMap((entry) => (typeof entry === 'string' ? [entry.toLowerCase().slice(0, 32)] : [])));
}

function bodyOf(
  record: JsonObject,
  categories: ReadonlySet<string>,
  types: ReadonlySet<string>,
  action: string,
  time: number,
): Body | undefined {
  if (categories.has('file')) return fileBody(record, types, action);
  if (categories.has('library') || categories.has('driver')) return types.has('start') ? library(record) : undefined;
  if (textOf(at(record, 'dns.question.name')) !== undefined) return dnsQuery(record);
  if (categories.has('network')) return networkBody(record, types, action);
  if (!categories.has('process')) return undefined;
  if (types.has('start')) return processStart(record, time);
  return types.has('end') ? ended(record) : undefined;
}

function ended(record: JsonObject): Body {
  const process = subject(record);
  return process.entityKind === 'none' ? { reject: 'no process' } : { kind: 'process_end', process };
}

function fileBody(record: JsonObject, types: ReadonlySet<string>, action: string): Body | undefined {
  if (types.has('deletion')) return file(record, 'file_delete', 'delete');
  if (action.includes('rename')) return file(record, 'file_write', 'rename');
  if (types.has('creation')) return file(record, 'file_write', 'create');
  if (types.has('change')) return file(record, 'file_write', 'modify');
  return types.has('access') ? file(record, 'file_read', 'open') : undefined;
}

function networkBody(record: JsonObject, types: ReadonlySet<string>, action: string): Body | undefined {
  if (action.includes('listen') || action.includes('bind')) return undefined;
  const isEnd = types.has('end') && !types.has('start');
  const outcome: NonNullable<ConnectionEvent['outcome']> =
    types.has('denied') || textOf(at(record, 'event.outcome'))?.toLowerCase() === 'failure' ? 'failed' : 'ok';
  return connection(record, outcome, isEnd ? 'end' : 'open');
}
