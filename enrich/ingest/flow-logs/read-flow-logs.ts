import { StringDecoder } from 'node:string_decoder';
import type { FlowRecord } from '../../../sensor/record/flow-record.ts';
import { isObject, type JsonObject, MAX_RECORD_CHARS, parseJson } from '../json-object.ts';
import { DamagedInput, RefusedInput, readBytes } from '../read-bytes.ts';
import { eveFlow, isEve } from './eve-log.ts';
import { flowRecordOf } from './flow-builder.ts';
import { isZeekJson, type ZeekRow, ZeekTsv, zeekFlow, zeekPath } from './zeek-log.ts';

/** Connections whose handshake row and counter row are still to be brought together. Beyond, the oldest go out as they are. */
const MAX_PENDING = 200_000;

export interface FlowLogSummary {
  flows: number;
  /** Rows of logs that say nothing of encrypted connections. */
  ignored: number;
  /** Rows that are no row of a known log. */
  unknown: number;
  /** One line for each input that could not be read to its end. */
  readonly damaged: string[];
}

interface Halves {
  ssl?: ZeekRow | JsonObject;
  conn?: ZeekRow | JsonObject;
  readonly kind: 'zeek' | 'eve';
}

/**
 * Reads flows from the logs of another sensor: Zeek ssl.log with conn.log (TSV or JSON), Suricata EVE, or Waybill's own flow
 * records, told apart line by line, gzip or not. The two rows of one connection may be in different files, in any order.
 */
export async function readFlowLogs(
  paths: readonly string[],
  onFlow: (record: FlowRecord) => Promise<void> | void,
): Promise<FlowLogSummary> {
  const reader = new FlowLogReader(onFlow);
  for (const path of paths) await reader.read(path);
  return reader.end();
}

class FlowLogReader {
  private readonly onFlow: (record: FlowRecord) => Promise<void> | void;
  private readonly pending = new Map<string, Halves>();
  private readonly summary: FlowLogSummary = { flows: 0, ignored: 0, unknown: 0, damaged: [] };

  constructor(onFlow: (record: FlowRecord) => Promise<void> | void) {
    this.onFlow = onFlow;
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
    for (const halves of this.pending.values()) await this.give(halves);
    this.pending.clear();
    return this.summary;
  }

  private async line(raw: string, tsv: ZeekTsv): Promise<void> {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') return;
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
    if (isZeekJson(value)) await this.zeek(new Map(Object.entries(value)));
    else if (isEve(value)) await this.eve(value);
    else if (isOwn(value)) {
      this.summary.flows++;
      await this.onFlow(value as unknown as FlowRecord);
    } else this.summary.unknown++;
  }

  private async zeek(row: ZeekRow): Promise<void> {
    const path = zeekPath(row);
    const uid = row.get('uid');
    if (path === 'other' || typeof uid !== 'string') this.summary.ignored++;
    else await this.half(`zeek|${uid}`, 'zeek', path === 'conn' ? 'conn' : 'ssl', row);
  }

  private async eve(value: JsonObject): Promise<void> {
    const type = value['event_type'];
    const half = type === 'flow' ? 'conn' : type === 'tls' || type === 'quic' || type === 'ssh' ? 'ssl' : undefined;
    if (half === undefined) this.summary.ignored++;
    else await this.half(`eve|${String(value['flow_id'])}`, 'eve', half, value);
  }

  private async half(
    key: string,
    kind: Halves['kind'],
    half: 'ssl' | 'conn',
    row: ZeekRow | JsonObject,
  ): Promise<void> {
    const known = this.pending.get(key) ?? { kind };
    known[half] = row;
    if (known.ssl && known.conn) {
      this.pending.delete(key);
      await this.give(known);
      return;
    }
    this.pending.set(key, known);
    if (this.pending.size <= MAX_PENDING) return;
    const [oldest, halves] = this.pending.entries().next().value!;
    this.pending.delete(oldest);
    await this.give(halves);
  }

  private async give({ kind, ssl, conn }: Halves): Promise<void> {
    // A connection without a handshake row is not encrypted as far as that sensor saw.
    const flow =
      kind === 'zeek'
        ? ssl && zeekFlow(ssl as ZeekRow, conn as ZeekRow | undefined)
        : ssl && eveFlow(ssl as JsonObject, conn as JsonObject | undefined);
    const record = flow && flowRecordOf(flow);
    if (!record) {
      this.summary.ignored++;
      return;
    }
    this.summary.flows++;
    await this.onFlow(record);
  }
}

/** A flow record of ours, as far as enrich relies on it. */
function isOwn(value: JsonObject): boolean {
  const part = (name: string): JsonObject => (isObject(value[name]) ? (value[name] as JsonObject) : {});
  const side = (name: string) => {
    const { ip, port, bytes } = part(name) as { ip?: unknown; port?: unknown; bytes?: unknown };
    return typeof ip === 'string' && Number.isInteger(port) && typeof bytes === 'number' && bytes >= 0;
  };
  return (
    part('event')['dataset'] === 'waybill.flow' &&
    typeof part('event')['start'] === 'string' &&
    typeof part('event')['end'] === 'string' &&
    typeof part('waybill')['flow_id'] === 'string' &&
    typeof part('network')['transport'] === 'string' &&
    typeof value['@timestamp'] === 'string' &&
    side('source') &&
    side('destination')
  );
}
