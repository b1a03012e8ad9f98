import { MAX_RECORD_CHARS } from './json-object.ts';

/** Most columns of a table. */
const MAX_COLUMNS = 1024;

/** Names that at least two columns of a header must have for a text to be taken as a table of endpoint events. */
const KNOWN_COLUMNS = new Set(
  [
    'Timestamp,TimeGenerated,DeviceId,DeviceName,ActionType,ReportId,MachineId,InitiatingProcessId,InitiatingProcessFileName',
    'InitiatingProcessCreationTime,ProcessId,ProcessGuid,ProcessCommandLine,CreatedProcessId,CreatedProcessName,FolderPath',
    'FileName,RemoteIP,LocalIP,EventID,EventCode,EventId,Computer,Hostname,ComputerName,Channel,Image,CommandLine,UtcTime',
    '_raw,_time,host,event_simpleName,aid,ContextTimeStamp,event.type,event.time,agent.uuid,endpoint.name,@timestamp',
    'EventRecordId,EventRecordID,TimeCreated,Provider,ProviderName,MachineName,LogName,Id,Message,Payload,MapDescription',
    'winlog.event_id,winlog.channel,winlog.computer_name,winlog.provider_name,event.dataset,event.module,host.name',
    'process.pid,process.executable,event.action,class_uid,time,EventData,RenderedDescription,ReportTime',
    'data.win.system.eventID,data.win.system.computer,data.win.system.channel,data.win.system.providerName,agent.name',
    'xml_string,timestamp_desc,event_identifier,computer_name,source_name,SourceName,timestamp,source',
    'Date and Time,Event ID,Source,RuleTitle,datetime,RecordID,Record ID,EventTitle',
  ].flatMap((line) => line.split(',')),
);

/** The delimiter of a header line, or undefined when the line is no header of ours. */
export function csvDelimiter(line: string): string | undefined {
  for (const delimiter of [',', ';', '\t', '|']) {
    const names = splitLine(line, delimiter);
    if (names === undefined || names.length < 3 || names.length > MAX_COLUMNS) continue;
    if (names.filter((name) => KNOWN_COLUMNS.has(columnName(name))).length >= 2) return delimiter;
  }
  return undefined;
}

/** The portal writes the zone of a time column into its name. */
const UTC_SUFFIX = ' [UTC]';
const columnName = (name: string): string =>
  (name.endsWith(UTC_SUFFIX) ? name.slice(0, -UTC_SUFFIX.length) : name).trim();

export interface CsvRow {
  /** One past the row and its line break. */
  readonly end: number;
  readonly cells: readonly string[];
}

/** What a row reader says: a row, or that more text is needed, or that the row is damaged. */
export type RowRead =
  | { readonly kind: 'row'; readonly row: CsvRow }
  | { readonly kind: 'more' }
  | { readonly kind: 'damaged'; readonly why: string };

/**
 * Reads one row (RFC 4180): cells in double quotes may hold delimiters, line breaks and doubled quotes. `isLast` says that no
 * more text will come.
 */
export function readRow(buffer: string, start: number, delimiter: string, isLast: boolean): RowRead {
  const cells: string[] = [];
  const limit = Math.min(buffer.length, start + MAX_RECORD_CHARS);
  let at = start;
  for (;;) {
    if (cells.length >= MAX_COLUMNS) return { kind: 'damaged', why: 'too many columns' };
    const cell = buffer[at] === '"' ? quotedCell(buffer, at, limit) : plainCell(buffer, at, limit, delimiter);
    if (cell === undefined) {
      if (limit - start >= MAX_RECORD_CHARS) return { kind: 'damaged', why: 'longer than 1 MiB' };
      if (!isLast) return { kind: 'more' };
      if (buffer[at] === '"') return { kind: 'damaged', why: 'cut off inside a quoted cell' };
      return { kind: 'row', row: { end: buffer.length, cells: [...cells, buffer.slice(at)] } };
    }
    cells.push(cell.text);
    at = cell.end;
    const next = buffer[at];
    if (next === delimiter) at++;
    else if (next === undefined) return isLast ? { kind: 'row', row: { end: at, cells } } : { kind: 'more' };
    else if (next === '\n') return { kind: 'row', row: { end: at + 1, cells } };
    else if (next === '\r') return { kind: 'row', row: { end: buffer[at + 1] === '\n' ? at + 2 : at + 1, cells } };
    else return { kind: 'damaged', why: 'text after a quoted cell' };
  }
}

function plainCell(
  buffer: string,
  start: number,
  limit: number,
  delimiter: string,
): { text: string; end: number } | undefined {
  for (let i = start; i < limit; i++) {
    const character = buffer[i];
    if (character === delimiter || character === '\n' || character === '\r')
      return { text: buffer.slice(start, i), end: i };
  }
  return undefined;
}

function quotedCell(buffer: string, start: number, limit: number): { text: string; end: number } | undefined {
  let at = start + 1;
  while (at < limit) {
    const quote = buffer.indexOf('"', at);
    // A quote at the very end may be the first of two.
    if (quote < 0 || quote + 1 >= limit) break;
    if (buffer[quote + 1] !== '"')
      return { text: buffer.slice(start + 1, quote).replaceAll('""', '"'), end: quote + 1 };
    at = quote + 2;
  }
  return limit === buffer.length && buffer.endsWith('"') && limit > start + 1 && oddQuotes(buffer, start + 1)
    ? { text: buffer.slice(start + 1, -1).replaceAll('""', '"'), end: buffer.length }
    : undefined;
}

/** Whether the quotes that end the buffer close the cell: an odd run of them does. */
function oddQuotes(buffer: string, from: number): boolean {
  let run = 0;
  for (let i = buffer.length - 1; i >= from && buffer[i] === '"'; i--) run++;
  return run % 2 === 1;
}

function splitLine(line: string, delimiter: string): readonly string[] | undefined {
  const read = readRow(line, 0, delimiter, true);
  return read.kind === 'row' && read.row.end >= line.length ? read.row.cells : undefined;
}

/** A time of a column in UTC, with its zone, unless it says so itself (the API writes ISO 8601 with a `Z`). */
const asUtc = (cell: string): string => (cell === '' || /(?:Z|[+-]\d\d:?\d\d)$/i.test(cell) ? cell : `${cell} UTC`);

const VIEWER_COLUMNS = ['Date and Time', 'Event ID', 'Source'];

/** Turns rows into objects by the names of the header. */
export class CsvTable {
  private readonly names: readonly string[];
  private readonly isUtc: readonly boolean[];

  constructor(header: readonly string[]) {
    this.names = header.map(columnName);
    this.isUtc = header.map((name) => name.endsWith(UTC_SUFFIX));
  }

  /** The row as an object, or undefined when it has another number of cells than the header. */
  object(cells: readonly string[]): { [name: string]: unknown } | undefined {
    // The Event Viewer writes the message into one column more than its header has.
    const isViewer =
      cells.length === this.names.length + 1 && VIEWER_COLUMNS.every((name) => this.names.includes(name));
    if (cells.length !== this.names.length && !isViewer) return undefined;
    const names = isViewer ? [...this.names, 'Message'] : this.names;
    // fromEntries defines properties: a column called __proto__ is a property like any other.
    return Object.fromEntries(names.map((name, i) => [name, this.isUtc[i] ? asUtc(cells[i] ?? '') : cells[i]]));
  }
}
