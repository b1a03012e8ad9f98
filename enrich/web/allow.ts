import type { IncomingMessage } from 'node:http';
import { UserError } from '../../sensor/base/exit.ts';
import { covers, type Exception } from '../alert/exception.ts';
import { exceptionOf, keepException, readExceptions, removeException } from '../alert/exception-file.ts';
import { type HttpAnswer, HttpRefusal } from '../service/http-answer.ts';
import type { Tokens } from '../service/tokens.ts';
import type { Store, StoredAlert } from '../store/store.ts';
import { summaryOf } from './alert-summary.ts';
import { checkSameOrigin } from './headers.ts';
import type { ExceptionPreview, ExceptionsAnswer } from './view.ts';

/** Stored alerts that an exception is tried on, the newest, and alerts of one read. */
const MAX_ALERTS = 10_000;
const PAGE = 500;
/** Covered alerts that a preview names. */
const LISTED = 20;
const CAPPED = `Only the newest ${MAX_ALERTS} alerts were looked at.`;

export interface AllowSources {
  readonly store: Store;
  readonly tokens: Tokens;
  /** Directory of the exceptions, as `waybill allow --data` has it. */
  readonly exceptions?: string;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** All exceptions with what they cover, and whether this token may change them. */
export async function listExceptions(request: IncomingMessage, sources: AllowSources): Promise<HttpAnswer> {
  const { exceptions: directory, now } = sources;
  const known = directory === undefined ? [] : refusing(() => readExceptions(directory));
  const uses = new Map<string, number>();
  const { capped } =
    known.length === 0
      ? { capped: false }
      : await eachAlert(sources.store, (alert) => {
          for (const each of known) if (covers(each, alert)) uses.set(each.id, (uses.get(each.id) ?? 0) + 1);
        });
  const answer: ExceptionsAnswer = {
    exceptions: known.map((each) => {
      return { ...each, uses: uses.get(each.id) ?? 0, expired: Date.parse(each.expires) <= now() };
    }),
    ...(capped ? { capped: CAPPED } : {}),
    ...whyNot(request, sources),
  };
  return { status: 200, json: answer };
}

/** What an exception would cover, keeping nothing: the rule that `waybill allow check` goes by. */
export async function previewException(fields: unknown, { store }: AllowSources): Promise<HttpAnswer> {
  const exception = entered(fields);
  const alerts: StoredAlert[] = [];
  let covered = 0;
  const { looked, capped } = await eachAlert(store, (alert) => {
    if (!covers(exception, alert)) return;
    covered++;
    if (alerts.length < LISTED) alerts.push(alert);
  });
  const answer: ExceptionPreview = {
    covered,
    looked,
    alerts: alerts.map(summaryOf),
    ...(capped ? { capped: CAPPED } : {}),
  };
  return { status: 200, json: answer };
}

/** Keeps an exception; in force within a second where a service runs. */
export function addException(request: IncomingMessage, fields: unknown, sources: AllowSources): HttpAnswer {
  const directory = changeable(request, sources);
  const exception = entered(fields);
  if (Date.parse(exception.expires) <= sources.now()) throw new HttpRefusal(400, 'expires: this day is over');
  refusing(() => keepException(directory, exception));
  return { status: 201, json: exception };
}

export function dropException(request: IncomingMessage, id: string, sources: AllowSources): HttpAnswer {
  const directory = changeable(request, sources);
  if (!refusing(() => removeException(directory, id))) throw new HttpRefusal(404, 'no exception has this id');
  return { status: 200, json: {} };
}

function changeable(request: IncomingMessage, sources: AllowSources): string {
  checkSameOrigin(request);
  const { why } = whyNot(request, sources);
  if (why !== undefined || sources.exceptions === undefined) throw new HttpRefusal(403, why ?? '');
  return sources.exceptions;
}

function whyNot(request: IncomingMessage, { tokens, exceptions }: AllowSources): { why?: string } {
  if (exceptions === undefined) return { why: 'This console has no exceptions: it runs without a data directory.' };
  if (tokens.nameFor(request, 'allow') !== undefined) return {};
  return { why: 'This token may look but not allow: it lacks the scope allow.' };
}

function entered(fields: unknown): Exception {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new HttpRefusal(400, 'expected an object');
  return refusing(() => exceptionOf(fields as Readonly<Record<string, unknown>>), 400);
}

/** What a user is told on the command line, as a refusal. */
function refusing<T>(work: () => T, status = 409): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw new HttpRefusal(status, error.message);
    throw error;
  }
}

/** From the newest back, page by page, so that no more than a page of documents is in memory. */
async function eachAlert(
  store: Store,
  look: (alert: StoredAlert) => void,
): Promise<{ readonly looked: number; readonly capped: boolean }> {
  let looked = 0;
  let before: number | undefined;
  let atEdge = new Set<string>();
  for (;;) {
    const page = await store.listAlerts({ limit: PAGE, ...(before === undefined ? {} : { before }) });
    const fresh = page.filter(({ id }) => !atEdge.has(id));
    for (const alert of fresh) {
      if (looked >= MAX_ALERTS) return { looked, capped: true };
      look(alert);
      looked++;
    }
    const oldest = page.at(-1)?.at;
    if (page.length < PAGE || oldest === undefined) return { looked, capped: false };
    // Alerts of one moment may lie on both sides of the edge; a whole page of one moment is passed by.
    atEdge = new Set(page.filter(({ at }) => at === oldest).map(({ id }) => id));
    before = fresh.length === 0 ? oldest : oldest + 0.5;
  }
}
