import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { isWhatWasAsked, requestedProgram, requestsIn } from '../evidence/requests.ts';
import { windowsPath } from '../evidence/windows-path.ts';
import type { Fact } from '../store/store.ts';
import { CLOCK_LIMIT } from './clock.ts';
import { type ProcessBody, requestKey } from './facts.ts';
import type { HostProcesses } from './host-processes.ts';
import { lineageRoot, type ProcessInfo } from './lineage.ts';

/** Services that do what others ask for, and start it in their own name. */
const BROKERS = /^(svchost|wmiprvse|services|taskeng|taskhostw)\.exe$/;
/** A feed may be late, and a task may start within the second of its request. Microseconds. */
const SLACK = 5_000_000;
/** Requests for one thing that are looked at: the newest. */
const MAX_REQUESTS = 8;

/** From and to, microseconds. */
type Span = readonly [number, number];

/**
 * The lineage of a sender with the process that asked for it in the place of the service that carried it out: a BITS job is
 * laid to the command that made it when that names the flow's destination, a task or WMI child to the command that asked for
 * just this command line. Which process sent the bytes stays as the join has it. Where requests of several lineages fit,
 * none is taken.
 * @param horizon how long a request may wait, microseconds
 */
export async function onBehalf(
  chain: readonly ProcessInfo[],
  record: FlowRecord,
  at: number,
  processes: HostProcesses,
  horizon: number,
): Promise<readonly ProcessInfo[]> {
  const broker = chain.findIndex(({ image }) => BROKERS.test(windowsPath(image ?? '').base));
  if (broker < 0) return chain;
  const child = chain[broker - 1];
  const before = child?.startedAt ?? at;
  const span: Span = [before - horizon - CLOCK_LIMIT, before + SLACK + CLOCK_LIMIT];
  const asked =
    child === undefined
      ? await transferAskers(chain[0]!, record, processes, span)
      : await startAskers(child, processes, span);
  const askers: { readonly chain: readonly ProcessInfo[]; readonly since: number }[] = [];
  for (const fact of asked) {
    const { process } = fact.body as ProcessBody;
    const asker = await processes.chainOf({ process }, fact.at);
    const since = before - (asker?.[0]?.startedAt ?? fact.at);
    if (asker && since >= -SLACK && since <= horizon) askers.push({ chain: asker, since });
  }
  const roots = new Set(askers.map((asker) => lineageRoot(asker.chain).entityId));
  const [nearest] = askers.sort((a, b) => a.since - b.since || (a.chain[0]!.entityId < b.chain[0]!.entityId ? -1 : 1));
  if (nearest === undefined || roots.size > 1) return chain;
  const [first, ...ancestors] = nearest.chain;
  const marked: ProcessInfo = { ...first!, asked: child === undefined ? 'transfer' : 'start' };
  return [...chain.slice(0, Math.max(1, broker)), marked, ...ancestors];
}

/** The process whose command says what is sent: who made the job, for a service that transfers it. */
export const tellerOf = (chain: readonly ProcessInfo[]): ProcessInfo | undefined =>
  chain[1]?.asked === 'transfer' ? chain[1] : chain[0];

/** Only the service itself transfers jobs: a copy elsewhere under its name borrows nobody's. */
const SERVICE = /^\\windows\\(system32|syswow64)\\svchost\.exe$/;

async function transferAskers(
  sender: ProcessInfo,
  record: FlowRecord,
  processes: HostProcesses,
  span: Span,
): Promise<Fact[]> {
  if (!SERVICE.test(windowsPath(sender.image ?? '').tail)) return [];
  const targets = [record.destination.domain, record.destination.ip].filter((each) => each !== undefined);
  const found = await Promise.all(targets.map((target) => processes.byKey(requestKey('transfer', target), ...span)));
  const byTime = found.flat().sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return byTime.slice(-MAX_REQUESTS);
}

async function startAskers(child: ProcessInfo, processes: HostProcesses, span: Span): Promise<Fact[]> {
  const { commandLine, entityId } = child;
  if (commandLine === undefined) return [];
  const facts = await processes.byKey(requestKey('start', requestedProgram(commandLine)), ...span);
  return facts
    .filter((fact) => {
      const { process } = fact.body as ProcessBody;
      const lines = requestsIn(process.commandLine).starts;
      return process.entityId !== entityId && lines.some((line) => isWhatWasAsked(line, commandLine));
    })
    .slice(-MAX_REQUESTS);
}
