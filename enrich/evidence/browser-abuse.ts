import type { ProcessRef } from '../event/endpoint-event.ts';
import { splitArguments } from './command-line.ts';
import { isServiceAccount, isStagingDir } from './staging-places.ts';
import { imageBase, windowsPath } from './windows-path.ts';

/** Switches that make a browser a tool. Sources: Chromium's switch list; public rules on headless browsers. */
export const ABUSE_SWITCHES: ReadonlyMap<string, string> = new Map([
  ['--headless', 'runs without a window'],
  ['--dump-dom', 'prints the page it fetched'],
  ['--screenshot', 'takes a picture of a page'],
  ['--print-to-pdf', 'prints a page to a file'],
  ['--remote-debugging-port', 'can be steered from another program'],
  ['--remote-debugging-pipe', 'can be steered from another program'],
  ['--load-extension', 'loads an extension from a folder'],
  ['--enable-automation', 'is steered by automation'],
  ['--no-sandbox', 'runs without its sandbox'],
  ['--disable-web-security', 'runs without the same-origin rule'],
  ['-headless', 'runs without a window'],
  ['--marionette', 'can be steered from another program'],
]);

/** Parents that start a browser to use it, not for a person to browse. A console window may start one for a person. */
export const ABUSING_PARENTS: ReadonlySet<string> = new Set(
  'powershell.exe pwsh.exe wscript.exe cscript.exe mshta.exe rundll32.exe regsvr32.exe msbuild.exe installutil.exe winword.exe excel.exe powerpnt.exe wmiprvse.exe python.exe pythonw.exe node.exe'.split(
    ' ',
  ),
);

/**
 * Signs that a real browser is used as a tool, one sentence each. Marks of the nearest ancestor that is the same browser
 * count too: switches stand on the command line of the browser process, the connection is made by its child.
 */
export function abuseMarks(process: ProcessRef, ancestors: readonly ProcessRef[]): readonly string[] {
  const base = imageBase(process.image);
  const family: ProcessRef[] = [process];
  for (const ancestor of ancestors) {
    if (imageBase(ancestor.image) !== base) break;
    family.push(ancestor);
  }
  const marks = family.flatMap((member) => switchMarks(member.commandLine));
  const root = family.at(-1) ?? process;
  const parent = imageBase(root.parent?.image ?? ancestors[family.length - 1]?.image);
  if (ABUSING_PARENTS.has(parent)) marks.push(`started by ${parent}`);
  if (isServiceAccount(process)) marks.push('runs as a service account, where nobody browses');
  return [...new Set(marks)];
}

function switchMarks(commandLine: string | undefined): string[] {
  if (commandLine === undefined) return [];
  const marks: string[] = [];
  for (const word of splitArguments(commandLine).words.slice(1)) {
    const equals = word.indexOf('=');
    const name = (equals < 0 ? word : word.slice(0, equals)).toLowerCase();
    const meaning = ABUSE_SWITCHES.get(name);
    if (meaning !== undefined) marks.push(`${name}: ${meaning}`);
    else if (name === '-embedding') marks.push('started through COM, without a person');
    else if (name === '--user-data-dir' && equals > 0 && isStagingDir(windowsPath(`${word.slice(equals + 1)}\\x`))) {
      marks.push('--user-data-dir in a temporary folder');
    } else if (/^data:/i.test(word)) marks.push('opens a data: address');
  }
  return marks;
}
