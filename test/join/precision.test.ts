import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent, ProcessRef } from '../../enrich/event/endpoint-event.ts';
import type { JoinResult } from '../../enrich/join/join-flow.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  connection,
  end,
  type FlowParts,
  flow,
  HOST,
  HOUR,
  lookUp,
  MINUTE,
  MORNING,
  program,
  SECOND,
  start,
} from './world.ts';

/** Joins by flow id, after everything has been settled once. */
async function joinsOf(
  flows: readonly FlowRecord[],
  events: readonly EndpointEvent[],
): Promise<Map<string, JoinResult>> {
  const enricher = new Enricher(openMemory(), defaultSettings());
  await enricher.putEvents(events);
  await enricher.putFlows(flows);
  const joins = new Map<string, JoinResult>();
  await enricher.settle(({ record, join }) => joins.set(record.waybill.flow_id, join));
  return joins;
}

async function joinOf(
  record: FlowRecord,
  events: readonly EndpointEvent[],
  others: readonly FlowRecord[] = [],
): Promise<JoinResult> {
  return (await joinsOf([...others, record], events)).get(record.waybill.flow_id)!;
}

const ja4 = 't13d190900_9dc949149365_97f8aa674fd9';
const curl = program('curl', 'C:\\Windows\\System32\\curl.exe', { pid: 700 });
const agent = program('agent', 'C:\\Agent\\agent.exe', { pid: 800 });
const known = (at: number): EndpointEvent => ({
  kind: 'host_address',
  id: `h-${at}`,
  feed: 'test',
  at,
  timeQuality: 'exact',
  host: HOST,
  ips: ['10.1.0.5'],
});

describe('a join', () => {
  it('names the process of the event with the same 5-tuple', async () => {
    const record = flow(MORNING, { port: 50_000 });
    const join = await joinOf(record, [connection(MORNING + SECOND, curl, record)]);
    expect(join).toMatchObject({ method: 'tuple', probability: 0.99, process: { entityId: 'curl' } });
  });

  it('follows a flow through an explicit proxy: the tuple is the proxy’s, the destination the CONNECT name', async () => {
    const record = flow(MORNING, { port: 50_000, ip: '10.1.0.250', remotePort: 3128, name: 'drop.example.net' });
    const browser = flow(MORNING + SECOND, {
      port: 50_001,
      ip: '10.1.0.250',
      remotePort: 3128,
      name: 'news.example.org',
    });
    const events = [connection(MORNING + SECOND, curl, record), connection(MORNING + 2 * SECOND, agent, browser)];
    const joins = await joinsOf([record, browser], events);
    expect(joins.get(record.waybill.flow_id)?.process?.entityId).toBe('curl');
    expect(joins.get(browser.waybill.flow_id)?.process?.entityId).toBe('agent');
  });

  it('compares the event of a closing with the end of the flow', async () => {
    const record = flow(MORNING, { port: 50_000, seconds: 3_000 });
    const join = await joinOf(record, [connection(MORNING + 3_001 * SECOND, curl, record, { phase: 'end' })]);
    expect(join).toMatchObject({ method: 'tuple', process: { entityId: 'curl' } });
  });

  it('lists both and names none when two processes claim one tuple at one time', async () => {
    const record = flow(MORNING, { port: 50_000 });
    const events = [
      connection(MORNING + SECOND, curl, record, { id: 'one' }),
      connection(MORNING + 2 * SECOND, agent, record, { id: 'two' }),
    ];
    const join = await joinOf(record, events);
    expect(join).toMatchObject({ method: 'ambiguous', probability: 0 });
    expect(join.process).toBeUndefined();
    expect(join.candidates.map((c) => c.process.entityId).sort()).toEqual(['agent', 'curl']);
  });

  it('tells two uses of one tuple apart by time, and is not misled by a pid that was used again', async () => {
    const first = flow(MORNING, { port: 50_000 });
    const second = flow(MORNING + 4 * MINUTE, { port: 50_000 });
    const reused = program('other', 'C:\\Tools\\other.exe', { pid: curl.pid! });
    const joins = await joinsOf(
      [first, second],
      [
        start(MORNING - MINUTE, curl),
        connection(MORNING + SECOND, curl, first),
        end(MORNING + MINUTE, curl),
        start(MORNING + 2 * MINUTE, reused),
        connection(MORNING + 4 * MINUTE + SECOND, reused, second),
      ],
    );
    expect(joins.get(first.waybill.flow_id)?.process?.entityId).toBe('curl');
    expect(joins.get(second.waybill.flow_id)?.process?.entityId).toBe('other');
  });

  it('takes an aggregated row as a lease, more surely inside its window than after it', async () => {
    const reported = flow(MORNING, { port: 50_000, ja4 });
    const opened = connection(MORNING + SECOND, agent, reported);
    const row = connection(MORNING, agent, reported, { id: 'row', aggregate: { until: MORNING + HOUR, count: 12 } });
    const later = (at: number) => joinOf(flow(MORNING + at, { port: 50_009, ja4 }), [opened, row], [reported]);
    const inside = await later(30 * MINUTE);
    const after = await later(90 * MINUTE);
    const long = await later(3 * HOUR);
    expect(inside).toMatchObject({ method: 'lease', probability: 0.85, process: { entityId: 'agent' } });
    expect(after).toMatchObject({ method: 'lease', probability: 0.7 });
    expect(long.process).toBeUndefined();
  });

  it('lists the owner of a remote port and names it not, unless its hello or its look-up bears it out', async () => {
    const before = flow(MORNING, { port: 50_000, ja4 });
    const opened = connection(MORNING + SECOND, curl, before);
    const late = (parts: Partial<FlowParts>) => flow(MORNING + 10 * MINUTE, { port: 50_001, ja4, ...parts });
    const named = await joinOf(late({}), [opened], [before]);
    expect(named).toMatchObject({ method: 'lease', probability: 0.7, process: { entityId: 'curl' } });
    const hinted = {
      method: 'lease',
      probability: 0,
      candidates: [{ probability: 0.7, process: { entityId: 'curl' } }],
    };
    for (const parts of [{ ja4: 't13d1516h2_8daaf6152771_02713d6af862' }, { name: 'other.example.net' }]) {
      const other = await joinOf(late(parts), [opened], [before]);
      expect(other).toMatchObject(hinted);
      expect(other.process).toBeUndefined();
    }
    const unseen = await joinOf(late({}), [opened]);
    expect(unseen).toMatchObject(hinted);
    expect(unseen.process).toBeUndefined();
    const asked = lookUp(MORNING + 10 * MINUTE - SECOND, curl, 'drop.example.net');
    expect(await joinOf(late({}), [opened, asked])).toMatchObject({ method: 'lease', process: { entityId: 'curl' } });
    expect((await joinOf(late({}), [opened, { ...asked, process: agent }])).process).toBeUndefined();
  });

  it('names no owner of a remote port when its program was started again in between, in any order of arrival', async () => {
    const before = flow(MORNING, { port: 50_000, ja4 });
    const late = flow(MORNING + 10 * MINUTE, { port: 50_001, ja4 });
    const opened = connection(MORNING + SECOND, curl, before);
    const again = start(MORNING + 9 * MINUTE, program('curl-2', curl.image!, { pid: 702 }));
    expect((await joinOf(late, [opened, again], [before])).process).toBeUndefined();
    const enricher = new Enricher(openMemory(), defaultSettings());
    const seen: (string | undefined)[] = [];
    const settle = () =>
      enricher.settle(({ record, join }) => {
        if (record.source.port === 50_001) seen.push(join.process?.entityId);
      });
    await enricher.putEvents([opened]);
    await enricher.putFlows([late]);
    await settle();
    await enricher.putFlows([before]);
    await settle();
    await enricher.putEvents([again]);
    await settle();
    expect(seen).toEqual([undefined, 'curl', undefined]);
  });

  it('gives no lease to a process that had ended, nor between two that share a remote port', async () => {
    const before = flow(MORNING, { port: 50_000, ja4 });
    const late = flow(MORNING + 10 * MINUTE, { port: 50_001, ja4 });
    const opened = connection(MORNING + SECOND, curl, before);
    expect(await joinOf(late, [opened], [before])).toMatchObject({ method: 'lease', process: { entityId: 'curl' } });
    expect((await joinOf(late, [opened, end(MORNING + MINUTE, curl)], [before])).method).toBe('none');
    const shared = await joinOf(late, [
      opened,
      connection(MORNING + MINUTE, agent, flow(MORNING + MINUTE, { port: 50_002 })),
    ]);
    expect(shared).toMatchObject({ method: 'ambiguous', probability: 0 });
  });

  it('gives no lease where another program of the host talked to the same remote port that day', async () => {
    const before = flow(MORNING, { port: 50_000, ja4 });
    const late = flow(MORNING + 10 * MINUTE, { port: 50_001, ja4 });
    const opened = connection(MORNING + SECOND, curl, before);
    const hoursAgo = (process: ProcessRef, hours: number): EndpointEvent => {
      const earlier = flow(MORNING - hours * HOUR, { port: 50_002 });
      return connection(MORNING - hours * HOUR, process, earlier);
    };
    const shared = await joinOf(late, [opened, hoursAgo(agent, 5)]);
    expect(shared).toMatchObject({ method: 'ambiguous', probability: 0, host: HOST });
    expect(shared.process).toBeUndefined();
    expect(shared.candidates.map((c) => c.process.entityId)).toEqual(['curl', 'agent']);

    const again = program('curl-before', curl.image!, { pid: 702 });
    const own = { method: 'lease', process: curl };
    expect(await joinOf(late, [opened, hoursAgo(again, 5)], [before])).toMatchObject(own);
    expect(await joinOf(late, [opened, hoursAgo(agent, 30)], [before])).toMatchObject(own);
    const row = connection(MORNING, curl, before, { id: 'row', aggregate: { until: MORNING + HOUR, count: 12 } });
    const inRow = await joinOf(late, [opened, row, hoursAgo(agent, 5)], [before]);
    expect(inRow).toMatchObject({ ...own, probability: 0.85 });
  });

  it('lays a flow to the host that had the address this morning, not to the one of yesterday', async () => {
    const soon = await joinOf(flow(MORNING + 5 * HOUR, { port: 50_000 }), [known(MORNING)]);
    const nextDay = await joinOf(flow(MORNING + 20 * HOUR, { port: 50_000 }), [known(MORNING)]);
    expect(soon.host?.id).toBe(HOST.id);
    expect(nextDay.host).toBeUndefined();
  });

  it('hears of a look-up that comes late, and of a second one that makes it ambiguous', async () => {
    const record = flow(MORNING, { port: 50_000 });
    const enricher = new Enricher(openMemory(), defaultSettings());
    const seen: string[] = [];
    const settle = () => enricher.settle(({ join }) => seen.push(join.method));
    await enricher.putEvents([known(MORNING)]);
    await enricher.putFlows([record]);
    await settle();
    await enricher.putEvents([lookUp(MORNING - SECOND, curl, 'drop.example.net')]);
    await settle();
    await enricher.putEvents([lookUp(MORNING - 2 * SECOND, agent, 'drop.example.net')]);
    await settle();
    expect(seen).toEqual(['none', 'dns', 'ambiguous']);
  });

  it('lists the only program known for a JA4 as a hint and names it not; with two known it has no hint', async () => {
    const matched = flow(MORNING, { port: 50_000, ip: '198.51.100.1', name: 'a.example.org', ja4 });
    const record = flow(MORNING + 10 * MINUTE, { port: 50_001, ja4 });
    const hinted = await joinOf(record, [connection(MORNING, curl, matched)], [matched]);
    expect(hinted).toMatchObject({ method: 'ja4', probability: 0, candidates: [{ probability: 0.3, method: 'ja4' }] });
    expect(hinted.process).toBeUndefined();
    const second = flow(MORNING + MINUTE, { port: 50_002, ip: '198.51.100.2', name: 'b.example.org', ja4 });
    const events = [connection(MORNING, curl, matched), connection(MORNING + MINUTE, agent, second)];
    expect((await joinOf(record, events, [matched, second])).method).toBe('ambiguous');
  });

  it('names nobody for a flow from behind an address translation', async () => {
    const inside = flow(MORNING, { port: 50_000 });
    const outside = flow(MORNING, { port: 50_000, source: '192.0.2.1' });
    expect(await joinOf(outside, [connection(MORNING, curl, inside)])).toMatchObject({
      method: 'none',
      candidates: [],
    });
  });
});

interface Life {
  readonly process: ProcessRef;
  readonly from: number;
  readonly to: number;
  readonly remote: number;
  /** What makes it differ from others. */
  readonly n: number;
}

/**
 * A day of processes that come and go with few pids and few remotes. A capped feed reports the first flow of a process to a
 * remote only; one that loses events loses every third connection and every third end, whichever it is, and tells of all
 * starts. Each program
 * has a TLS library of its own.
 */
function dayOf(seed: readonly number[], capped: boolean, lossy = false) {
  const flows: FlowRecord[] = [];
  const events: EndpointEvent[] = [];
  const truth = new Map<string, string>();
  const lives = seed.map((n, index): Life => {
    const from = MORNING + index * 2 * MINUTE;
    const process = program(`p${index}`, `C:\\Tools\\tool${n % 7}.exe`, { pid: 1000 + (n % 3) * 4 });
    return { process, from, to: from + ((n % 5) + 1) * 3 * MINUTE, remote: n % 4, n };
  });
  for (const [index, { process, from, to, remote, n }] of lives.entries()) {
    events.push(start(from, process));
    if (!lossy || n % 3 !== 0) events.push(end(to, process));
    for (let k = 0; k < 3; k++) {
      const at = from + 5 * SECOND + k * 40 * SECOND;
      // Few ports, so that a 5-tuple is used again after some time.
      const record = flow(at, {
        port: 50_000 + ((index * 3 + k) % 40),
        ip: `203.0.113.${remote}`,
        name: `r${remote}.example.org`,
        ja4: `t13d190900_9dc949149365_00000000000${n % 7}`,
      });
      flows.push(record);
      truth.set(record.waybill.flow_id, process.entityId);
      if (lossy && (n + k) % 3 === 1) continue;
      if (!capped || k === 0) events.push(connection(at + SECOND, process, record));
    }
  }
  return { flows, events, truth };
}

describe('joins against the truth of generated days', () => {
  it.each([
    ['a feed that reports everything', false, false, 1],
    ['a feed that reports one connection a process and remote', true, false, 0.3],
    ['a feed that caps and loses events', true, true, 0],
  ] as const)('names no wrong process with %s', async (_, capped, lossy, coverage) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000), { minLength: 10, maxLength: 40 }), async (seed) => {
        const { flows, events, truth } = dayOf(seed, capped, lossy);
        const joins = await joinsOf(flows, events);
        let named = 0;
        for (const [id, join] of joins) {
          if (!join.process) continue;
          named++;
          expect([id, join.process.entityId]).toEqual([id, truth.get(id)]);
        }
        expect(joins.size).toBe(flows.length);
        expect(named / flows.length).toBeGreaterThanOrEqual(coverage);
      }),
      { numRuns: 30 },
    );
  });
});
