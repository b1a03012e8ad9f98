import type { FileEvent } from '../../event/endpoint-event.ts';

type FileKind = readonly [FileEvent['kind'], FileEvent['op']];

/** Words of an action, the most telling first; that a handle was opened for writing or deleting is neither. */
const ACTIONS: readonly (readonly [word: string, kind: FileKind])[] = [
  ['ACTION_FILE_CREATE', ['file_write', 'create']],
  ['ACTION_FILE_RENAME', ['file_write', 'rename']],
  ['ACTION_FILE_LAST_WRITE', ['file_write', 'modify']],
  ['ACTION_FILE_WRITE', ['file_write', 'modify']],
  ['ACTION_FILE_TRUNCATE', ['file_write', 'modify']],
  ['ACTION_FILE_DELETE', ['file_delete', 'delete']],
  ['ACTION_FILE_OPEN_READ', ['file_read', 'open']],
  ['CREATE', ['file_write', 'create']],
  ['WRITE', ['file_write', 'modify']],
  ['LASTWRITE', ['file_write', 'modify']],
  ['RENAME', ['file_write', 'rename']],
  ['DELETE', ['file_delete', 'delete']],
];

/** What was done to a file: `ACTION_FILE_CREATE | ACTION_FILE_OPEN_WRITE` of the Cloud, `create` of EDR. */
export function fileAction(action: string): FileKind | undefined {
  const words = new Set(
    action
      .slice(0, 512)
      .split('|')
      .map((word) => word.trim().toUpperCase()),
  );
  return ACTIONS.find(([word]) => words.has(word))?.[1];
}
