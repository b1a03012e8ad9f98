import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { formatMicros } from '../../sensor/base/timestamp.ts';

/** An event as Elastic Defend writes it: starts, created archives and connections. */
export function asDefend(event: EndpointEvent): object {
  const { kind, at, host } = event;
  if (kind !== 'process_start' && kind !== 'file_write' && kind !== 'connection') throw new Error(kind);
  const { entityId, pid, image, commandLine, parent, signatureStatus, user } = event.process;
  const [dataset, action] = {
    process_start: ['process', 'start'],
    file_write: ['file', 'creation'],
    connection: ['network', 'connection_attempted'],
  }[kind] as [string, string];
  const [domain, name] = user?.name?.split('\\') ?? [];
  return {
    '@timestamp': formatMicros(at),
    event: { module: 'endpoint', dataset: `endpoint.events.${dataset}`, action, id: event.id },
    host: { name: host.name, ip: host.ips },
    user: { name, domain, id: user?.id },
    process: {
      entity_id: entityId,
      pid,
      executable: image,
      command_line: commandLine,
      ...(parent ? { parent: { entity_id: parent.entityId, executable: parent.image } } : {}),
      ...(signatureStatus === 'unsigned' ? { code_signature: { exists: false } } : {}),
    },
    ...(kind === 'file_write'
      ? { file: { path: event.path, size: event.size, Ext: { header_bytes: '377abcaf271c0004' } } }
      : {}),
    ...(kind === 'connection'
      ? {
          source: event.source,
          destination: event.destination,
          network: { transport: 'tcp', direction: 'egress' },
        }
      : {}),
  };
}
