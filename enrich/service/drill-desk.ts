import { randomBytes } from 'node:crypto';
import { wallMicros } from '../../sensor/base/clock.ts';
import { formatMicros } from '../../sensor/base/timestamp.ts';
import { Announcement } from '../drill/announcement.ts';
import { DrillReport } from '../drill/report.ts';
import { sightingsOf } from '../drill/sightings.ts';
import { drillById, drillFact, isDrillId, newestDrills } from '../join/drill-mark.ts';
import type { Settings } from '../settings.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';
import { type HttpAnswer, HttpRefusal } from './http-answer.ts';

/** Drills of one history. */
const LISTED = 100;
const MINUTE = 60_000_000;

/** Where drills are announced, watched and reported. Every method throws HttpRefusal for what it does not take. */
export class DrillDesk {
  private readonly store: Store;
  private readonly settings: Settings;

  constructor(store: Store, settings: Settings) {
    this.store = store;
    this.settings = settings;
  }

  /** @param by name of the token */
  async announce(body: unknown, by: string): Promise<HttpAnswer> {
    const read = Announcement.safeParse(body);
    if (!read.success) throw new HttpRefusal(400, `no announcement of a drill: ${read.error.issues[0]?.message ?? ''}`);
    const { minutes, ...announced } = read.data;
    const from = wallMicros();
    const drill = { ...announced, id: randomBytes(16).toString('hex'), from, until: from + minutes * MINUTE, by };
    await storing(this.store.put([drillFact(drill)]));
    return { status: 201, json: { id: drill.id, until: formatMicros(drill.until) } };
  }

  async look(id: string, query: URLSearchParams): Promise<HttpAnswer> {
    const drill = await this.known(id);
    const pid = Number(query.get('pid') ?? 0);
    const options = { pid: Number.isSafeInteger(pid) ? pid : 0, thorough: query.get('thorough') === '1' };
    return { status: 200, json: { points: await storing(sightingsOf(this.store, this.settings, drill, options)) } };
  }

  async report(id: string, body: unknown): Promise<HttpAnswer> {
    const drill = await this.known(id);
    const read = DrillReport.safeParse(body);
    if (!read.success || read.data.id !== id) throw new HttpRefusal(400, 'no report of this drill');
    await storing(this.store.put([drillFact({ ...drill, report: read.data })]));
    return { status: 201, json: {} };
  }

  async history(): Promise<HttpAnswer> {
    return { status: 200, json: await storing(drillHistory(this.store)) };
  }

  private async known(id: string) {
    const drill = isDrillId(id) ? await storing(drillById(this.store, id)) : undefined;
    if (!drill) throw new HttpRefusal(404, 'no drill was announced under this id');
    return drill;
  }
}

/** The newest drills, newest first, with what they found. */
export async function drillHistory(store: Store) {
  const drills = await newestDrills(store, LISTED);
  return {
    drills: drills.map(({ id, host, to, by, from, report }) => ({ id, host, to, by, at: formatMicros(from), report })),
  };
}

async function storing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreError) throw new HttpRefusal(503, `the store does not answer: ${error.message}`, 2);
    throw error;
  }
}
