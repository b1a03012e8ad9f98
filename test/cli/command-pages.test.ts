import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { isInstalled } from '../../sensor/capture/live-driver.ts';
import { commandPages, namedSpecs } from '../build/command-pages.ts';
import type { NamedSpec } from '../build/man-page.ts';

const BASH = 'enrich/cli/completions/waybill.bash';
const ZSH = 'enrich/cli/completions/_waybill';
const FISH = 'enrich/cli/completions/waybill.fish';

let specs: readonly NamedSpec[] = [];
beforeAll(async () => {
  specs = await namedSpecs();
});

describe('pages that are made from the table of commands', () => {
  it('are what the code says today (npm run docs writes them)', async () => {
    for (const [path, text] of await commandPages(readFileSync('README.md', 'utf8')))
      expect(readFileSync(path, 'utf8') === text, `${path} is stale: npm run docs`).toBe(true);
  });

  it('are of commands that go by the name of their table, with options once each', () => {
    for (const { name, spec } of specs) {
      expect(spec.name).toBe(name);
      const flags = spec.options.flatMap((each) => [each.name, ...(each.short === undefined ? [] : [each.short])]);
      expect(new Set(flags).size).toBe(flags.length);
    }
  });
});

describe('the man page', () => {
  it('names every option, in ASCII', () => {
    const page = readFileSync('enrich/cli/man/waybill.1', 'utf8');
    expect(page).toMatch(/^[\n -~]*$/);
    for (const { spec } of specs)
      for (const { name } of spec.options) expect(page).toContain(`\\-\\-${name.replaceAll('-', '\\-')}\\fR`);
  });

  it.skipIf(!isInstalled('groff'))('is set by groff without a warning', () => {
    const run = spawnSync('groff', ['-ww', '-man', '-Tutf8', '-rLL=100n', 'enrich/cli/man/waybill.1'], {
      encoding: 'utf8',
    });
    expect([run.stderr, run.status]).toEqual(['', 0]);
    expect(run.stdout).toContain('drill');
  });

  it.skipIf(!isInstalled('mandoc'))('is read by mandoc without a warning', () => {
    const run = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', 'enrich/cli/man/waybill.1'], { encoding: 'utf8' });
    expect([run.stdout, run.status]).toEqual(['', 0]);
  });
});

describe('completions', () => {
  const complete = (...words: readonly string[]): string[] =>
    execFileSync(
      'bash',
      [
        '-c',
        `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _waybill; printf "%s\\n" "\${COMPREPLY[@]}"`,
        'bash',
        BASH,
        ...words,
      ],
      { encoding: 'utf8' },
    )
      .split('\n')
      .filter((line) => line !== '');

  it('of bash give commands, options of the command, and files', () => {
    expect(complete('waybill', 'dr')).toEqual(['drill']);
    expect(complete('waybill', '')).toEqual([...specs.map(({ name }) => name), 'help', 'version']);
    expect(complete('waybill', 'drill', '--to')).toEqual(['--token-file', '--to']);
    expect(complete('waybill', 'explain', 'READ')).toEqual(['README.md']);
  });

  it.skipIf(!isInstalled('fish'))('of fish give commands and options', () => {
    const script = `source ${FISH}; complete -C 'waybill dr'; complete -C 'waybill explain --bun'`;
    const run = spawnSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' });
    expect(run.stdout).toMatch(/^drill\t/);
    expect(run.stdout).toMatch(/^--bundle\t/m);
  });

  it.skipIf(!isInstalled('zsh'))('of zsh are read by zsh', () => {
    const run = spawnSync('zsh', ['-n', ZSH], { encoding: 'utf8' });
    expect([run.stderr, run.status]).toEqual(['', 0]);
  });
});
