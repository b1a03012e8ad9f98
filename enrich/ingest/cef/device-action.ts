import type { FileEvent } from '../../event/endpoint-event.ts';

export type DeviceAction =
  | { readonly on: 'process'; readonly kind: 'process_start' | 'process_end' }
  | { readonly on: 'file'; readonly kind: FileEvent['kind']; readonly op: FileEvent['op'] };

/** Longest text of an action that is looked at. */
const MAX_CHARS = 256;

/** That something was kept from happening. */
const PREVENTED = /\b(?:block(?:ed)?|den(?:y|ied)|prevent(?:ed)?|reject(?:ed)?|quarantined?|fail(?:ed|ure)?)\b/;

/** Words that name a process in an action, and those of what happened to it. */
const ABOUT_PROCESS = /\bproc(?:ess)?\b/;
const STARTED = /\b(?:creat(?:e|ed|ion)|start(?:ed)?|launch(?:ed)?|exec(?:ute|uted|ution)?|rollup2?)\b/;
const ENDED = /\b(?:terminat(?:e|ed|ion)|end(?:ed)?|exit(?:ed)?|stop(?:ped)?|kill(?:ed)?)\b/;

const ABOUT_FILE = /\bfiles?\b/;
const FILE_ACTIONS: readonly (readonly [words: RegExp, kind: FileEvent['kind'], op: FileEvent['op']])[] = [
  [/\brenam(?:e|ed)\b/, 'file_write', 'rename'],
  [/\bdelet(?:e|ed|ion)\b/, 'file_delete', 'delete'],
  [/\bcreat(?:e|ed|ion)\b/, 'file_write', 'create'],
  [/\b(?:writ(?:e|ten)|modif(?:y|ied|ication)|chang(?:e|ed))\b/, 'file_write', 'modify'],
  [/\bread\b/, 'file_read', 'read'],
  [/\bopen(?:ed)?\b/, 'file_read', 'open'],
];

/**
 * What a product says was done, from the words of its event class, name and action: `Process Created`, `process_create`,
 * `FileWrite`, `file deleted`. Undefined when they say none of it, or that it was kept from happening.
 */
export function deviceAction(texts: readonly (string | undefined)[]): DeviceAction | undefined {
  const words = texts
    .map((text) => spaced((text ?? '').slice(0, MAX_CHARS)))
    .join(' ; ')
    .toLowerCase();
  if (PREVENTED.test(words)) return undefined;
  if (ABOUT_FILE.test(words)) {
    const found = FILE_ACTIONS.find(([pattern]) => pattern.test(words));
    if (found) return { on: 'file', kind: found[1], op: found[2] };
  }
  if (!ABOUT_PROCESS.test(words)) return undefined;
  if (STARTED.test(words)) return { on: 'process', kind: 'process_start' };
  return ENDED.test(words) ? { on: 'process', kind: 'process_end' } : undefined;
}

/** `ProcessCreate`, `process_create` and `process-create` as words. */
const spaced = (text: string): string => text.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[_./:-]/g, ' ');
