#!/usr/bin/env node
import { Exit, endQuietlyOnClosedPipe, UserError } from '../../sensor/base/exit.ts';
import { StoreError } from '../store/store-error.ts';
import { COMMANDS } from './commands.ts';

function usage(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length)) + 2;
  const lines = COMMANDS.map((c) => `  ${c.name.padEnd(width)}${c.summary}`);
  return `Waybill finds exfiltration hidden in TLS: who sent it, where to, and what was packed just before.\n\nUsage: waybill COMMAND [OPTIONS]\n\n${lines.join('\n')}\n\nwaybill COMMAND --help tells more.\n`;
}

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    (name === undefined ? process.stderr : process.stdout).write(usage());
    return name === undefined ? Exit.usage : Exit.fine;
  }
  if (name === '--version' || name === 'version') {
    const { readFileSync } = await import('node:fs');
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    process.stdout.write(`waybill ${(JSON.parse(text) as { version: string }).version}\n`);
    return Exit.fine;
  }
  const command = COMMANDS.find((c) => c.name === name);
  if (!command) throw new UserError(`no command ${JSON.stringify(name)}. See: waybill --help`, Exit.usage);
  return (await command.load())(rest);
}

endQuietlyOnClosedPipe();
main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (error instanceof UserError) {
      process.stderr.write(`waybill: ${error.message}\n`);
      process.exitCode = error.exitCode;
    } else if (error instanceof StoreError) {
      process.stderr.write(`waybill: ${error.message}\n`);
      process.exitCode = error.code === 'bad-url' ? Exit.usage : Exit.failed;
    } else {
      process.stderr.write(`waybill: internal error, please report it\n${(error as Error).stack ?? String(error)}\n`);
      process.exitCode = Exit.failed;
    }
  },
);
