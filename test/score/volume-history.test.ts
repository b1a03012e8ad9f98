import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { alertsAfter, archive, connection, flow, history, MINUTE, MORNING, program, SECOND } from '../join/world.ts';

const tool = program('tool', 'C:\\Tools\\report.exe', { commandLine: 'report.exe C:\\Work\\q.7z' });

async function unusual(days: number, sent: number): Promise<number | undefined> {
  const before = history(days, { ...tool, entityId: 'tool-before' }, { sent: 900_000 });
  const record = flow(MORNING + MINUTE, { port: 52_000, sent, received: 3_000 });
  const items: (FlowRecord | EndpointEvent)[] = [
    ...before.flows,
    ...before.events,
    record,
    archive(MORNING, tool, 'C:\\Work\\q.7z', sent - 4_000),
    connection(MORNING + MINUTE + SECOND, tool, record),
  ];
  const [alert] = await alertsAfter([items]);
  const { waybill } = alert!.body as { waybill: { terms: { name: string; db: number }[] } };
  return waybill.terms.find(({ name }) => name === 'volume_unusual')?.db;
}

describe('the volume of an episode', () => {
  it('weighs up to six decibels when this program never sent as much from this host', async () => {
    expect(await unusual(12, 9_000_000)).toBe(6);
    expect(await unusual(12, 950_000)).toBeUndefined();
  });

  it('weighs nothing while too few days are known', async () => {
    expect(await unusual(6, 9_000_000)).toBeUndefined();
  });
});
