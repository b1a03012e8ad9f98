import { describe, expect, it } from 'vitest';
import type { EndpointEvent, ProcessRef } from '../../enrich/event/endpoint-event.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  alertsAfter,
  archive,
  connection,
  DAY,
  flow,
  HOUR,
  history,
  MINUTE,
  MORNING,
  program,
  SECOND,
  start,
} from '../join/world.ts';

const ANN = { name: 'CORP\\ann', id: 'S-1-5-21-1-2-3-1001' };
const SYSTEM = { name: 'NT AUTHORITY\\SYSTEM', id: 'S-1-5-18' };

interface Body {
  readonly waybill: {
    readonly terms: readonly { readonly name: string; readonly db: number; readonly detail: string }[];
    readonly groups: readonly { readonly group: string; readonly db: number }[];
    readonly missing: readonly string[];
  };
}

/** A day's archive and upload at this time, by this program. */
function upload(at: number, parts: Partial<ProcessRef>): (FlowRecord | EndpointEvent)[] {
  const packer = program('packer', 'C:\\Tools\\pack.exe', { startedAt: at - MINUTE });
  const tool = program('tool', 'C:\\Tools\\report.exe', {
    commandLine: 'report.exe C:\\Work\\q.7z',
    startedAt: at,
    user: ANN,
    ...parts,
  });
  const sent = flow(at + MINUTE, { port: 52_000, sent: 8_020_000, received: 3_000, seconds: 20 });
  return [
    sent,
    start(at - MINUTE, packer),
    archive(at, packer, 'C:\\Work\\q.7z', 8_000_000),
    start(at + 10 * SECOND, tool),
    connection(at + MINUTE + SECOND, tool, sent),
  ];
}

/** Work of a user at this hour on so many days. */
const work = (days: number, user: ProcessRef['user'] = ANN): (FlowRecord | EndpointEvent)[] => {
  const { flows, events } = history(days, program('mail', 'C:\\Program Files\\Mail\\mail.exe', user ? { user } : {}));
  return [...flows, ...events];
};

async function terms(...items: readonly (FlowRecord | EndpointEvent)[][]): Promise<Map<string, number>> {
  const alerts = await alertsAfter([items.flat()]);
  expect(alerts).toHaveLength(1);
  return new Map((alerts[0]!.body as Body).waybill.terms.map(({ name, db }) => [name, db]));
}

describe('hours', () => {
  it('are odd when this user was never at work in them, as its own history has it', async () => {
    const night = MORNING + 11 * HOUR;
    expect((await terms(work(14), upload(night, {}))).get('off_hours')).toBe(2);
    expect((await terms(work(14), upload(MORNING, {}))).has('off_hours')).toBe(false);
  });

  it('next to usual ones are usual: clocks change by an hour', async () => {
    for (const hours of [-1, 1]) {
      expect((await terms(work(14), upload(MORNING + hours * HOUR, {}))).has('off_hours')).toBe(false);
    }
  });

  it('of another user, or of too short a history, say nothing', async () => {
    const night = MORNING + 11 * HOUR;
    expect((await terms(work(9), upload(night, {}))).has('off_hours')).toBe(false);
    const bob = { name: 'CORP\\bob', id: 'S-1-5-21-1-2-3-1002' };
    expect((await terms(work(14, bob), upload(night, {}))).has('off_hours')).toBe(false);
  });

  it('do not become usual by the theft itself', async () => {
    const night = MORNING + 11 * HOUR;
    const first = upload(night - DAY, {});
    const alerts = await alertsAfter([[...work(14), ...first]]);
    expect(alerts).toHaveLength(1);
    const again = await alertsAfter([[...work(14), ...first], upload(night, {})]);
    const names = again.map(({ body }) => (body as Body).waybill.terms.map((t) => t.name));
    for (const each of names) expect(each).toContain('off_hours');
  });
});

describe('a program', () => {
  it('that nobody here ever sent with is new, once there is a history', async () => {
    expect((await terms(work(14), upload(MORNING, {}))).get('new_in_org')).toBeCloseTo(5 - 0.03, 1);
    const before = history(2, program('old', 'C:\\Tools\\report.exe', { user: ANN }));
    const moved = <T extends { readonly port: number }>(source: T): T => ({ ...source, port: source.port + 500 });
    const known = [
      ...before.flows.map((each) => ({ ...each, source: moved(each.source) })),
      ...before.events.map((each) => (each.kind === 'connection' ? { ...each, source: moved(each.source) } : each)),
    ];
    expect((await terms(work(14), known, upload(MORNING, {}))).has('new_in_org')).toBe(false);
    expect((await terms(work(3), upload(MORNING, {}))).has('new_in_org')).toBe(false);
  });

  it('that runs where nobody is logged on counts, unless it is a signed service', async () => {
    const service = { user: SYSTEM, parent: { image: 'C:\\Windows\\System32\\services.exe', entityId: 'services' } };
    expect((await terms(work(14), upload(MORNING, service))).get('no_session')).toBe(2);
    const signed = { ...service, signer: 'Example Backup GmbH', signatureStatus: 'valid' } as const;
    expect((await terms(work(14), upload(MORNING, signed))).has('no_session')).toBe(false);
    const desktop = { parent: { image: 'C:\\Windows\\explorer.exe', entityId: 'explorer' } };
    expect((await terms(work(14), upload(MORNING, desktop))).has('no_session')).toBe(false);
  });
});

describe('circumstances', () => {
  it('never weigh more than three decibels together', async () => {
    const night = MORNING + 11 * HOUR;
    const [alert] = await alertsAfter([[...work(14), ...work(14, undefined), ...upload(night, { user: SYSTEM })]]);
    const group = (alert!.body as Body).waybill.groups.find(({ group: name }) => name === 'T');
    expect(group!.db).toBeLessThanOrEqual(3);
  });

  it('that are not known weigh nothing, and are said to be missing', async () => {
    const [alert] = await alertsAfter([upload(MORNING, {})]);
    const { terms: all, missing } = (alert!.body as Body).waybill;
    expect(all.map(({ name }) => name)).not.toContain('off_hours');
    expect(missing).toContain('no history of this user: its usual hours are not known');
  });
});
