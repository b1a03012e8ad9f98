import type { Blocks } from './split-blocks.ts';
import { CLASSIC_DATE, WEVTUTIL_START } from './windows/classic-text.ts';

/** Whether an event in a classic rendering begins on this line. */
export function isClassicStart(line: string): boolean {
  const text = line.trimEnd();
  return text.length <= 40 && (CLASSIC_DATE.test(text) || WEVTUTIL_START.test(text) || text.startsWith('LogName='));
}

/** Classic event text. `LogName=` begins an event only where no date line did just before. */
export const classicBlocks: Blocks = {
  begins: (line, current) =>
    isClassicStart(line) && !(line.startsWith('LogName=') && CLASSIC_DATE.test(current()?.trim() ?? '')),
  read: (text) => ({ text }),
};
