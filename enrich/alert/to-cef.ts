import type { StoredAlert } from '../store/store.ts';
import { type AlertParts, isHigh, isWithdrawn } from './alert-parts.ts';
import { inspectText } from './terminal-text.ts';

/** Characters of one value: receivers cut fields at about a thousand. */
const MAX_VALUE = 1_000;

/**
 * An alert as one line of ArcSight's Common Event Format, version 0. What outsiders wrote can end neither a field nor the
 * line: separators are escaped as the format says, and characters that are not printable are spelled out.
 *
 * @param version of the program, for the header
 */
export function toCef({ id, at, body }: StoredAlert, version: string): string {
  const alert = body as AlertParts;
  const rule = alert.rule?.id ?? 'AN1413';
  const head = ['CEF:0', 'Waybill', 'Waybill', version, rule, alert.rule?.name ?? 'Exfiltration suspected'];
  const severity = isWithdrawn(alert) ? '1' : isHigh(alert) ? '8' : '5';
  const extension = fieldsOf(id, at, alert)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}=${valueText(String(value))}`);
  return `${[...head.map((part, i) => (i === 0 ? part : headText(part))), severity].join('|')}|${extension.join(' ')}`;
}

type Field = readonly [string, string | number | undefined];

/** Keys of the CEF dictionary; custom ones carry their label beside them. */
function fieldsOf(id: string, at: number, alert: AlertParts): readonly Field[] {
  const { host, user, source, destination, network, process, file, tls, waybill } = alert;
  return [
    ['externalId', id],
    ['rt', Math.floor(at / 1000)],
    ['cat', 'T1048.002'],
    ['act', isWithdrawn(alert) ? 'exfiltration_withdrawn' : 'exfiltration_suspected'],
    ['msg', alert.message],
    ['src', source?.ip],
    ['spt', source?.port],
    ['shost', host?.name],
    ['suser', user?.name],
    ['sntdom', user?.domain],
    ['sproc', process?.executable],
    ['spid', process?.pid],
    ['dst', destination?.ip],
    ['dpt', destination?.port],
    ['dhost', destination?.domain],
    ['proto', network?.transport?.toUpperCase()],
    ['out', source?.bytes],
    ['filePath', file?.path],
    ['fsize', file?.size],
    ['fileHash', process?.hash?.sha256],
    ['cs1', tls?.client?.ja4],
    ['cs1Label', tls?.client?.ja4 === undefined ? undefined : 'ja4'],
    ['cs2', network?.community_id],
    ['cs2Label', network?.community_id === undefined ? undefined : 'communityId'],
    ['cs3', process?.command_line],
    ['cs3Label', process?.command_line === undefined ? undefined : 'commandLine'],
    ['cfp1', waybill?.probability],
    ['cfp1Label', waybill?.probability === undefined ? undefined : 'probability'],
    ['cfp2', waybill?.score_db],
    ['cfp2Label', waybill?.score_db === undefined ? undefined : 'decibels'],
  ];
}

/** In the header a backslash and a pipe are escaped, in values a backslash and an equals sign. */
const headText = (text: string): string => printable(text).replace(/[\\|]/g, '\\$&');
const valueText = (text: string): string => printable(text).replace(/[\\=]/g, '\\$&');

const printable = (text: string): string =>
  inspectText(text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text);
