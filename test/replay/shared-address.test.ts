import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinFields } from '../../enrich/alert/join-fields.ts';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import type { JoinResult } from '../../enrich/join/join-flow.ts';
import { readSettings, type Settings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { asDefend } from '../build/defend-event.ts';
import { archive, connection, DAY, flow, MINUTE, MORNING, program, SECOND, start } from '../join/world.ts';

const GATEWAY = '10.9.0.1';
const SIZE = 8_000_000;
const run = promisify(execFile);
const waybill = (...args: string[]) =>
  run(process.execPath, ['--import', 'tsx', 'enrich/cli/main.ts', ...args], { maxBuffer: 64 * 2 ** 20 });

let directory: string;
let settings: Settings;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-shared-'));
  const config = join(directory, 'waybill.yaml');
  writeFileSync(config, `translators: [{ address: ${GATEWAY}, inside: [192.168.8.0/24, 'fd00::/8'] }]\n`);
  settings = readSettings(config);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** An event of another host, with that host's address. */
const by = (n: number, event: EndpointEvent): EndpointEvent => ({
  ...event,
  id: `${event.id}@${n}`,
  host: { id: `in0${n}`, name: `IN0${n}`, ips: [`192.168.8.${n}`] },
  ...(event.kind === 'connection' ? { source: { ip: `192.168.8.${n}`, port: 50_000 + n } } : {}),
});

const sent = flow(MORNING + 2 * MINUTE, {
  ...{ port: 61_000, source: GATEWAY, sent: SIZE + 20_000, received: 3_000, seconds: 20 },
});
const packer = program('packer', 'C:\\Tools\\7z.exe', { pid: 5100 });
const tool = program('tool', 'C:\\Users\\ann\\up.exe', { pid: 5200, commandLine: 'up.exe C:\\Work\\q.7z' });
const other = program('other', 'C:\\Program Files\\Mail\\mail.exe', { pid: 1200 });
/** Host 1 packs and sends; both are behind the gateway. */
const robbed = [
  by(1, archive(MORNING, packer, 'C:\\Work\\q.7z', SIZE)),
  by(1, start(MORNING + 2 * MINUTE - 5 * SECOND, tool)),
  by(1, connection(MORNING + 2 * MINUTE + SECOND, tool, sent)),
];
const neighbour = by(2, connection(MORNING + 2 * MINUTE + 20 * SECOND, other, sent));
const hourBefore = by(3, connection(MORNING - 30 * MINUTE, other, sent));
const elsewhere = by(4, connection(MORNING + 2 * MINUTE, other, flow(MORNING, { port: 1, ip: '203.0.113.80' })));

interface Seen {
  readonly join: JoinResult | undefined;
  readonly hosts: readonly string[];
  /** Of the alert about host 1. */
  readonly db: number | undefined;
}

async function see(items: readonly (FlowRecord | EndpointEvent)[], with_ = settings, steps = false): Promise<Seen> {
  const store = openMemory();
  const enricher = new Enricher(store, with_);
  let found: JoinResult | undefined;
  const settle = () =>
    enricher.settle(({ record, join: how }) => {
      if (record.waybill.flow_id === sent.waybill.flow_id) found = how;
    });
  for (const item of items) {
    await ('kind' in item ? enricher.putEvents([item]) : enricher.putFlows([item]));
    if (steps) await settle();
  }
  await settle();
  const alerts = (await store.listAlerts({ limit: 10 })).map(
    ({ body }) => body as { host: { id: string }; waybill: { score_db: number }; process?: object },
  );
  for (const alert of alerts) expect(alert.process).toBeUndefined();
  const own = alerts.find(({ host }) => host.id === 'in01');
  return { join: found, hosts: alerts.map(({ host }) => host.id), db: own?.waybill.score_db };
}

describe('a flow from a gateway that translates addresses', () => {
  it('lists those inside that talked to the same place at the time, and names nobody', async () => {
    const { join: how, hosts } = await see([sent, ...robbed, neighbour, hourBefore, elsewhere]);
    expect(how).toMatchObject({ method: 'translated', probability: 0 });
    expect(how?.host).toBeUndefined();
    expect(how?.process).toBeUndefined();
    const { candidates, hosts: chances } = joinFields(how!) as {
      candidates: { executable: string; host: string; probability: number }[];
      hosts: { id: string; probability: number }[];
    };
    expect(candidates.map(({ host, executable }) => [host, executable])).toEqual([
      ['in01', tool.image],
      ['in02', other.image],
      ['in03', other.image],
    ]);
    // Equal for two that told of it at the time, a quarter for one that had told of it before; 0.8 together.
    expect(chances.map(({ id, probability }) => [id, probability])).toEqual([
      ['in01', 0.3556],
      ['in02', 0.3556],
      ['in03', 0.0889],
    ]);
    expect(hosts).toEqual(['in01']);
  });

  it('is no surer of one than that it was among those who tell', async () => {
    const alone = await see([sent, ...robbed]);
    expect(alone.join?.hosts).toMatchObject([{ host: { id: 'in01' }, probability: 0.8 }]);
    expect(alone.join?.process).toBeUndefined();
    const two = await see([sent, ...robbed, neighbour]);
    const three = await see([sent, ...robbed, neighbour, hourBefore]);
    expect(two.db!).toBeCloseTo(alone.db! - 10 * Math.log10(2), 1);
    expect(three.db!).toBeLessThan(two.db!);
  });

  it('comes to the same in any order, one by one or together, and twice', async () => {
    const items = [sent, ...robbed, neighbour, hourBefore];
    const whole = await see(items);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(items, { minLength: items.length }), fc.boolean(), async (order, steps) => {
        expect(await see([...order, ...order], settings, steps)).toEqual(whole);
      }),
      { numRuns: 6 },
    );
  });

  it('is nobody’s without the setting, and not of hosts outside or of other hours', async () => {
    const plain = await see([sent, ...robbed, neighbour], readSettings(emptyConfig()));
    expect(plain).toMatchObject({ join: { method: 'none', candidates: [] }, hosts: [], db: undefined });
    const late = by(5, connection(MORNING + 5 * MINUTE, other, sent));
    const yesterday = by(6, connection(MORNING - DAY, other, sent));
    expect((await see([sent, late, yesterday])).join).toMatchObject({ method: 'none', candidates: [] });
  });

  it('is told by replay and explain', async () => {
    const lines = (name: string, all: readonly unknown[]): string => {
      writeFileSync(join(directory, name), all.map((each) => `${JSON.stringify(each)}\n`).join(''));
      return join(directory, name);
    };
    const flows = lines('flows.jsonl', [sent]);
    const events = lines('defend.jsonl', [...robbed, neighbour].map(asDefend));
    const data = join(directory, 'data');
    const config = join(directory, 'waybill.yaml');
    const options = ['--flows', flows, '--endpoint', events, '--config', config, '--data', data, '--all'];
    const { stdout } = await waybill('replay', ...options);
    const [joined, ...alerts] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(joined.waybill.join).toMatchObject({
      method: 'translated',
      hosts: [{ probability: 0.4 }, { probability: 0.4 }],
      candidates: [{ executable: tool.image }, { executable: other.image }],
    });
    expect(joined.process).toBeUndefined();
    expect(alerts).toHaveLength(1);
    expect(alerts[0].message).toContain('or another host of this address: 40 %');
    const explained = await waybill('explain', alerts[0].event.id, '--data', data);
    expect(explained.stdout).toContain('perhaps host IN01, probability 0.4');
    expect(explained.stdout).toMatch(
      /shared_address: 2 hosts told of a connection .* this host with probability 0\.40/,
    );
    expect(explained.stdout).toMatch(
      /candidate C:\\Users\\ann\\up\.exe \[5200\] on \S+ {2}translated, probability 0\.4/,
    );
  }, 240_000);
});

describe('an address that two hosts claim in one hour', () => {
  const claim = (n: number, name: string | undefined): EndpointEvent => {
    const event = start(MORNING + n * MINUTE, program(`p${n}`, 'C:\\Windows\\explorer.exe'));
    return { ...event, id: `claim-${n}`, host: { id: `vdi${n}`, ips: ['10.1.0.5'], ...(name ? { name } : {}) } };
  };
  const own = flow(MORNING + 10 * MINUTE, { port: 61_500 });
  const of = async (events: readonly EndpointEvent[]): Promise<JoinResult | undefined> => {
    const enricher = new Enricher(openMemory(), settings);
    let found: JoinResult | undefined;
    await enricher.putEvents(events);
    await enricher.putFlows([own]);
    await enricher.settle((line) => {
      found = line.join;
    });
    return found;
  };

  it('is of either, and of none of them for sure', async () => {
    const how = await of([claim(1, 'VDI1'), claim(2, 'VDI2')]);
    expect(how).toMatchObject({ method: 'shared', probability: 0 });
    expect(how?.host).toBeUndefined();
    expect(how?.hosts?.map(({ host, probability }) => [host.id, probability])).toEqual([
      ['vdi1', 0.5],
      ['vdi2', 0.5],
    ]);
  });

  it('is of the one whose event names this very connection', async () => {
    const who = program('who', 'C:\\Tools\\a.exe');
    const event = { ...connection(MORNING + 10 * MINUTE, who, own), host: { id: 'vdi2', name: 'VDI2' } };
    expect(await of([claim(1, 'VDI1'), claim(2, 'VDI2'), event])).toMatchObject({
      ...{ method: 'tuple', host: { id: 'vdi2' }, process: { entityId: 'who' } },
    });
  });

  it('is of one machine that two feeds know by two ids', async () => {
    expect(await of([claim(1, 'VDI1'), claim(2, 'vdi1.corp.example')])).toMatchObject({ host: { id: 'vdi1' } });
    expect(await of([claim(1, 'VDI1'), claim(2, undefined)])).toMatchObject({ host: { id: 'vdi1' } });
  });
});

function emptyConfig(): string {
  const path = join(directory, 'empty.yaml');
  writeFileSync(path, 'score: {}\n');
  return path;
}
