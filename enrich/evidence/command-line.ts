/**
 * A Windows command line split into arguments the way the C runtime splits it for `main` ("Parsing C command-line
 * arguments", Microsoft): blanks separate outside quotes; 2n backslashes before a quote are n backslashes and the quote
 * switches quoting; 2n+1 are n backslashes and a quote character; a doubled quote inside quotes is a quote character.
 * The program name has no escapes: a backslash there is always itself.
 */
export interface Arguments {
  /** The program and its arguments, quotes taken off. */
  readonly words: readonly string[];
  /** True when the line or the list was longer than its cap. */
  readonly cut: boolean;
}

/** The longest line CreateProcess takes, in characters. */
export const COMMAND_LINE_MAX_CHARS = 32_767;

/** Arguments kept of one command; an archiver given more names than this has said enough. */
export const ARGUMENTS_MAX = 1_024;

/** Splits a command line. Never throws; time is linear in the length. */
export function splitArguments(commandLine: string): Arguments {
  const text = commandLine.slice(0, COMMAND_LINE_MAX_CHARS);
  const words: string[] = [];
  let at = skipBlanks(text, 0);
  if (at < text.length) {
    const program = readProgram(text, at);
    words.push(program.word);
    at = skipBlanks(text, program.end);
  }
  while (at < text.length && words.length < ARGUMENTS_MAX) {
    const argument = readArgument(text, at);
    words.push(argument.word);
    at = skipBlanks(text, argument.end);
  }
  return { words, cut: at < text.length || text.length < commandLine.length };
}

interface Word {
  readonly word: string;
  readonly end: number;
}

export const isBlank = (char: string | undefined): boolean =>
  char === ' ' || char === '\t' || char === '\r' || char === '\n';

export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text[at])) at++;
  return at;
}

function readProgram(text: string, from: number): Word {
  let quoted = false;
  let at = from;
  while (at < text.length && (quoted || !isBlank(text[at]))) {
    if (text[at] === '"') quoted = !quoted;
    at++;
  }
  return { word: text.slice(from, at).replaceAll('"', ''), end: at };
}

function readArgument(text: string, from: number): Word {
  let word = '';
  let quoted = false;
  let at = from;
  while (at < text.length && (quoted || !isBlank(text[at]))) {
    const char = text[at] ?? '';
    if (char === '\\') {
      const run = countRun(text, at);
      const beforeQuote = text[at + run] === '"';
      word += '\\'.repeat(beforeQuote ? run >> 1 : run);
      at += run;
      if (beforeQuote && run % 2 === 1) {
        word += '"';
        at++;
      }
    } else if (char !== '"') {
      word += char;
      at++;
    } else if (quoted && text[at + 1] === '"') {
      word += '"';
      at += 2;
    } else {
      quoted = !quoted;
      at++;
    }
  }
  return { word, end: at };
}

function countRun(text: string, from: number): number {
  let at = from;
  while (text[at] === '\\') at++;
  return at - from;
}
