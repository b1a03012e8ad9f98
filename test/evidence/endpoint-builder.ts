import type { FileEvent, ImageLoad, ParentRef, ProcessRef, ProcessStart } from '../../enrich/event/endpoint-event.ts';

/** Events of one host with sensible defaults; tests name only what matters to them. */
const HOST = { id: 'host-1', name: 'WS01' } as const;
const base = (id: string, at: number) => ({ id, feed: 'sysmon', at, timeQuality: 'exact', host: HOST }) as const;

export function process(fields: Partial<ProcessRef> = {}): ProcessRef {
  return {
    entityId: 'p-1',
    entityKind: 'vendor',
    pid: 4711,
    image: 'C:\\Tools\\tool.exe',
    user: { name: 'CORP\\alice', id: 'S-1-5-21-1-2-3-1104' },
    currentDirectory: 'C:\\Work\\',
    ...fields,
  };
}

export const parent = (fields: Partial<ParentRef>): ParentRef => ({ entityId: 'p-0', ...fields });

export function start(commandLine: string, fields: Partial<ProcessRef> = {}, at = 1_000_000, id = 'e-1'): ProcessStart {
  return { ...base(id, at), kind: 'process_start', process: process({ commandLine, ...fields }) };
}

export function file(
  path: string,
  fields: Partial<Omit<FileEvent, 'process'>> & { process?: Partial<ProcessRef> } = {},
): FileEvent {
  const { process: writer, ...rest } = fields;
  return {
    ...base(rest.id ?? `f:${path}:${rest.at ?? 0}`, rest.at ?? 2_000_000),
    kind: 'file_write',
    op: 'create',
    path,
    ...rest,
    process: process(writer),
  };
}

export function load(path: string, image: string): ImageLoad {
  return { ...base(`l:${path}`, 3_000_000), kind: 'image_load', path, process: process({ image }) };
}
