import { StringDecoder } from 'node:string_decoder';
import { RecencyMap } from '../../../sensor/base/recency-map.ts';
import type { FlowRecord } from '../../../sensor/record/flow-record.ts';
import { isObject, type JsonObject, MAX_RECORD_CHARS, parseJson } from '../json-object.ts';
import { DamagedInput, RefusedInput, readBytes } from '../read-bytes.ts';
import { eveFlow, eveId, isEve } from './eve-log.ts';
import { flowRecordOf } from './flow-builder.ts';
import { isOwn, ownRecord } from './own-record.ts';
import { type ZeekRow, ZeekTsv, zeekFlow, zeekJson, zeekPath } from './zeek-log.ts';

export interface FlowLogLimits {
  /** Connections whose rows are still to be brought together. Beyond, the oldest go out as they are. */
  readonly pending: number;
  /** UTF-16 units of all rows that wait. */
  readonly pendingChars: number;
  /** Connections remembered as given, so that a further row of theirs makes no second flow. */
  readonly given: number;
}

export const FLOW_LOG_LIMITS: FlowLogLimits = { pending: 200_000, pendingChars: 256 << 20, given: 200_000 };

export interface FlowLogSummary {
  flows: number;
  /** Rows of logs that say nothing of encrypted connections. */
  ignored: number;
  /** Rows that are no row of a known log. */
  unknown: number;
  /** One line for each input that could not be read to its end. */
  readonly damaged: string[];
}

type Row = ZeekRow | JsonObject;
type Part = 'ssl' | 'quic' | 'conn';

interface Parts {
  readonly kind: 'zeek' | 'eve';
  ssl?: Row;
  /** Zeek's quic.log: what ssl.log says of the connection goes before it. */
  quic?: Row;
  conn?: Row;
  chars: number;
}

/**
 * Reads flows from the logs of another sensor: Zeek ssl.log with conn.log (TSV or JSON), Suricata EVE, or Waybill's own flow
 * records, told apart line by line, gzip or not. The two rows of one connection may be in different files, in any order.
 */
export async function readFlowLogs(
  paths: readonly string[],
  onFlow: (record: FlowRecord) => Promise<void> | void,
  limits: FlowLogLimits = FLOW_LOG_LIMITS,
): Promise<FlowLogSummary> {
  const reader = new FlowLogReader(onFlow, limits);
  for (const path of paths) await reader.read(path);
  return reader.end();
}

class FlowLogReader {
  private readonly onFlow: (record: FlowRecord) => Promise<void> | void;
  private readonly limits: FlowLogLimits;
  private readonly pending = new RecencyMap<Parts>();
  private readonly given = new RecencyMap<true>();
  private pendingChars = 0;
  private lineChars = 0;
  private readonly summary: FlowLogSummary = { flows: 0, ignored: 0, unknown: 0, damaged: [] };

  constructor(onFlow: (record: FlowRecord) => Promise<void> | void, limits: FlowLogLimits) {
    this.onFlow = onFlow;
    this.limits = limits;
  }

  async read(path: string): Promise<void> {
    const tsv = new ZeekTsv();
    const decoder = new StringDecoder('utf8');
    let rest = '';
    try {
      for await (const chunk of readBytes(path, process.stdin)) {
        const lines = (rest + decoder.write(chunk)).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > MAX_RECORD_CHARS)
          throw new DamagedInput(`a line is longer than ${MAX_RECORD_CHARS} characters`);
        for (const line of lines) await this.line(line, tsv);
      }
      if (rest !== '') await this.line(rest, tsv);
    } catch (error) {
      if (!(error instanceof DamagedInput || error instanceof RefusedInput)) throw error;
      this.summary.damaged.push(`${path}: ${error.message}`);
    }
  }

  async end(): Promise<FlowLogSummary> {
    while (this.pending.size > 0) await this.giveOldest();
    return this.summary;
  }

  private async line(raw: string, tsv: ZeekTsv): Promise<void> {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') return;
    this.lineChars = line.length;
    if (!line.startsWith('{')) {
      const row = tsv.line(line);
      if (row) await this.zeek(row);
      else if (!line.startsWith('#')) this.summary.unknown++;
      return;
    }
    const parsed = parseJson(line);
    if (!parsed.ok || !isObject(parsed.value)) this.summary.unknown++;
    else await this.json(parsed.value);
  }

  private async json(value: JsonObject): Promise<void> {
    const row = zeekJson(value);
    if (row) await this.zeek(row);
    else if (isEve(value)) await this.eve(value);
    else if (isOwn(value)) await this.own(value);
    else this.summary.unknown++;
  }

  private async own(value: JsonObject): Promise<void> {
    const record = ownRecord(value);
    if (!record) {
      this.summary.unknown++;
      return;
    }
    this.summary.flows++;
    await this.onFlow(record);
  }

  private async zeek(row: ZeekRow): Promise<void> {
    const path = zeekPath(row);
    const uid = row.get('uid');
    if (path === 'other' || typeof uid !== 'string') this.summary.ignored++;
    else await this.part(`zeek|${uid}`, 'zeek', path, row);
  }

  private async eve(value: JsonObject): Promise<void> {
    const type = value['event_type'];
    const part = type === 'flow' ? 'conn' : type === 'tls' || type === 'quic' || type === 'ssh' ? 'ssl' : undefined;
    const id = eveId(value);
    if (part === undefined || id === undefined) this.summary.ignored++;
    else await this.part(`eve|${id}`, 'eve', part, value);
  }

  private async part(key: string, kind: Parts['kind'], part: Part, row: Row): Promise<void> {
    if (this.given.has(key)) {
      this.summary.ignored++;
      return;
    }
    const known = this.pending.get(key) ?? { kind, chars: 0 };
    // Suricata writes an event for each side of a QUIC handshake; the client's, which comes first, has the names.
    known[part] ??= row;
    known.chars += this.lineChars;
    this.pendingChars += this.lineChars;
    // In the order in which the connections were first met.
    if (!this.pending.has(key)) this.pending.renew(key, known);
    if (known.ssl && known.conn) await this.give(key, known);
    while (this.pending.size > this.limits.pending || this.pendingChars > this.limits.pendingChars) {
      await this.giveOldest();
    }
  }

  private async giveOldest(): Promise<void> {
    const key = this.pending.oldest()!;
    await this.give(key, this.pending.get(key)!);
  }

  /** The connection is complete, or nothing more will be waited for. */
  private async give(key: string, { kind, ssl, quic, conn, chars }: Parts): Promise<void> {
    this.pending.delete(key);
    this.pendingChars -= chars;
    this.remember(key);
    const flow =
      kind === 'zeek'
        ? zeekFlow((ssl ?? quic) as ZeekRow | undefined, conn as ZeekRow | undefined)
        : eveFlow(ssl as JsonObject | undefined, conn as JsonObject | undefined);
    const record = flow && flowRecordOf(flow);
    if (!record) {
      this.summary.ignored++;
      return;
    }
    this.summary.flows++;
    await this.onFlow(record);
  }

  private remember(key: string): void {
    this.given.renew(key, true);
    if (this.given.size > this.limits.given) this.given.delete(this.given.oldest()!);
  }
}
