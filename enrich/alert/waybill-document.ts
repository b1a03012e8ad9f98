import type { ProcessRef } from '../event/endpoint-event.ts';
import type { WaybillLine } from '../join/join-flow.ts';
import { joinFields } from './join-fields.ts';

/** A joined flow: the flow record with the process, user and host that made it, as far as evidence supports one. */
export function joinedDocument({ record, join, drill }: WaybillLine): Record<string, unknown> {
  const process = join.process;
  return {
    ...record,
    ...(join.host ? { host: { id: join.host.id, ...(join.host.name ? { name: join.host.name } : {}) } } : {}),
    ...(process ? { process: ecsProcess(process) } : {}),
    ...(process?.user ? { user: process.user } : {}),
    waybill: {
      ...record.waybill,
      ...(drill === undefined ? {} : { drill }),
      join: joinFields(join),
    },
  };
}

/** ECS process fields of what is known of a process. */
export function ecsProcess(p: ProcessRef): Record<string, unknown> {
  return {
    entity_id: p.entityId,
    pid: p.pid,
    executable: p.image,
    name: p.image?.split(/[\\/]/).at(-1),
    command_line: p.commandLine,
    hash: p.hashes,
    code_signature: p.signer || p.signatureStatus ? { subject_name: p.signer, status: p.signatureStatus } : undefined,
    pe: p.originalName ? { original_file_name: p.originalName } : undefined,
    parent: p.parent
      ? {
          entity_id: p.parent.entityId,
          pid: p.parent.pid,
          executable: p.parent.image,
          command_line: p.parent.commandLine,
        }
      : undefined,
  };
}
