import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { covers, type Exception } from '../alert/exception.ts';
import { exceptionOf, keepException, readExceptions, removeException } from '../alert/exception-file.ts';
import { alertTable } from '../alert/table.ts';
import { inspectText } from '../alert/terminal-text.ts';
import { DATA_FILE } from '../store/embedded-files.ts';
import { readEmbedded } from '../store/embedded-reader.ts';
import { openRedis } from '../store/redis.ts';
import type { StoredAlert } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { redisSecrets } from './open-backend.ts';
import { dataDirectory, redisOf } from './open-data.ts';

export const ALLOW: CommandSpec = {
  name: 'allow',
  usage: 'add|check|list|remove [ID] --data DIR',
  summary: 'Keeps exceptions: a program may send to a destination, with an owner, a reason and an end.',
  options: [
    {
      name: 'data',
      argument: 'DIR',
      describe: 'Store directory, or the data directory of waybill enrich; a running service takes changes up at once.',
    },
    { name: 'store', argument: 'WHERE', describe: 'redis://…: alerts are there, exceptions in DIR/allow.json.' },
    { name: 'destination', argument: 'NAME', describe: 'Host name, registrable domain or destination entity.' },
    { name: 'identity', argument: 'TEXT', describe: 'Process identity, as explain --json shows it.' },
    { name: 'image', argument: 'PATH', describe: 'Image path; * stands for one path component.' },
    { name: 'signer', argument: 'NAME', describe: 'Signer of a valid signature.' },
    { name: 'host', argument: 'NAME', describe: 'Only on this host.' },
    { name: 'user', argument: 'NAME', describe: 'Only for this user (name or SID).' },
    { name: 'max-bytes', argument: 'N', describe: 'Only up to so many bytes sent.' },
    { name: 'owner', argument: 'WHO', describe: 'Who answers for it.' },
    { name: 'reason', argument: 'TEXT', describe: 'Why, e.g. a ticket.' },
    { name: 'expires', argument: 'DATE', describe: 'Until when (RFC 3339 date or time).' },
    { name: 'json', describe: 'list: JSON lines.' },
  ],
  notes:
    'check shows which stored alerts an exception would cover; add shows the same and keeps it. Alerts are marked when they are shown, never dropped: removing an exception brings them back.',
};

/** Alerts looked through. */
const MAX_ALERTS = 100_000;

export async function allowCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(ALLOW));
    return Exit.fine;
  }
  const options = parseCommand(ALLOW, args);
  const place = placeOf(options);
  const [verb, id] = options.positionals;
  try {
    switch (verb) {
      case 'add':
      case 'check':
        return await propose(place, entered(options), verb === 'add');
      case 'list':
        return await list(place, options.on('json'), Date.now());
      case 'remove':
        return remove(place, id);
      default:
        throw new UserError(`${verb ?? 'allow'}: expected add, check, list or remove`, Exit.usage);
    }
  } catch (error) {
    if (error instanceof StoreError) throw new UserError(error.message);
    throw error;
  }
}

interface Place {
  /** Directory of the exceptions, and of the embedded store. */
  readonly data: string;
  readonly redis?: string;
}

/** As the service has it: with the embedded store its exceptions lie beside it. */
function placeOf(options: Parsed): Place {
  const [data, redis] = [options.text('data'), redisOf(options)];
  if (data === undefined) throw new UserError('name the store with --data DIR', Exit.usage);
  if (!existsSync(data)) throw new UserError(`${data}: no such directory`, Exit.usage);
  return redis === undefined ? { data: dataDirectory(options) } : { data, redis };
}

function entered(options: Parsed): Exception {
  const max = options.integer('max-bytes', 1, Number.MAX_SAFE_INTEGER);
  const texts = ['owner', 'reason', 'expires', 'identity', 'image', 'signer', 'destination', 'host', 'user'].flatMap(
    (name) => {
      const value = options.text(name);
      return value === undefined ? [] : [[name, value] as const];
    },
  );
  return exceptionOf({ ...Object.fromEntries(texts), ...(max === undefined ? {} : { max_bytes: max }) });
}

async function storedAlerts({ data, redis }: Place): Promise<readonly StoredAlert[]> {
  if (redis === undefined && !existsSync(join(data, DATA_FILE))) return [];
  const store = redis === undefined ? await readEmbedded(data) : await openRedis(redis, redisSecrets());
  try {
    return await store.listAlerts({ limit: MAX_ALERTS });
  } finally {
    await store.close();
  }
}

/** Replays the exception over what is stored before it is kept, so that nobody allows more than they meant to. */
async function propose(place: Place, exception: Exception, keep: boolean): Promise<number> {
  const { data } = place;
  const alerts = await storedAlerts(place);
  const covered = alerts.filter((alert) => covers(exception, alert));
  process.stdout.write(`${covered.length} of ${alerts.length} stored alerts ${keep ? 'are' : 'would be'} covered.\n`);
  if (covered.length > 0) process.stdout.write(alertTable(covered));
  if (!keep) return Exit.fine;
  keepException(data, exception);
  process.stdout.write(`Kept as ${exception.id}.\n`);
  return Exit.fine;
}

function remove({ data }: Place, id: string | undefined): number {
  if (id === undefined || !removeException(data, id))
    throw new UserError(`${id ?? 'allow remove'}: no exception has this id`);
  process.stdout.write(`Removed ${id}.\n`);
  return Exit.fine;
}

async function list(place: Place, json: boolean, now: number): Promise<number> {
  const exceptions = readExceptions(place.data);
  const alerts = exceptions.length === 0 ? [] : await storedAlerts(place);
  for (const exception of exceptions) {
    const uses = alerts.filter((alert) => covers(exception, alert)).length;
    const expired = Date.parse(exception.expires) <= now;
    if (json) process.stdout.write(`${JSON.stringify({ ...exception, uses, expired })}\n`);
    else process.stdout.write(`${line(exception, uses, expired)}\n`);
  }
  if (exceptions.length === 0 && !json) process.stdout.write('No exceptions.\n');
  return Exit.fine;
}

function line(e: Exception, uses: number, expired: boolean): string {
  const state = expired ? 'EXPIRED' : uses === 0 ? 'unused' : `${uses} used`;
  const who = [e.identity, e.image, e.signer && `signed by ${e.signer}`].filter((part) => part !== undefined);
  const only = [e.host && `on ${e.host}`, e.user && `by ${e.user}`, e.max_bytes && `up to ${e.max_bytes} bytes`];
  const what = [who.join(', '), `to ${e.destination}`, ...only.filter((part) => part !== undefined)].join(' ');
  return inspectText(`${e.id}  ${state.padEnd(8)} until ${e.expires}  ${what}  (${e.owner}: ${e.reason})`);
}
