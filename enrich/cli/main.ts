#!/usr/bin/env node
import { Exit, endQuietlyOnClosedPipe, UserError } from '../../sensor/base/exit.ts';

type Run = (args: string[]) => Promise<number>;

/** Every sub-command: one line of help, and the module that runs it, loaded only when it is asked for. */
const COMMANDS: readonly { name: string; summary: string; load: () => Promise<Run> }[] = [
  {
    name: 'sensor',
    summary: 'Read packets (captures or an interface) and print flow records.',
    load: async () => (await import('./sensor-to.ts')).sensorToCommand,
  },
  {
    name: 'interfaces',
    summary: 'List the network interfaces and whether packets may be captured.',
    load: async () => (await import('../../sensor/cli/interfaces.ts')).interfacesCommand,
  },
  {
    name: 'enrich',
    summary: 'Run the service: HTTP and Redis in, alerts out.',
    load: async () => (await import('./enrich.ts')).enrichCommand,
  },
  {
    name: 'run',
    summary: 'Sensor and service in one process, on one machine.',
    load: async () => (await import('./run.ts')).runCommand,
  },
  {
    name: 'replay',
    summary: 'Run the whole pipeline over captures and endpoint logs; print the alerts.',
    load: async () => (await import('./replay.ts')).replayCommand,
  },
  {
    name: 'normalize',
    summary: 'Print our reading of an endpoint feed.',
    load: async () => (await import('./normalize.ts')).normalizeCommand,
  },
  {
    name: 'demo',
    summary: 'Replay the recordings that come with Waybill and show the alerts.',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
  {
    name: 'explain',
    summary: 'Show every decibel of one alert, and the events it came from.',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    name: 'allow',
    summary: 'Keep exceptions with owner, reason and end; see what they would cover.',
    load: async () => (await import('./allow.ts')).allowCommand,
  },
  {
    name: 'coverage',
    summary: 'Show by host and hour what could not have been seen.',
    load: async () => (await import('./coverage.ts')).coverageCommand,
  },
  {
    name: 'drill',
    summary: 'Exercise the chain: pack and send something harmless, say what arrived.',
    load: async () => (await import('./drill.ts')).drillCommand,
  },
  {
    name: 'backtest',
    summary: 'Score the stored facts under other settings and show the difference.',
    load: async () => (await import('./backtest.ts')).backtestCommand,
  },
  {
    name: 'calibrate',
    summary: 'Show what the site’s own candidates and decisions say of prior and thresholds.',
    load: async () => (await import('./calibrate.ts')).calibrateCommand,
  },
  {
    name: 'dead-letter',
    summary: 'List or replay the records that could not be processed.',
    load: async () => (await import('./dead-letter.ts')).deadLetterCommand,
  },
  {
    name: 'check-config',
    summary: 'Check a settings file; --print shows every setting with its default.',
    load: async () => (await import('./check-config.ts')).checkConfigCommand,
  },
];

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
    } else {
      process.stderr.write(`waybill: internal error, please report it\n${(error as Error).stack ?? String(error)}\n`);
      process.exitCode = Exit.failed;
    }
  },
);
