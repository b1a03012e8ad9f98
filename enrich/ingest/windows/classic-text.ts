import type { RecordContext } from '../reading.ts';
import { assembleRecord } from './assemble-record.ts';
import { localLogTime, type WindowsRecord } from './windows-record.ts';

/** Most `key=value` and `Key: value` lines read before the message. */
const MAX_HEADER_LINES = 40;

/** First line of an event in Splunk's classic rendering: an American date without zone, ISO 8601, or WMI's digits. */
export const CLASSIC_DATE =
  /^(?:\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d\d:\d\d(?:\.\d{1,9})?(?: [AP]M)?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\d{14}\.\d{6}(?:[+-]\d{3})?)$/i;
/** First line of an event as `wevtutil qe /f:text` prints it. */
export const WEVTUTIL_START = /^Event\[\d{1,10}\]:?$/;

/** Whether a text may be one event in a classic rendering. */
export const looksClassic = (text: string): boolean =>
  /^(?:\d{1,2}\/\d{1,2}\/\d{4} \d|Event\[\d|LogName=|EventCode=)/.test(text.slice(0, 64)) ||
  CLASSIC_DATE.test(text.slice(0, 64).split('\n', 1)[0]?.trimEnd() ?? '');

/** Reads one event of Splunk's classic WinEventLog text or of `wevtutil /f:text`. */
export function readClassicText(text: string, context: RecordContext): WindowsRecord | undefined {
  const header = new Map<string, string>();
  let date: string | undefined;
  let message: string | undefined;
  let at = 0;
  for (let lines = 0; lines < MAX_HEADER_LINES && at < text.length && message === undefined; lines++) {
    const end = text.indexOf('\n', at);
    const line = (end < 0 ? text.slice(at) : text.slice(at, end)).replace(/\r$/, '');
    const next = end < 0 ? text.length : end + 1;
    if (date === undefined && CLASSIC_DATE.test(line.trim())) date = line.trim();
    else if (line.startsWith('Message=')) message = text.slice(at + 'Message='.length);
    else if (/^\s*Description:/.test(line)) message = text.slice(at + line.indexOf(':') + 1);
    else remember(header, line);
    at = next;
  }
  return assembleRecord({
    provider: header.get('sourcename') ?? header.get('source'),
    guid: undefined,
    channel: header.get('logname'),
    eventId: header.get('eventcode') ?? header.get('eventid'),
    computer: header.get('computername') ?? header.get('computer') ?? context.host,
    recordId: header.get('recordnumber'),
    logged:
      context.at === undefined
        ? localLogTime(date ?? header.get('date'))
        : { micros: context.at, zone: 'utc', zoned: true },
    keywords: header.get('keywords') ?? header.get('keyword'),
    fields: () => undefined,
    message,
  });
}

/** `Log Name: Security` and `LogName=Security` are the same line. */
function remember(header: Map<string, string>, line: string): void {
  const equals = line.indexOf('=');
  const colon = line.indexOf(': ');
  const split = equals > 0 && (colon < 0 || equals < colon) ? equals : colon;
  if (split <= 0) return;
  const name = line.slice(0, split).replaceAll(' ', '').toLowerCase();
  if (!header.has(name)) header.set(name, line.slice(split + 1).trim());
}
