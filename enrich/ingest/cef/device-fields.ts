import { textOf } from '../field-values.ts';
import type { DeviceLine } from './device-line.ts';

/**
 * Other names of CEF's keys: the full ones, under which ArcSight's and Logstash's JSON have them, those of LEEF, and the columns of
 * Sentinel's `CommonSecurityLog` (https://learn.microsoft.com/azure/sentinel/cef-name-mapping).
 */
const ALIASES: ReadonlyMap<string, readonly string[]> = new Map(
  [
    'act deviceAction DeviceAction action',
    'src sourceAddress SourceIP',
    'spt sourcePort SourcePort srcPort',
    'shost sourceHostName SourceHostName',
    'suser sourceUserName SourceUserName usrName',
    'sntdom sourceNtDomain SourceNTDomain',
    'suid sourceUserId SourceUserID',
    'spid sourceProcessId SourceProcessId',
    'sproc sourceProcessName SourceProcessName',
    'dst destinationAddress DestinationIP',
    'dpt destinationPort DestinationPort dstPort',
    'dhost destinationHostName DestinationHostName',
    'duser destinationUserName DestinationUserName',
    'dntdom destinationNtDomain DestinationNTDomain domain',
    'duid destinationUserId DestinationUserID',
    'dpid destinationProcessId DestinationProcessId',
    'dproc destinationProcessName DestinationProcessName',
    'dvc deviceAddress DeviceAddress',
    'dvchost deviceHostName DeviceName Computer',
    'dvcpid deviceProcessId ProcessID',
    'deviceProcessName ProcessName',
    'deviceDirection CommunicationDirection',
    'deviceSeverity DeviceSeverity',
    'dtz deviceTimeZone DeviceTimeZone',
    'proto transportProtocol Protocol',
    'fname fileName FileName',
    'filePath FilePath',
    'fsize fileSize FileSize',
    'fileHash FileHash',
    'fileType FileType',
    'oldFilePath OldFilePath',
    'externalId ExternalID ExtID',
    'outcome eventOutcome EventOutcome',
    'msg message Message',
    'rt deviceReceiptTime ReceiptTime',
    'start startTime StartTime',
    'end endTime EndTime',
    'request requestUrl RequestURL',
    'cat deviceEventCategory DeviceEventCategory',
    'c6a2 deviceCustomIPv6Address2 DeviceCustomIPv6Address2',
    'c6a3 deviceCustomIPv6Address3 DeviceCustomIPv6Address3',
  ].map((line) => {
    const names = line.split(' ');
    return [names[0] ?? '', names];
  }),
);

/** A field by CEF's short key, under whichever name the line has it; undefined also when it says that it does not know. */
export function deviceField(line: DeviceLine, key: string): string | undefined {
  for (const name of ALIASES.get(key) ?? [key]) {
    const value = textOf(line.fields.get(name));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Keys that a label names, short and long. */
const LABELLED: readonly (readonly [string, string, string])[] = [
  ['cs', 'deviceCustomString', 'DeviceCustomString'] as const,
  ['cn', 'deviceCustomNumber', 'DeviceCustomNumber'] as const,
  ['flexString', 'flexString', 'FlexString'] as const,
  ['deviceCustomDate', 'deviceCustomDate', 'DeviceCustomDate'] as const,
].flatMap(([short, long, column]) =>
  Array.from({ length: short === 'cs' ? 6 : 3 }, (_, i): readonly [string, string, string] => [
    `${short}${i + 1}`,
    `${long}${i + 1}`,
    `${column}${i + 1}`,
  ]),
);

/** `Process GUID`, `Process_Guid` and `ProcessGuid` are one label. */
const bare = (label: string): string => label.replace(/[\s_-]/g, '').toLowerCase();

/** The custom fields of a line (`cs1` … `cs6` and their kin) by their labels. */
export class LabelledFields {
  private readonly values = new Map<string, string>();
  private readonly unlabelled = new Map<string, string>();

  constructor(line: DeviceLine) {
    for (const names of LABELLED) {
      const name = names.find((candidate) => line.fields.has(candidate));
      const value = name === undefined ? undefined : textOf(line.fields.get(name));
      if (value === undefined) continue;
      const labels = names.map((candidate) => line.fields.get(`${candidate}Label`));
      const label = labels.find((candidate) => candidate !== undefined);
      if (label === undefined) this.unlabelled.set(names[0], value);
      else if (!this.values.has(bare(label))) this.values.set(bare(label), value);
    }
  }

  /** The value under the first of these labels, each in lower case without blanks. */
  get(...labels: readonly string[]): string | undefined {
    return labels.map((label) => this.values.get(label)).find((value) => value !== undefined);
  }

  /** A custom field by its key, if the line has no label for it: its place is all that tells what it is. */
  unnamed(key: string): string | undefined {
    return this.unlabelled.get(key);
  }

  /** Labels and values, for who looks for a part of a label. */
  entries(): Iterable<readonly [label: string, value: string]> {
    return this.values;
  }
}
