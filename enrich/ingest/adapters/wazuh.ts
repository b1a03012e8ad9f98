import { textOf } from '../field-values.ts';
import { isObject, type JsonObject, objectAt, own } from '../json-object.ts';
import { assembleRecord } from '../windows/assemble-record.ts';
import { readWindows } from '../windows/read-windows.ts';
import { utcLogTime } from '../windows/windows-record.ts';
import type { Adapter } from './adapter.ts';

/**
 * Wazuh's event channel records: `win.system` and `win.eventdata`, alone or under `data` of an alert or archive. Keys begin in
 * lower case, and decoders up to 4.x double every backslash inside the value (FEEDS 9).
 */
export const wazuh: Adapter = {
  feed: 'wazuh',
  claims: (record) => winOf(record) !== undefined,
  read(record, context) {
    const win = winOf(record);
    const system = win && objectAt(win, 'system');
    if (!win || !system) return undefined;
    const data = own(win, 'eventdata') ?? own(win, 'eventData');
    const fields = isObject(data) ? eventData(data) : new Map<string, string>();
    const windows = assembleRecord({
      provider: own(system, 'providerName'),
      guid: own(system, 'providerGuid'),
      channel: own(system, 'channel'),
      eventId: own(system, 'eventID') ?? own(system, 'eventId'),
      computer: own(system, 'computer') ?? (objectAt(record, 'agent') && own(objectAt(record, 'agent') ?? {}, 'name')),
      recordId: own(system, 'eventRecordID') ?? own(system, 'eventRecordId'),
      logged: utcLogTime(own(system, 'systemTime')) ?? utcLogTime(own(record, 'timestamp')),
      keywords: own(system, 'keywords'),
      fields: (name) => fields.get(name.toLowerCase()),
      // The text of the message is wrapped in quotes and repeats the fields; nothing is only there.
      message: undefined,
    });
    return windows && readWindows(windows, context, 'wazuh');
  },
};

/** The parts of a row of a table, whose columns have the whole path as their name. */
function fromColumns(record: JsonObject): JsonObject | undefined {
  if (own(record, 'data.win.system.eventID') === undefined) return undefined;
  const part = (prefix: string): JsonObject =>
    Object.fromEntries(
      Object.entries(record).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      ),
    );
  return { system: part('data.win.system.'), eventdata: part('data.win.eventdata.') };
}

function winOf(record: JsonObject): JsonObject | undefined {
  // The decoder of Sysmon for Linux leaves `win` out.
  for (const path of ['win', 'data.win', 'data']) {
    const win = objectAt(record, path);
    if (win && isObject(own(win, 'system')) && isObject(own(win, 'eventdata') ?? own(win, 'eventData') ?? {}))
      return win;
  }
  return fromColumns(record);
}

function eventData(data: JsonObject): Map<string, string> {
  const fields = new Map<string, string>();
  for (const name of Object.keys(data)) {
    const text = textOf(data[name]);
    if (text !== undefined) fields.set(name.toLowerCase(), text);
  }
  if (![...fields.values()].some(hasSingleBackslash)) {
    for (const [name, text] of fields) fields.set(name, text.replaceAll('\\\\', '\\'));
  }
  return fields;
}

/** A run of backslashes of odd length, which cannot be when all of them were doubled. */
function hasSingleBackslash(text: string): boolean {
  let run = 0;
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === '\\') run++;
    else {
      if (run % 2 === 1) return true;
      run = 0;
    }
  }
  return false;
}
