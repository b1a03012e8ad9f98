import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { RecordSplitter } from '../../enrich/ingest/record-splitter.ts';
import { AT_MILLIS, TUPLE } from '../build/read-records.ts';

/** Events of a table, and whether any of it was damaged. */
function readTable(rows: readonly (readonly string[])[]): { events: EndpointEvent[]; damage: number } {
  const reader = new FeedNormalizer();
  const events: EndpointEvent[] = [];
  let damage = 0;
  const splitter = new RecordSplitter({
    record: (piece) => events.push(...reader.normalize(piece.row ?? piece.text)),
    damage: () => damage++,
  });
  splitter.push(rows.map((row) => row.map((cell) => `"${cell}"`).join(',')).join('\n'));
  splitter.end();
  return { events: [...events, ...reader.drain()], damage };
}

const STAMP = 'May 14, 2024 @ 12:00:00.123';

describe('a table that Kibana exported', () => {
  it('is read for Elastic Defend, numbers with their separators', () => {
    const header =
      '@timestamp,event.action,event.dataset,event.module,host.name,process.pid,process.executable,source.ip,source.port';
    const rest = 'destination.ip,destination.port,network.transport,network.direction';
    const cells = [STAMP, 'connection_attempted', 'endpoint.events.network', 'endpoint', 'pc1', '4,660', 'C:\\x.exe'];
    const ends = ['10.1.2.3', '50,123', '203.0.113.9', '443', 'tcp', 'egress'];
    expect(
      readTable([
        [...header.split(','), ...rest.split(',')],
        [...cells, ...ends],
      ]),
    ).toMatchObject({
      events: [{ kind: 'connection', at: AT_MILLIS, process: { pid: 4660 }, direction: 'egress', ...TUPLE }],
      damage: 0,
    });
  });

  it('is read for Winlogbeat', () => {
    const names = ['@timestamp', 'winlog.event_id', 'winlog.channel', 'winlog.provider_name', 'winlog.computer_name'];
    const data = ['NewProcessId', 'NewProcessName'].map((name) => `winlog.event_data.${name}`);
    const row = [
      STAMP,
      '4,688',
      'Security',
      'Microsoft-Windows-Security-Auditing',
      'pc1',
      '0x1234',
      'C:\\Tools\\rar.exe',
    ];
    expect(readTable([[...names, ...data], row])).toMatchObject({
      events: [{ kind: 'process_start', at: AT_MILLIS, process: { pid: 4660, image: 'C:\\Tools\\rar.exe' } }],
      damage: 0,
    });
  });
});
