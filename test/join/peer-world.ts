import type { EndpointEvent, ProcessRef } from '../../enrich/event/endpoint-event.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  archive,
  connection,
  DAY,
  flow,
  history,
  MINUTE,
  MORNING,
  onHost,
  program,
  SECOND,
  start,
  type Theft,
} from './world.ts';

/** A department whose hosts have worked for two weeks, and a host that was given out today. */
export type Item = FlowRecord | EndpointEvent;

interface Place {
  readonly ip: string;
  readonly name: string;
}

export const PLACE = { ip: '203.0.113.40', name: 'intake.example.net' } as const;
export const DROP = { ip: '203.0.113.99', name: 'drop.example.com' } as const;
export const PEERS = [1, 2, 3, 4, 5, 6] as const;
export const NEW = 7;
/** Of another department. */
export const OUTSIDER = 9;

export const CURL = 'C:\\Windows\\System32\\curl.exe';
const COPIER = 'C:\\Program Files\\Copy\\copier.exe';
const SIZE = 8_000_000;

/** What a host did, by a user of its own. */
export function by(n: number, what: Theft): Item[] {
  const { flows, events } = onHost(n, what);
  const user = { name: `CORP\\user${n}`, id: `S-1-5-21-1-2-3-${2_000 + n}` };
  return [
    ...flows,
    ...events.map((event) => ('process' in event ? { ...event, process: { ...event.process, user } } : event)),
  ];
}

/** Mail on each of the days before: what makes a host, and its group, known. */
export const work = (n: number, days = 28): Item[] =>
  by(
    n,
    history(days, program('mail', 'C:\\Program Files\\Mail\\mail.exe'), {
      name: 'mail.example.org',
      ip: '198.51.100.9',
    }),
  );

/** The same on the day of the upload. */
export function workToday(n: number): Item[] {
  const record = flow(MORNING, { port: 42_000, name: 'mail.example.org', ip: '198.51.100.9' });
  const mail = program('mail', 'C:\\Program Files\\Mail\\mail.exe');
  return by(n, { flows: [record], events: [connection(MORNING + SECOND, mail, record)] });
}

/** A program, by default the department's copier, sends something small to a place on each of the days before. */
export const usual = (n: number, days = 10, place: Place = PLACE, image = COPIER): Item[] =>
  by(n, history(days, program('copier', image), { port: 41_000, ...place }));

/** An archive and its upload on the morning of a day. */
export function upload(
  n: number,
  parts: {
    readonly day?: number;
    readonly place?: Place;
    readonly image?: string;
    /** Bytes that leave; the archive is 8 MB. */
    readonly sent?: number;
    readonly process?: Partial<ProcessRef>;
  } = {},
): Item[] {
  const { day = 0, place = PLACE, image = COPIER, sent = SIZE + 20_000 } = parts;
  const at = MORNING + day * DAY;
  const path = `C:\\Users\\Public\\d${day}.7z`;
  const shell = { entityId: `shell-${day}`, image: 'C:\\Windows\\System32\\cmd.exe' };
  const packer = program(`packer-${day}`, 'C:\\Tools\\7z.exe', {
    ...{ parent: shell, commandLine: `7z a -psecret ${path} C:\\docs` },
  });
  const tool = program(`tool-${day}`, image, { parent: shell, commandLine: `copier.exe ${path}`, ...parts.process });
  const record = flow(at + MINUTE, { port: 52_000, sent, received: 3_000, seconds: 20, ...place });
  return by(n, {
    flows: [record],
    events: [
      start(at - 10 * SECOND, packer),
      archive(at, packer, path, SIZE),
      start(at + 50 * SECOND, tool),
      connection(at + MINUTE + SECOND, tool, record),
    ],
  });
}

/** The settings file of this department. */
export const GROUPS = "peer_groups: [{ name: guests, hosts: [WS19] }, { name: office, hosts: ['WS1*'] }]\n";
