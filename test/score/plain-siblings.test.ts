import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { alertsAfter, connection, history, program, SECOND, theft } from '../join/world.ts';

interface Body {
  readonly source: { readonly bytes: number };
  readonly tls?: object;
  readonly waybill: {
    readonly terms: readonly { readonly name: string; readonly db: number; readonly detail: string }[];
  };
}

/** The record as the sensor writes it of a connection in plain text. */
function plain({ tls: _, ...record }: FlowRecord, port: number, bytes: number): FlowRecord {
  const { protocol: __, ...network } = record.network;
  return {
    ...record,
    network,
    source: { ...record.source, port, bytes },
    waybill: { ...record.waybill, flow_id: `plain-${port}` },
  };
}

/**
 * The sender talks over TLS and sends the archive beside it, in plain text: 8.02 MB by itself, or in parts.
 * @param parts bytes of each plain connection
 */
function sentBeside(parts: readonly number[], by?: string): (FlowRecord | EndpointEvent)[] {
  const { flows, events } = theft();
  const whole = flows.at(-1)!;
  const sender = events.find((event) => event.kind === 'connection' && event.id === `c-${whole.waybill.flow_id}`);
  if (sender?.kind !== 'connection') throw new Error('the theft has a connection event');
  const talk = { ...whole, source: { ...whole.source, bytes: 30_000 } };
  const process = by === undefined ? sender.process : program(by, 'C:\\Program Files\\Other\\other.exe', { pid: 900 });
  const beside = parts.map((bytes, i) => plain(whole, 52_000 + i, bytes));
  const told = beside.map((record, i) => connection(sender.at + (i + 1) * SECOND, process, record));
  return [...flows.slice(0, -1), talk, ...beside, ...events, ...told];
}

const balance = (body: Body) => body.waybill.terms.find(({ name }) => name === 'byte_balance');

describe('bytes that a program sends in plain text beside its encrypted connection', () => {
  it('count: the theft is told as if they had been encrypted, and says how many were not', async () => {
    const [all] = await alertsAfter([[...theft().flows, ...theft().events]]);
    const [alert] = await alertsAfter([sentBeside([7_990_000])]);
    const body = alert!.body as Body;
    expect(body.source.bytes).toBe(8_020_000);
    expect(balance(body)!.db).toBeCloseTo(balance(all!.body as Body)!.db, 6);
    expect(balance(body)!.detail).toContain('8.02 MB sent (7.99 MB of it in plain text) against 8.00 MB packed');
    expect(body.tls).toBeDefined();
  });

  it('count in any number of connections', async () => {
    const [alert] = await alertsAfter([sentBeside([4_000_000, 3_990_000])]);
    expect(balance(alert!.body as Body)!.detail).toContain('ratio 1.002');
  });

  it('count for nobody when another program sent them', async () => {
    const [alert] = await alertsAfter([sentBeside([7_990_000], 'other')]);
    const body = alert?.body as Body | undefined;
    expect(body?.source.bytes ?? 30_000).toBe(30_000);
    expect(JSON.stringify(body ?? {})).not.toContain('plain text');
  });

  it('are no episode by themselves: the analytic is about encrypted connections', async () => {
    const { flows, events } = theft();
    const bare = flows.map((flow) => (flow.source.port === 51_000 ? plain(flow, 51_000, flow.source.bytes) : flow));
    expect(await alertsAfter([[...bare, ...events]])).toEqual([]);
  });

  it('make no destination familiar', async () => {
    const { flows, events } = theft();
    const sender = program('sender', 'C:\\Users\\ann\\AppData\\Local\\Temp\\up.exe');
    const before = history(10, sender, { ip: '203.0.113.7', name: 'drop.example.net' });
    const inPlain = before.flows.map((flow) => plain(flow, flow.source.port, 100_000));
    const rungs = async (earlier: readonly FlowRecord[]) => {
      const [alert] = await alertsAfter([[...earlier, ...before.events, ...flows, ...events]]);
      return (alert?.body as Body | undefined)?.waybill.terms
        .map(({ name }) => name)
        .filter((name) => /_F\d$/.test(name));
    };
    expect(await rungs(inPlain)).toEqual(['familiarity_F0']);
    expect(await rungs(before.flows)).not.toEqual(['familiarity_F0']);
  });
});
