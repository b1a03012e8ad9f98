/**
 * The programs' own log, on standard error: JSON lines by pino, or plain lines when a person looks at a terminal.
 *
 * Messages are fixed sentences of ours; what comes from outside goes into fields, where both writers escape it.
 */
import { type DestinationStream, destination, type LevelWithSilent, pino } from 'pino';

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export const LOG_LEVELS = ['error', 'warn', 'info', 'silent'] as const satisfies readonly LevelWithSilent[];

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** Program part that speaks: `sensor`, `enrich`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Standard error is a terminal. */
  readonly terminal: boolean;
  /** Called before a line is written to a terminal, to clear what stands there. */
  readonly beforeLine?: () => void;
}

/** The log of this process. One is made, when the program starts. */
export function openLog(options: LogOptions): Log {
  return options.terminal ? terminalLog(options) : jsonLog(options, standardError());
}

/** A log in JSON lines: time (RFC 3339), level by name, name, the fields, `msg`. */
export function jsonLog({ name, level }: Pick<LogOptions, 'name' | 'level'>, to: DestinationStream): Log {
  const log = pino(
    {
      level,
      base: { name },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    to,
  );
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}

/** A full disk or a closed pipe behind the log is no reason to stop: without a listener pino's stream would throw. */
function standardError(): DestinationStream {
  const stream = destination({ dest: 2, sync: true });
  stream.on('error', () => {});
  return stream;
}

function terminalLog({ level, beforeLine }: LogOptions): Log {
  const from = LOG_LEVELS.indexOf(level);
  const line = (at: LogLevel, fields: LogFields, message: string): void => {
    if (level === 'silent' || LOG_LEVELS.indexOf(at) > from) return;
    beforeLine?.();
    process.stderr.write(`waybill: ${at === 'info' ? '' : `${at}: `}${message}${fieldText(fields)}\n`);
  };
  return {
    info: (fields, message) => line('info', fields, message),
    warn: (fields, message) => line('warn', fields, message),
    error: (fields, message) => line('error', fields, message),
  };
}

/** ` key=value …`; what is not a plain word is quoted and escaped as JSON. */
export function fieldText(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}=${typeof value === 'string' && !/^[\w.:/@%+-]+$/.test(value) ? quoted(value) : value}`,
    )
    .join('');
}

/** JSON escapes the C0 controls; C1 controls and direction marks would still act on a terminal. */
const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
