import { isLocal, type WindowsPath, windowsPath } from './windows-path.ts';

/**
 * A pattern over the components of a Windows path: `\users\*\appdata\local\temp\**`.
 *
 * `*` stands for any run of characters inside one component, `**` as the last component for anything below. Patterns come
 * from our tables or the operator's configuration, never from an event, and compare in lower case.
 */
export interface PathPattern {
  /** As written. */
  readonly text: string;
  readonly parts: readonly string[];
  /** Ends in `**`: matches folders below, and everything in them. */
  readonly open: boolean;
}

export function pathPattern(text: string): PathPattern {
  const parts = text
    .toLowerCase()
    .split('\\')
    .filter((part) => part !== '');
  const open = parts.at(-1) === '**';
  return { text, parts: open ? parts.slice(0, -1) : parts, open };
}

export const pathPatterns = (texts: readonly string[]): readonly PathPattern[] => texts.map(pathPattern);

/** The first pattern that matches a path on a disk of this machine; the volume itself is not compared. */
export function firstMatch(patterns: readonly PathPattern[], path: WindowsPath): PathPattern | undefined {
  if (!isLocal(path) || !path.tail.startsWith('\\')) return undefined;
  const parts = path.tail.split('\\').slice(1);
  return patterns.find((pattern) => matchesParts(pattern, parts));
}

/**
 * Whether an image fits a pattern as an operator writes it, with or without a drive. A drive that is named must be that
 * drive; a device path (`\\Device\\HarddiskVolume3\\…`) names none and fits any.
 */
export function imageFits(pattern: string, image: string): boolean {
  const drive = /^[a-z]:(?=\\)/i.exec(pattern)?.[0].toLowerCase();
  const path = windowsPath(image);
  if (drive !== undefined && /^[a-z]:$/.test(path.volume) && path.volume !== drive) return false;
  return firstMatch([pathPattern(drive === undefined ? pattern : pattern.slice(drive.length))], path) !== undefined;
}

function matchesParts(pattern: PathPattern, parts: readonly string[]): boolean {
  if (pattern.open ? parts.length <= pattern.parts.length : parts.length !== pattern.parts.length) return false;
  return pattern.parts.every((part, index) => globMatches(part, parts[index] ?? ''));
}

/** Whether `text` fits `glob`, where `*` is any run of characters. Greedy pieces in order: linear in the text a piece. */
export function globMatches(glob: string, text: string): boolean {
  const pieces = glob.split('*');
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return glob === text;
  const last = pieces.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}
