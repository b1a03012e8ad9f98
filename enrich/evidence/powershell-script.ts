import { STATEMENTS_MAX, type Statement } from './cmd-script.ts';
import { isBlank } from './command-line.ts';

/**
 * Splits a PowerShell script (or the simple part of a POSIX one) into statements and words, as "about_Parsing" and
 * "about_Quoting_Rules" describe: `;`, `|`, `&`, line ends and braces separate; both kinds of quotes protect; a backtick
 * takes the next character as it is; `#` starts a comment. Expressions are not evaluated: parentheses count as blanks,
 * and `a, b` is one word `a,b`, so that lists of paths stay together.
 */
export function splitPowerShell(script: string): readonly Statement[] {
  return new PowerShellReader(script).read();
}

const LOOPS = new Set(['foreach', 'foreach-object', '%', 'for', 'while', 'do']);

class PowerShellReader {
  private readonly script: string;
  private readonly statements: Statement[] = [];
  /** For each open brace whether it is, or stands inside, the body of a loop. */
  private readonly braces: boolean[] = [];
  private words: string[] = [];
  private word = '';
  /** A quoted empty string is a word too. */
  private open = false;
  private start = 0;
  private at = 0;

  constructor(script: string) {
    this.script = script;
  }

  read(): readonly Statement[] {
    while (this.at < this.script.length && this.statements.length < STATEMENTS_MAX) this.step();
    this.endStatement(this.at);
    return this.statements;
  }

  private step(): void {
    const char = this.script[this.at] ?? '';
    if (char === "'" || char === '"') this.readQuoted(char);
    else if (char === '`') this.take(this.script[this.at + 1] ?? '', 2);
    else if (char === '#' && !this.open) this.skipComment();
    else if (char === '\n' || char === ';' || char === '|' || char === '&') this.separate();
    else if (char === '{' || char === '}') this.brace(char);
    else if (char === ',') this.comma();
    else if (isBlank(char) || char === '(' || char === ')') this.endWord();
    else this.take(char, 1);
  }

  private take(text: string, width: number): void {
    this.word += text;
    this.open = true;
    this.at += width;
  }

  private readQuoted(quote: string): void {
    this.open = true;
    this.at++;
    while (this.at < this.script.length) {
      const char = this.script[this.at] ?? '';
      const next = this.script[this.at + 1];
      if (char === quote && next === quote) this.take(quote, 2);
      else if (char === '`' && quote === '"') this.take(next ?? '', 2);
      else if (char === quote) break;
      else this.take(char, 1);
    }
    this.at++;
  }

  private skipComment(): void {
    const end = this.script.indexOf('\n', this.at);
    this.at = end < 0 ? this.script.length : end;
  }

  private separate(): void {
    this.endStatement(this.at);
    this.at++;
    this.start = this.at;
  }

  private brace(char: string): void {
    const first = (this.words[0] ?? this.word).toLowerCase();
    const looping = LOOPS.has(first) || (this.braces.at(-1) ?? false);
    this.endStatement(this.at);
    if (char === '}') this.braces.pop();
    else if (this.braces.length < STATEMENTS_MAX) this.braces.push(looping);
    this.at++;
    this.start = this.at;
  }

  /** Joins the neighbours of a comma, blanks between them or not. */
  private comma(): void {
    if (!this.open) this.word = this.words.pop() ?? '';
    this.take(',', 1);
    while (isBlank(this.script[this.at])) this.at++;
  }

  private endWord(): void {
    if (this.open) this.words.push(this.word);
    this.word = '';
    this.open = false;
    this.at++;
  }

  private endStatement(end: number): void {
    if (this.open) this.words.push(this.word);
    const [first, ...rest] = this.words;
    const words = first === '.' ? rest : this.words;
    if (words.length > 0 && this.statements.length < STATEMENTS_MAX) {
      this.statements.push({
        words,
        text: this.script.slice(this.start, end).trim(),
        looped: this.braces.at(-1) ?? false,
      });
    }
    this.words = [];
    this.word = '';
    this.open = false;
  }
}
