import type { Blocks } from './split-blocks.ts';

/** Names with which PowerShell's list of an event may begin. */
const FIRST_NAMES = new Set(
  'Message,Id,TimeCreated,ProviderName,LogName,MachineName,RecordId,Level,LevelDisplayName,EventID,Index,InstanceId,Source,TimeGenerated'.split(
    ',',
  ),
);
/** Most properties of one list: an event record has under forty. */
const MAX_NAMES = 128;
/** A property begins its line: name, blanks up to the common width, colon. */
const PROPERTY = /^([A-Za-z][A-Za-z0-9_]{0,63})( {1,64}): ?/;

/** Whether a line begins a list as `Format-List` prints it; the blank before the colon sets it apart from `Key: value`. */
export function isListStart(line: string): boolean {
  const found = PROPERTY.exec(line);
  return found !== null && FIRST_NAMES.has(found[1] ?? '');
}

/** PowerShell's lists (`Get-WinEvent | Format-List`): a list lasts until its first property comes again. */
export function listBlocks(): Blocks {
  let first: string | undefined;
  return {
    begins: (line) => {
      const name = PROPERTY.exec(line)?.[1];
      first ??= name;
      return name !== undefined && name === first;
    },
    read: (text) => ({ row: readList(text) }),
  };
}

/**
 * The properties of one list. A value goes on in the lines below, indented to where it began, as does what was wrapped at the
 * width of the console; a property that is printed twice keeps its first value.
 */
export function readList(text: string): { [name: string]: unknown } {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  let indent = 0;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r$/, '');
    const property = PROPERTY.exec(line);
    const name = property?.[1];
    if (property && name !== undefined) {
      indent = property[0].length;
      lines = [line.slice(indent)];
      if (!found.has(name) && found.size < MAX_NAMES) found.set(name, lines);
    } else lines.push(line.slice(0, indent).trim() === '' ? line.slice(indent) : line);
  }
  return Object.fromEntries([...found].map(([name, value]) => [name, value.join('\n').trimEnd()]));
}
