import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { listCaptures } from '../../sensor/capture/list-captures.ts';
import { type CommandSpec, helpText, parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { EvidenceDirectory } from '../../sensor/publish/evidence-directory.ts';
import { LineWriter } from '../../sensor/publish/line-writer.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { isHeld, withBudget } from '../alert/budget.ts';
import { isAllowed, withExceptions } from '../alert/exception.ts';
import { readExceptions } from '../alert/exception-file.ts';
import { alertTable } from '../alert/table.ts';
import { joinedDocument } from '../alert/waybill-document.ts';
import { Enricher, type PutOptions } from '../enricher.ts';
import type { EndpointEvent } from '../event/endpoint-event.ts';
import { readFlowLogs } from '../ingest/flow-logs/read-flow-logs.ts';
import { listEndpointFiles } from '../ingest/list-endpoint-files.ts';
import { readEndpointFile } from '../ingest/read-endpoint-file.ts';
import type { WaybillLine } from '../join/join-flow.ts';
import { defaultSettings, readSettings, type Settings } from '../settings.ts';
import { openEmbedded } from '../store/embedded.ts';
import { MAX_FACTS_PER_SERIES } from '../store/limits.ts';
import type { StoreCounters, StoredAlert } from '../store/store.ts';
import { FLOW_BATCH } from './flow-queue.ts';
import { readFlows } from './read-flows.ts';

export const REPLAY: CommandSpec = {
  name: 'replay',
  usage: '--capture PATH… | --flows PATH… --endpoint PATH… [--all]',
  summary:
    'Runs the whole pipeline over captures and endpoint logs in event time and prints the alerts: JSON lines, or a table on a terminal.',
  options: [
    { name: 'capture', argument: 'PATH', multiple: true, describe: 'Capture file or directory of captures.' },
    {
      name: 'flows',
      argument: 'PATH',
      multiple: true,
      describe:
        'Instead of packets: Zeek ssl.log with conn.log (TSV or JSON), Suricata EVE, or flow records of Waybill.',
    },
    {
      name: 'endpoint',
      argument: 'PATH',
      multiple: true,
      describe: 'Endpoint log or directory of logs, of any feed that normalize reads.',
    },
    { name: 'config', argument: 'FILE', describe: 'Settings (YAML).' },
    { name: 'all', describe: 'Also print every joined flow (the waybills), alerting or not.' },
    {
      name: 'data',
      argument: 'DIR',
      describe: 'Keep the store in this directory (explain reads it); default: a temporary one.',
    },
    {
      name: 'evidence',
      argument: 'DIR',
      describe: 'Write the handshake packets of every encrypted flow into DIR, one small pcap file a flow.',
    },
    { name: 'json', describe: 'JSON lines even on a terminal.' },
    {
      name: 'fail-on',
      argument: 'TIER',
      describe: 'Exit with 10 when there is an alert of this tier (high, medium) or above.',
    },
  ],
  notes:
    'Exit codes: 0 fine, 1 could not run, 2 usage or configuration, 3 input damaged but partly read, 10 alerts with --fail-on.',
};

/** Events handed to the store at once. */
const EVENT_BATCH = 2_000;

export interface ReplayInput {
  readonly captures: readonly string[];
  /** Logs of Zeek, Suricata or Waybill. */
  readonly flows?: readonly string[];
  readonly endpoints: readonly string[];
  readonly settings: Settings;
  /** Store directory; a temporary one when absent. */
  readonly data?: string;
  /** Directory for the handshake packets of every encrypted flow. */
  readonly evidence?: string;
  readonly onJoined?: (document: Record<string, unknown>) => void;
}

export interface ReplayResult {
  readonly alerts: readonly StoredAlert[];
  /** One line for every damaged or unread input. */
  readonly complaints: readonly string[];
  /** What did not fit and was not judged. */
  readonly left?: string;
}

export async function replayCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(REPLAY));
    return Exit.fine;
  }
  const options = parseCommand(REPLAY, args);
  if (options.positionals.length > 0) {
    throw new UserError(`${options.positionals[0]}: name inputs with --capture or --endpoint`, Exit.usage);
  }
  const failOn = options.text('fail-on');
  if (failOn !== undefined && failOn !== 'high' && failOn !== 'medium') {
    throw new UserError(`--fail-on ${failOn}: expected high or medium`, Exit.usage);
  }
  const captures = options.list('capture');
  const endpoints = options.list('endpoint');
  const flows = options.list('flows');
  if (captures.length + flows.length === 0) {
    throw new UserError('nothing to replay: name captures with --capture, or flow logs with --flows', Exit.usage);
  }
  const config = options.text('config');
  const data = options.text('data');
  const evidence = options.text('evidence');
  const out = new LineWriter(process.stdout);
  const { alerts, complaints, left } = await replay({
    captures,
    flows,
    endpoints,
    settings: config === undefined ? defaultSettings() : readSettings(config),
    ...(data === undefined ? {} : { data }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(options.on('all') ? { onJoined: (document: Record<string, unknown>) => out.write(document) } : {}),
  });
  if (process.stdout.isTTY && !options.on('json')) {
    await out.flush();
    process.stdout.write(alertTable(alerts));
  } else for (const alert of alerts) out.write(alert.body);
  await out.flush();
  for (const complaint of left === undefined ? complaints : [...complaints, left])
    process.stderr.write(`waybill: ${complaint}\n`);
  const open = alerts.filter((alert) => !isAllowed(alert) && !isHeld(alert));
  if (failOn !== undefined && open.some((a) => tierOf(a) === 'high' || tierOf(a) === failOn)) return Exit.alerts;
  return complaints.length > 0 ? Exit.damaged : Exit.fine;
}

/** Reads everything, then settles once: the alerts are those of the whole recording, whatever the order of the input. */
export async function replay(input: ReplayInput): Promise<ReplayResult> {
  const captures = input.captures.flatMap(capturesAt);
  const endpoints = input.endpoints.flatMap(endpointsAt);
  const evidence = input.evidence === undefined ? undefined : new EvidenceDirectory(input.evidence);
  const directory = input.data ?? mkdtempSync(join(tmpdir(), 'waybill-replay-'));
  const store = await openEmbedded(directory, { durable: false });
  const complaints: string[] = [];
  try {
    const enricher = new Enricher(store, input.settings);
    // Of a store that is kept only what is new is looked at; one that was empty is gone through as a whole.
    const put: PutOptions = { touch: input.data === undefined ? 'none' : 'changed' };
    const sink: Sink = {
      events: (events) => enricher.putEvents(events, put),
      flows: (flows) => enricher.putFlows(flows, put),
    };
    for (const file of endpoints) complaints.push(...(await readEvents(file, sink)));
    for (const file of captures) complaints.push(...(await readFlows(file, sink.flows, evidence)));
    if (evidence?.complaint) complaints.push(evidence.complaint);
    complaints.push(...(await readLogs((input.flows ?? []).flatMap(endpointsAt), sink)));
    const { onJoined } = input;
    const tell = onJoined && ((line: WaybillLine) => onJoined(joinedDocument(line)));
    const alerts = await (input.data === undefined ? enricher.settleAll(tell) : enricher.settle(tell));
    const exceptions = input.data === undefined ? [] : readExceptions(input.data);
    const marked = withExceptions(alerts, exceptions);
    const left = leftOut(store.counters());
    return {
      alerts: withBudget(marked, input.settings.score.alerts_per_day),
      complaints,
      ...(left === undefined ? {} : { left }),
    };
  } finally {
    await store.close();
    if (input.data === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** Where what is read goes. */
interface Sink {
  readonly events: (events: readonly EndpointEvent[]) => Promise<void>;
  readonly flows: (flows: readonly FlowRecord[]) => Promise<void>;
}

/** What did not fit and was not judged. */
function leftOut({ evictedFacts }: StoreCounters): string | undefined {
  if (evictedFacts === 0) return undefined;
  const most = `${MAX_FACTS_PER_SERIES} of a kind are kept of one address or host`;
  return `${evictedFacts} facts, the oldest, were left out: ${most}; replay a shorter time`;
}

async function readLogs(files: readonly string[], sink: Sink): Promise<readonly string[]> {
  let batch: FlowRecord[] = [];
  const { damaged } = await readFlowLogs(files, async (record) => {
    batch.push(record);
    if (batch.length < FLOW_BATCH) return;
    const full = batch;
    batch = [];
    await sink.flows(full);
  });
  await sink.flows(batch);
  return damaged;
}

async function readEvents(file: string, sink: Sink): Promise<string[]> {
  let batch: EndpointEvent[] = [];
  const summary = await readEndpointFile(file, async (event) => {
    batch.push(event);
    if (batch.length >= EVENT_BATCH) {
      const full = batch;
      batch = [];
      await sink.events(full);
    }
  });
  await sink.events(batch);
  return summary.damagedAt.map((line) => `${file}: ${line}`);
}

function capturesAt(path: string): readonly string[] {
  if (!exists(path)) throw new UserError(`${path}: no such file`, Exit.usage);
  const { captures } = listCaptures(path);
  if (captures.length === 0) throw new UserError(`${path}: no captures in this directory`, Exit.usage);
  return captures;
}

function endpointsAt(path: string): readonly string[] {
  if (!exists(path)) throw new UserError(`${path}: no such file`, Exit.usage);
  return listEndpointFiles(path);
}

function exists(path: string): boolean {
  if (path === '-') return true;
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

export const tierOf = (alert: StoredAlert): string =>
  (alert.body as { waybill?: { tier?: string } }).waybill?.tier ?? 'none';
