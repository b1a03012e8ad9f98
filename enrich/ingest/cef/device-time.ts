import { readTime } from '../time-text.ts';
import type { LogTime } from '../windows/windows-record.ts';
import { deviceField } from './device-fields.ts';
import type { DeviceLine } from './device-line.ts';

const MINUTE_MICROS = 60_000_000;

/**
 * The first of these times that a line has. A count of milliseconds is UTC; a text is in the zone that it, or `dtz`, states, and
 * else in one that nobody told (CrowdStrike's connector writes its own local time).
 */
export function deviceTime(line: DeviceLine, keys: readonly string[]): LogTime | undefined {
  for (const key of keys) {
    const text = deviceField(line, key);
    const stamp = readTime(text === undefined ? undefined : unquoted(text));
    if (!stamp) continue;
    if (stamp.zoned) return { micros: stamp.micros, zone: 'utc', zoned: true };
    const minutes = offsetMinutes(deviceField(line, 'dtz'));
    if (minutes === undefined) return { micros: stamp.micros, zone: 'local', zoned: false };
    return { micros: stamp.micros - minutes * MINUTE_MICROS, zone: 'utc', zoned: true };
  }
  return undefined;
}

/** Minutes east of UTC, where the device's zone is written as such; names of zones are not looked up. */
function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  if (/^(?:UTC|GMT|Z|Etc\/UTC)$/i.test(zone)) return 0;
  const found = /^(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})$/i.exec(zone);
  if (!found) return undefined;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return found[1] === '-' ? -minutes : minutes;
}

/** Carbon Black's connector puts its times in quotes. */
const unquoted = (text: string): string => /^"([^"]{1,64})"$/.exec(text)?.[1] ?? text;
