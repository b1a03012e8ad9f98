import { textOf } from '../field-values.ts';
import { scanXml } from '../xml-scan.ts';
import { insertedField } from './event-inserts.ts';
import { lazyMessage, securityMessageFields, sysmonMessageFields } from './event-message.ts';
import { sysmonInserted } from './sysmon-inserts.ts';
import { logOf, utcLogTime, type WindowsRecord } from './windows-record.ts';

/** Most event fields read of one record; the largest Windows event has under a hundred. */
const MAX_FIELDS = 512;

/** The parts of `<Event><System>…</System><EventData><Data Name="…">…</Data></EventData></Event>`. */
interface XmlParts {
  readonly system: Map<string, string>;
  readonly data: Map<string, string>;
  /** Values without a name, in order. */
  readonly unnamed: string[];
  message: string | undefined;
}

/**
 * Reads one Event element (the schema of `http://schemas.microsoft.com/win/2004/08/events/event`), as wevtutil, Windows Event
 * Forwarding, libevtx and Splunk's XmlWinEventLog write it.
 */
export function readEventXml(xml: string): WindowsRecord | undefined {
  const { system, data, unnamed, message } = parts(xml);
  const eventId = Number(system.get('EventID')?.trim());
  if (!Number.isInteger(eventId)) return undefined;
  const provider = system.get('Provider@Name') ?? system.get('Provider@EventSourceName');
  const channel = system.get('Channel');
  const log = logOf(provider, system.get('Provider@Guid'), channel);
  const inserted = log === 'security' ? insertedField : log === 'sysmon' ? sysmonInserted : () => () => undefined;
  const fromInserts = unnamed.length === 0 ? () => undefined : inserted(eventId, unnamed);
  const fromMessage = lazyMessage(message, log === 'sysmon' ? sysmonMessageFields : securityMessageFields);
  return {
    log,
    provider: provider ?? channel ?? 'windows',
    eventId,
    computer: textOf(system.get('Computer'))?.trim(),
    sender: undefined,
    recordId: textOf(system.get('EventRecordID')),
    logged: utcLogTime(system.get('TimeCreated@SystemTime')),
    zoneHint: undefined,
    field: (name) => data.get(name) ?? fromInserts(name) ?? fromMessage(name),
    failed: system.get('Keywords')?.toLowerCase().startsWith('0x801') === true,
  };
}

/** Event fields of the `EventData` XML that Azure Monitor puts into a string. */
export function readEventDataXml(xml: string): ReadonlyMap<string, string> {
  return parts(xml).data;
}

function parts(xml: string): XmlParts {
  const found: XmlParts = { system: new Map(), data: new Map(), unnamed: [], message: undefined };
  let section = '';
  let element = '';
  let dataName: string | undefined;
  let isUnnamed = false;
  let text = '';
  scanXml(xml, {
    open(name, attribute) {
      text = '';
      element = name;
      if (name === 'System' || name === 'EventData' || name === 'UserData' || name === 'RenderingInfo') section = name;
      else if (section === 'System') openSystem(found.system, name, attribute);
      else if (section === 'EventData' && name === 'Data') {
        const given = attribute('Name');
        dataName = given ?? '';
        isUnnamed = given === undefined;
      }
    },
    close(name) {
      if (name === section) section = '';
      else if (section === 'System' && name === element) remember(found.system, name, text);
      else if (section === 'EventData' && name === 'Data' && dataName !== undefined) {
        if (dataName !== '') remember(found.data, dataName, text);
        else if (isUnnamed && found.unnamed.length < MAX_FIELDS) found.unnamed.push(text);
        dataName = undefined;
      } else if (section === 'RenderingInfo' && name === 'Message') found.message ??= text;
      text = '';
    },
    text(more) {
      text += more;
    },
  });
  return found;
}

const SYSTEM_ATTRIBUTES: readonly (readonly [element: string, attribute: string])[] = [
  ['Provider', 'Name'],
  ['Provider', 'Guid'],
  ['Provider', 'EventSourceName'],
  ['TimeCreated', 'SystemTime'],
];

function openSystem(system: Map<string, string>, name: string, attribute: (name: string) => string | undefined): void {
  for (const [element, wanted] of SYSTEM_ATTRIBUTES) {
    if (element !== name) continue;
    const value = attribute(wanted);
    if (value !== undefined) remember(system, `${name}@${wanted}`, value);
  }
}

/** The first value of a name stays: a second one can only be a forgery or an echo. */
function remember(map: Map<string, string>, name: string, value: string): void {
  if (map.size < MAX_FIELDS && !map.has(name)) map.set(name, value);
}
