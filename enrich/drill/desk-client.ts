import { z } from 'zod';
import { UserError } from '../../sensor/base/exit.ts';
import { Announced, type Announcement } from './announcement.ts';
import { DrillReport, POINTS } from './report.ts';
import type { Sighting } from './sightings.ts';

const REQUEST_MILLIS = 10_000;
/** Characters of an answer. */
const MAX_ANSWER = 4 << 20;

const text = z.string().max(1_000);
const Sightings = z.object({
  points: z
    .array(
      z.object({
        point: z.enum(POINTS),
        seen: z.boolean(),
        detail: text,
        at: text.optional(),
        id: text.optional(),
        mend: text.optional(),
      }),
    )
    .max(POINTS.length),
});
const History = z.object({
  drills: z.array(z.object({ id: text, host: text, at: text, report: DrillReport.optional() })),
});
export type DrillHistory = z.infer<typeof History>['drills'];

/** The service as a drill sees it. Every failure is a UserError with one line. */
export class DeskClient {
  private readonly service: string;
  private readonly token: string | undefined;

  /** @param service its address, `http://…` or `https://…` */
  constructor(service: string, token?: string) {
    this.service = service.replace(/\/+$/, '');
    this.token = token;
  }

  async announce(announcement: Announcement): Promise<z.infer<typeof Announced>> {
    return this.ask('POST', '/v1/drills', Announced, JSON.stringify(announcement));
  }

  async sightings(id: string, pid: number, thorough: boolean): Promise<readonly Sighting[]> {
    const path = `/v1/drills/${id}?pid=${pid}${thorough ? '&thorough=1' : ''}`;
    return (await this.ask('GET', path, Sightings)).points as readonly Sighting[];
  }

  async report(report: DrillReport): Promise<void> {
    await this.ask('POST', `/v1/drills/${report.id}/report`, z.unknown(), JSON.stringify(report));
  }

  async history(): Promise<DrillHistory> {
    return (await this.ask('GET', '/v1/drills', History)).drills;
  }

  /** Endpoint events, as an EDR would send them. */
  async push(documents: readonly object[]): Promise<void> {
    await this.ask('POST', '/v1/events', z.unknown(), documents.map((each) => JSON.stringify(each)).join('\n'));
  }

  private async ask<T>(method: string, path: string, shape: z.ZodType<T>, body?: string): Promise<T> {
    const what = `${method} ${this.service}${path.split('?', 1)[0]}`;
    let status: number;
    let answer: string;
    try {
      const response = await fetch(this.service + path, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(REQUEST_MILLIS),
        headers: {
          'content-type': 'application/json',
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        },
        ...(body === undefined ? {} : { body }),
      });
      status = response.status;
      answer = (await response.text()).slice(0, MAX_ANSWER);
    } catch (error) {
      const { message, cause } = error as Error;
      throw new UserError(`${what}: ${(cause as Error | undefined)?.message ?? message}`);
    }
    if (status === 401) throw new UserError(`${what}: a token with the scope for it is needed: --token-file`);
    if (status >= 300) throw new UserError(`${what}: ${status} ${answer.slice(0, 200).trim()}`);
    const read = shape.safeParse(parsed(answer));
    if (!read.success) throw new UserError(`${what}: the answer is not one of waybill enrich`);
    return read.data;
  }
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined; // no shape takes it
  }
}
