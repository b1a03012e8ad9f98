import fc from 'fast-check';
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
  onHost,
  program,
  SECOND,
  start,
  type Theft,
} from '../join/world.ts';

type Item = FlowRecord | EndpointEvent;
const all = (...parts: readonly Theft[]): Item[] => parts.flatMap(({ flows, events }) => [...flows, ...events]);

const SIGNED = { signer: 'Example GmbH', signatureStatus: 'valid', product: 'Report' } as const;
const IMAGE = 'C:\\Program Files\\Report\\report.exe';
/** As a connection event tells of it: signer and command line come with the start. */
const bare = (entityId: string): ProcessRef => program(entityId, IMAGE, { signatureStatus: 'unknown' });

/** An archive and its upload on this day by a signed program. */
function upload(day: number): Theft {
  const at = MORNING + day * DAY;
  const entity = `tool-${day}`;
  const packer = program(`packer-${day}`, 'C:\\Tools\\pack.exe');
  const sent = flow(at + MINUTE, { port: 52_000 + day, sent: 8_020_000, received: 3_000, seconds: 20 });
  return {
    flows: [sent],
    events: [
      archive(at, packer, `C:\\Work\\q${day}.7z`, 8_000_000),
      start(at + 10 * SECOND, program(entity, IMAGE, { ...SIGNED, commandLine: `report.exe C:\\Work\\q${day}.7z` })),
      connection(at + MINUTE + SECOND, bare(entity), sent),
    ],
  };
}

/** Earlier flows of the same program to the same place, with its starts. */
function earlier(days: number): Theft {
  const before = history(days, bare('tool-before'), { ip: '203.0.113.7', name: 'drop.example.net' });
  const began = start(MORNING - (days + 1) * DAY, program('tool-before', IMAGE, SIGNED));
  return { flows: before.flows, events: [began, ...before.events] };
}

/** Work that makes a history for the organisation. */
const work = (days: number): Theft =>
  history(days, program('mail', 'C:\\Program Files\\Mail\\mail.exe'), { name: 'mail.example.org', ip: '198.51.100.9' });

describe('what comes days late', () => {
  it('gives the alerts that it would have given in time, in any order and any number of settles', async () => {
    const world = all(onHost(1, work(12)), onHost(1, upload(0)), onHost(2, earlier(2)), onHost(2, upload(1)));
    const whole = await alertsAfter([world]);
    expect(whole.length).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 4 }), { minLength: world.length, maxLength: world.length }),
        async (places) => {
          const steps = [0, 1, 2, 3, 4].map((step) => world.filter((_, i) => places[i] === step));
          expect(await alertsAfter(steps)).toEqual(whole);
        },
      ),
      { numRuns: 12 },
    );
  }, 60_000);

  it('makes a destination familiar after the fact', async () => {
    const known = all(onHost(2, earlier(5)));
    const theft = all(onHost(1, work(12)), onHost(1, upload(0)));
    const [alert] = await alertsAfter([[...known, ...theft]]);
    const late = await alertsAfter([theft, known]);
    expect(late).toEqual(alert === undefined ? [] : [alert]);
    expect(late).not.toEqual(await alertsAfter([theft]));
  });

  it('is judged by the signer that comes after the connection', async () => {
    const { flows, events } = earlier(5);
    const [began, ...rest] = events;
    const theft = all(work(12), upload(0));
    const inTime = await alertsAfter([[...flows, ...events, ...theft]]);
    expect(await alertsAfter([[...flows, ...rest], theft, [began!]])).toEqual(inTime);
  });

  it('makes a history that the first alerts had to do without', async () => {
    const young = all(onHost(1, upload(0)));
    const before = all(onHost(2, work(14)));
    expect(await alertsAfter([young, before])).toEqual(await alertsAfter([[...before, ...young]]));
  });

  it('changes a habit of packing', async () => {
    const packer = program('zipper', 'C:\\Tools\\pack.exe');
    const habit = Array.from({ length: 60 }, (_, i) =>
      archive(MORNING - 2 * DAY - i * 3 * HOUR, packer, `C:\\Work\\h${i}.7z`, 50_000 + i),
    );
    const theft = all(work(12), upload(0));
    const inTime = await alertsAfter([[...habit, ...theft]]);
    expect(await alertsAfter([theft, habit])).toEqual(inTime);
    expect(await alertsAfter([theft])).not.toEqual(inTime);
  });
});
