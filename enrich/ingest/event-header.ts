import { looksClassic } from './windows/classic-text.ts';

/** Longest header of syslog, say, before Event XML, or in which the mark of an agent stands. */
export const HEADER_CHARS = 1024;

/** Event XML without what stands before it on its line. */
export function withoutHeader(text: string): string {
  if (text.startsWith('{') || text.startsWith('[') || looksClassic(text)) return text;
  const at = /<Event[\s>]/.exec(text.slice(0, HEADER_CHARS))?.index ?? 0;
  return at > 0 ? text.slice(at) : text;
}
