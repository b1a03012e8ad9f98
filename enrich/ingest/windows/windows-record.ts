import { readTime, type Stamp } from '../time-text.ts';

/** One record of a Windows event log, whatever wrapped it. */
export interface WindowsRecord {
  readonly log: 'sysmon' | 'security' | 'other';
  /** Provider or channel, to name records that are ignored. */
  readonly provider: string;
  readonly eventId: number;
  readonly computer: string | undefined;
  /** Collector or forwarder; part of the key under which clock offsets are learned. */
  readonly sender: string | undefined;
  readonly recordId: string | undefined;
  /** The log's own time, if the shape has one. */
  readonly logged: LogTime | undefined;
  /** A second local clock reading of the same sender together with UTC, from which the zone can be told. */
  readonly zoneHint: { readonly local: number; readonly utc: number } | undefined;
  /** Event field by its Windows name; undefined also when the log says `-`. */
  readonly field: (name: string) => unknown;
  /** The shape has an event once for each rule that it matched. */
  readonly repeats?: boolean;
  /** Audit failure, so that the access was refused. */
  readonly failed: boolean;
}

export interface LogTime {
  readonly micros: number;
  /** `utc`: the shape is UTC by construction. `local`: the zone is missing or not to be believed. */
  readonly zone: 'utc' | 'local';
  readonly zoned: boolean;
}

const SYSMON_GUIDS = new Set(['5770385f-c22a-43e0-bf4c-06f5698ffbd9', 'ff032593-a8d3-4f13-b0d6-01fc615a0f97']);
const SECURITY_GUID = '54849625-5478-4994-a5ba-3e3b0328c30d';

/**
 * Which log a record is of. The provider's GUID decides where it is given, since Sysmon's service and channel may be renamed at
 * install; then provider, then channel. Records of the event log service itself (1102) sit in the Security channel too.
 */
export function logOf(
  provider: string | undefined,
  guid: string | undefined,
  channel: string | undefined,
): WindowsRecord['log'] {
  const bareGuid = guid?.replace(/[{}]/g, '').toLowerCase();
  if (bareGuid !== undefined && SYSMON_GUIDS.has(bareGuid)) return 'sysmon';
  if (bareGuid === SECURITY_GUID) return 'security';
  const name = provider?.toLowerCase() ?? '';
  if (name.includes('sysmon')) return 'sysmon';
  if (name.includes('security-auditing') || name.includes('security auditing')) return 'security';
  if (name !== '' && name !== 'security') return 'other';
  const log = channel?.toLowerCase() ?? '';
  if (log.includes('sysmon')) return 'sysmon';
  return log === 'security' || name === 'security' ? 'security' : 'other';
}

/** A log time that is UTC by construction of the shape. */
export function utcLogTime(value: unknown): LogTime | undefined {
  const stamp = readTime(value);
  return stamp && { micros: stamp.micros, zone: 'utc', zoned: true };
}

/** A log time that may be the local time of some machine, whatever zone it claims. */
export function localLogTime(value: unknown): LogTime | undefined {
  const stamp: Stamp | undefined = readTime(value);
  if (!stamp) return undefined;
  // An explicit offset other than zero was put there by software that knew it; only a bare "Z" is copied blindly.
  const explicit =
    typeof value === 'string' && /[+-]\d\d:?\d\d$/.test(value.trim()) && !/[+-]00:?00$/.test(value.trim());
  return { micros: stamp.micros, zone: explicit ? 'utc' : 'local', zoned: stamp.zoned };
}
