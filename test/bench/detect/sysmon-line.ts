/** Endpoint events written back as Sysmon's records, so that a share of them goes through the reader of feeds. */
import type { EndpointEvent, ProcessRef } from '../../../enrich/event/endpoint-event.ts';

/** One record as JSON text; undefined for kinds that Sysmon has no record of. */
export function sysmonLine(event: EndpointEvent, number: number): string | undefined {
  const made = recordOf(event);
  if (made === undefined) return undefined;
  const utc = new Date(event.at / 1000).toISOString();
  const fields = { RuleName: '-', UtcTime: utc.replace('T', ' ').slice(0, 23), ...made.fields };
  return JSON.stringify({
    '@timestamp': utc,
    winlog: {
      channel: 'Microsoft-Windows-Sysmon/Operational',
      provider_name: 'Microsoft-Windows-Sysmon',
      event_id: made.id,
      record_id: number,
      computer_name: `${event.host.name}.corp.example`,
      event_data: fields,
    },
  });
}

type Fields = Readonly<Record<string, string>>;

function recordOf(event: EndpointEvent): { readonly id: number; readonly fields: Fields } | undefined {
  switch (event.kind) {
    case 'process_start':
      return { id: 1, fields: { ...who(event.process), ...startOf(event.process) } };
    case 'process_end':
      return { id: 5, fields: who(event.process) };
    case 'connection':
      return {
        id: 3,
        fields: {
          ...who(event.process),
          Protocol: event.transport,
          Initiated: 'true',
          SourceIp: event.source.ip,
          SourcePort: String(event.source.port),
          DestinationIp: event.destination.ip,
          DestinationPort: String(event.destination.port),
        },
      };
    case 'file_write':
      return event.op === 'create'
        ? { id: 11, fields: { ...who(event.process), TargetFilename: event.path } }
        : undefined;
    case 'file_delete':
      return { id: 23, fields: { ...who(event.process), TargetFilename: event.path } };
    case 'dns_query':
      return {
        id: 22,
        fields: {
          ...who(event.process),
          QueryName: event.name,
          QueryStatus: '0',
          QueryResults: event.answers.map((ip) => `::ffff:${ip};`).join(''),
        },
      };
    default:
      return undefined;
  }
}

const who = ({ entityId, pid, image, user }: ProcessRef): Fields => ({
  ProcessGuid: `{${entityId}}`,
  ProcessId: String(pid),
  Image: image ?? '',
  User: `${user?.domain}\\${user?.name}`,
});

const startOf = (process: ProcessRef): Fields => ({
  OriginalFileName: process.originalName ?? '-',
  Product: process.product ?? '-',
  Company: process.company ?? '-',
  CommandLine: process.commandLine ?? '',
  CurrentDirectory: process.currentDirectory ?? 'C:\\Windows\\System32\\',
  LogonId: process.logonId ?? '0x3e7',
  ParentProcessGuid: `{${process.parent?.entityId ?? '00000000-0000-0000-0000-000000000000'}}`,
  ParentProcessId: String(process.parent?.pid ?? 0),
  ParentImage: process.parent?.image ?? '',
  ParentCommandLine: process.parent?.commandLine ?? '',
});
