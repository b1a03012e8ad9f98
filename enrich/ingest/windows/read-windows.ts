import { ignored, type Reading, type RecordContext } from '../reading.ts';
import { readSecurity } from './security-events.ts';
import { readSysmon } from './sysmon-events.ts';
import type { WindowsRecord } from './windows-record.ts';

/** What a Windows record says: Sysmon and Security have readers, every other log is ignored under its provider's name. */
export function readWindows(record: WindowsRecord, context: RecordContext, feed?: string): Reading {
  if (record.log === 'sysmon') return readSysmon(record, context, feed ?? 'sysmon');
  if (record.log === 'security') return readSecurity(record, context, feed ?? 'security');
  return ignored('windows', `${record.provider.slice(0, 80)} ${record.eventId}`);
}
