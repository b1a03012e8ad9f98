import type { CommandSpec } from '../../sensor/cli/options.ts';

export type Run = (args: string[]) => Promise<number>;

export interface Command {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** The module that runs it, loaded only when it is asked for. */
  readonly load: () => Promise<Run>;
  /** Its options: the source of --help, man page, completions and the table in README.md. */
  readonly spec: () => Promise<CommandSpec>;
}

/** Every sub-command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'sensor',
    summary: 'Read packets (captures or an interface) and print flow records.',
    load: async () => (await import('./sensor-to.ts')).sensorToCommand,
    spec: async () => (await import('../../sensor/cli/sensor.ts')).SENSOR,
  },
  {
    name: 'interfaces',
    summary: 'List the network interfaces and whether packets may be captured.',
    load: async () => (await import('../../sensor/cli/interfaces.ts')).interfacesCommand,
    spec: async () => (await import('../../sensor/cli/interfaces.ts')).INTERFACES,
  },
  {
    name: 'enrich',
    summary: 'Run the service: HTTP and Redis in, alerts out.',
    load: async () => (await import('./enrich.ts')).enrichCommand,
    spec: async () => (await import('./enrich.ts')).ENRICH,
  },
  {
    name: 'run',
    summary: 'Sensor and service in one process, on one machine.',
    load: async () => (await import('./run.ts')).runCommand,
    spec: async () => (await import('./run.ts')).RUN,
  },
  {
    name: 'replay',
    summary: 'Run the whole pipeline over captures and endpoint logs; print the alerts.',
    load: async () => (await import('./replay.ts')).replayCommand,
    spec: async () => (await import('./replay.ts')).REPLAY,
  },
  {
    name: 'normalize',
    summary: 'Print our reading of an endpoint feed.',
    load: async () => (await import('./normalize.ts')).normalizeCommand,
    spec: async () => (await import('./normalize.ts')).NORMALIZE,
  },
  {
    name: 'demo',
    summary: 'Replay the recordings that come with Waybill and show the alerts.',
    load: async () => (await import('./demo.ts')).demoCommand,
    spec: async () => (await import('./demo.ts')).DEMO,
  },
  {
    name: 'explain',
    summary: 'Show every decibel of one alert, and the events it came from.',
    load: async () => (await import('./explain.ts')).explainCommand,
    spec: async () => (await import('./explain.ts')).EXPLAIN,
  },
  {
    name: 'allow',
    summary: 'Keep exceptions with owner, reason and end; see what they would cover.',
    load: async () => (await import('./allow.ts')).allowCommand,
    spec: async () => (await import('./allow.ts')).ALLOW,
  },
  {
    name: 'coverage',
    summary: 'Show by host and hour what could not have been seen.',
    load: async () => (await import('./coverage.ts')).coverageCommand,
    spec: async () => (await import('./coverage.ts')).COVERAGE,
  },
  {
    name: 'drill',
    summary: 'Exercise the chain: pack and send something harmless, say what arrived.',
    load: async () => (await import('./drill.ts')).drillCommand,
    spec: async () => (await import('./drill.ts')).DRILL,
  },
  {
    name: 'backtest',
    summary: 'Score the stored facts under other settings and show the difference.',
    load: async () => (await import('./backtest.ts')).backtestCommand,
    spec: async () => (await import('./backtest.ts')).BACKTEST,
  },
  {
    name: 'calibrate',
    summary: 'Show what the site’s own candidates and decisions say of prior and thresholds.',
    load: async () => (await import('./calibrate.ts')).calibrateCommand,
    spec: async () => (await import('./calibrate.ts')).CALIBRATE,
  },
  {
    name: 'dead-letter',
    summary: 'List or replay the records that could not be processed.',
    load: async () => (await import('./dead-letter.ts')).deadLetterCommand,
    spec: async () => (await import('./dead-letter.ts')).DEAD_LETTER,
  },
  {
    name: 'check-config',
    summary: 'Check a settings file; --print shows every setting with its default.',
    load: async () => (await import('./check-config.ts')).checkConfigCommand,
    spec: async () => (await import('./check-config.ts')).CHECK_CONFIG,
  },
];
