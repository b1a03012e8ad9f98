/** `waybill dead-letter`: shows what could not be processed, and hands it over again. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { parseSegment } from '../../sensor/base/segment-log.ts';
import { escapeUnsafeUnicode } from '../../sensor/base/text.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { DEFAULT_PREFIX, deadKey, entryArguments, STREAM_KINDS, streamKey } from '../../sensor/record/stream-keys.ts';
import { decodeBatch } from '../service/batch-record.ts';
import type { DeadLetter } from '../service/inbox.ts';
import { deadDirectory, HANDED_OVER, journalDirectory } from '../service/journal.ts';
import { entryList, type StreamEntry } from '../service/stream-entries.ts';
import { settleShards } from '../service/stream-group.ts';
import { connectRedis } from '../store/redis-connect.ts';
import type { RedisLink } from '../store/redis-link.ts';
import { StoreError } from '../store/store-error.ts';
import { isRedis, redisSecrets } from './open-backend.ts';

export const DEAD_LETTER: CommandSpec = {
  name: 'dead-letter',
  usage: 'list|replay [--store redis://…] [--data DIR]',
  summary: 'Lists the records that could not be processed, with the reason, or gives them back to the workers.',
  options: [
    { name: 'store', argument: 'WHERE', fallback: 'embedded', describe: 'As of waybill enrich.' },
    { name: 'data', argument: 'DIR', fallback: '.waybill', describe: 'As of waybill enrich.' },
    { name: 'json', describe: 'list: one JSON object a line, with the original records.' },
  ],
  notes:
    'replay takes the letters out of the list. With the embedded store a running service picks them up within seconds.',
};

/** Characters of a record shown in a line of the list. */
const SHOWN_CHARS = 100;
/** Entries read from Redis at once. */
const PAGE = 200;

export async function deadLetterCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(DEAD_LETTER));
    return Exit.fine;
  }
  const options = parseCommand(DEAD_LETTER, args);
  const [action] = options.positionals;
  if (action !== 'list' && action !== 'replay') throw new UserError('dead-letter: expected list or replay', Exit.usage);
  const store = options.text('store') ?? 'embedded';
  try {
    return isRedis(store) ? await onRedis(action, store, options) : onDisk(action, options);
  } catch (error) {
    if (error instanceof StoreError) throw new UserError(error.message);
    throw error;
  }
}

function onDisk(action: 'list' | 'replay', options: Parsed): number {
  const data = options.text('data') ?? '.waybill';
  const directory = deadDirectory(data);
  let files: string[];
  try {
    files = readdirSync(directory)
      .filter((name) => name.endsWith('.log'))
      .sort();
  } catch {
    throw new UserError(`${directory}: no dead letters here; name the directory with --data`, Exit.usage);
  }
  let letters = 0;
  for (const file of files) {
    const { records } = parseSegment(readFileSync(join(directory, file)));
    letters += records.length;
    if (action === 'list') for (const record of records) print(decodeBatch(record), options);
    else if (records.length > 0) handOver(join(directory, file), data);
    else rmSync(join(directory, file));
  }
  return finish(action, letters);
}

/** The file changes its directory whole, so that each letter is in one place at any time. */
function handOver(file: string, data: string): void {
  renameSync(file, join(journalDirectory(data), `${randomUUID()}${HANDED_OVER}`));
}

async function onRedis(action: 'list' | 'replay', url: string, options: Parsed): Promise<number> {
  const link = await connectRedis(url, redisSecrets());
  let letters = 0;
  try {
    const shards = await settleShards(link, DEFAULT_PREFIX, 1);
    for (let shard = 0; shard < shards; shard++) {
      const key = deadKey(DEFAULT_PREFIX, shard);
      for await (const entry of entries(link, key)) {
        letters++;
        const letter = letterOf(entry);
        if (action === 'list') print(letter, options);
        else if (letter) await giveBack(link, shard, entry.id, letter);
      }
    }
  } finally {
    await link.close();
  }
  return finish(action, letters);
}

async function* entries(link: RedisLink, key: string): AsyncGenerator<StreamEntry> {
  for (let from = '-'; ; ) {
    const page = entryList(await link.send(key, ['XRANGE', key, from, '+', 'COUNT', String(PAGE)]));
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    from = `(${last.id}`;
  }
}

/** First added, then removed: in between it is there twice, and twice is once. */
async function giveBack(link: RedisLink, shard: number, id: string, letter: DeadLetter): Promise<void> {
  const key = streamKey(DEFAULT_PREFIX, shard, letter.kind);
  await link.send(key, entryArguments(key, letter.count, letter.lines));
  const dead = deadKey(DEFAULT_PREFIX, shard);
  await link.send(dead, ['XDEL', dead, id]);
}

function letterOf({ fields }: StreamEntry): DeadLetter | undefined {
  const field = (name: string): string => fields.get(name)?.toString() ?? '';
  const kind = STREAM_KINDS.find((k) => k === field('from'));
  if (!kind) return undefined;
  const lines = fields.get('b') ?? Buffer.alloc(0);
  return { kind, count: Number(field('n')) || 1, lines, reason: field('reason'), id: field('id') };
}

function print(letter: DeadLetter | undefined, options: Parsed): void {
  if (!letter) return;
  const { kind, count, reason, lines } = letter;
  const text = lines.toString('utf8').trimEnd();
  if (options.on('json')) process.stdout.write(`${JSON.stringify({ kind, count, reason, records: text })}\n`);
  else process.stdout.write(`${kind}  ${count}  ${printable(reason)}  ${printable(text.slice(0, SHOWN_CHARS))}\n`);
}

function finish(action: 'list' | 'replay', letters: number): number {
  process.stderr.write(`waybill: ${letters} dead letters${action === 'replay' ? ' handed over' : ''}\n`);
  return Exit.fine;
}

const printable = (text: string): string =>
  escapeUnsafeUnicode(text, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
