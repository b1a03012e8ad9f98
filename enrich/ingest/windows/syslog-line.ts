import type { RecordContext } from '../reading.ts';
import { readTime } from '../time-text.ts';
import { assembleRecord } from './assemble-record.ts';
import { localLogTime, type WindowsRecord } from './windows-record.ts';

/** Longest line that is read: a header and a message. */
const MAX_LINE_CHARS = 128 * 1024;
/** Most parts of a line: Snare has fifteen, WinCollect some thirty. */
const MAX_PARTS = 64;

const SNARE = 'MSWinEventLog';
const OSSEC = ' WinEvtLog: ';
const WINCOLLECT = 'AgentDevice=WindowsLog';

/** Whether a line of text is an event as agents write it for syslog. */
export const isAgentLine = (line: string): boolean =>
  line.includes(SNARE) || line.includes(OSSEC) || line.includes(WINCOLLECT);

/** Reads one event out of a line of Snare, of OSSEC's (Wazuh's older) agent, or of QRadar's WinCollect. */
export function readAgentLine(given: string, context: RecordContext): WindowsRecord | undefined {
  const line = given.slice(0, MAX_LINE_CHARS).trimEnd();
  if (line.includes(WINCOLLECT)) return winCollect(line, context);
  return line.includes(SNARE) ? snare(line, context) : ossec(line, context);
}

/**
 * `MSWinEventLog⇥1⇥Log⇥n⇥Tue May 14 12:00:00 2024⇥Id⇥Source⇥User⇥SidType⇥Type⇥Computer⇥Category⇥Data⇥Message⇥n`, the tabs
 * perhaps written `#011` by the relay. The time is the host's local one.
 */
function snare(line: string, context: RecordContext): WindowsRecord | undefined {
  const parts = line.slice(line.indexOf(SNARE)).replaceAll('#011', '\t').split('\t', MAX_PARTS);
  const [, , channel, , time, eventId, provider, , , type, computer, , , message, recordId] = parts;
  return assembleRecord({
    provider,
    guid: undefined,
    channel,
    eventId,
    computer: computer ?? context.host,
    recordId: /^\d{1,19}$/.test(recordId ?? '') ? recordId : undefined,
    logged: localLogTime(time),
    keywords: type,
    fields: () => undefined,
    message,
  });
}

/** `2024 May 14 12:00:00 WinEvtLog: Channel: AUDIT_SUCCESS(4688): Provider: User: Domain: Computer: Message`. */
function ossec(line: string, context: RecordContext): WindowsRecord | undefined {
  const start = line.indexOf(OSSEC);
  const parts = line.slice(start + OSSEC.length).split(': ', 6);
  const [channel, typed, provider, , , computer] = parts;
  const found = /^([A-Z_]{3,32})\((\d{1,5})\)$/.exec(typed ?? '');
  if (!found || computer === undefined) return undefined;
  const head = parts.reduce((length, part) => length + part.length + 2, start + OSSEC.length);
  const time = /(\d{4} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d)$/.exec(
    line.slice(Math.max(0, start - 32), start),
  )?.[1];
  return assembleRecord({
    provider,
    guid: undefined,
    channel,
    eventId: found[2],
    computer: computer === '(no computer)' ? context.host : computer,
    recordId: undefined,
    logged: localLogTime(time),
    keywords: found[1],
    fields: () => undefined,
    message: line.slice(head),
  });
}

/** `Name=value` between tabs, the message last; the times are seconds since 1970. */
function winCollect(line: string, context: RecordContext): WindowsRecord | undefined {
  const fields = new Map<string, string>();
  const body = line.slice(line.indexOf(WINCOLLECT));
  const at = body.indexOf('Message=');
  for (const part of (at < 0 ? body : body.slice(0, at)).split('\t', MAX_PARTS)) {
    const equals = part.indexOf('=');
    if (equals > 0 && !fields.has(part.slice(0, equals))) fields.set(part.slice(0, equals), part.slice(equals + 1));
  }
  const micros = readTime(fields.get('TimeGenerated'))?.micros;
  return assembleRecord({
    provider: fields.get('Source'),
    guid: undefined,
    channel: fields.get('AgentLogFile'),
    eventId: fields.get('EventIDCode') ?? fields.get('EventID'),
    computer: fields.get('Computer') ?? fields.get('OriginatingComputer') ?? context.host,
    recordId: fields.get('RecordNumber'),
    logged: micros === undefined ? undefined : { micros, zone: 'utc', zoned: true },
    keywords: fields.get('EventType') === '16' ? 'audit_failure' : undefined,
    fields: () => undefined,
    message: at < 0 ? undefined : body.slice(at + 'Message='.length),
  });
}
