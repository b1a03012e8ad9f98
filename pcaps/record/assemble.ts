/**
 * Puts the three witnesses of a take together: the kernel trace (who), the capture (what went over the wire) and the
 * step list (what each process stands for). A flow that no process owns is an error, not a guess.
 */
import type { ConnectionFact, DnsFact, Fact, ProcessFact } from './facts.ts';
import { type DnsAnswer, type Flow, readDnsAnswers } from './frames.ts';
import { profileOf } from './hosts.ts';
import type { KernelTrace } from './kernel-trace.ts';
import type { CapturedPacket } from './pcap-file.ts';
import { program } from './programs.ts';
import type { Session, Step } from './session.ts';

/** A connect() and its SYN are this near to each other, microseconds. */
const CONNECT_TO_SYN_MICROS = 60_000;
/** A process asks for a name at most this long before it connects, microseconds. */
const DNS_TO_CONNECT_MICROS = 8_000_000;
/** The AAAA answer may come just after the connection that the A answer began, microseconds. */
const SAME_LOOKUP_MICROS = 50_000;
/** Shell prompts are answered within this of the exec, microseconds. */
const STEP_CLOCK_SLACK_MICROS = 20_000;

export interface Witnesses {
  readonly packets: readonly CapturedPacket[];
  readonly flows: readonly Flow[];
  readonly trace: KernelTrace;
  readonly steps: readonly Step[];
  readonly sessions: readonly Session[];
  /** Owners of UDP sockets by local `ip port`, where they were watched. */
  readonly udpOwners: ReadonlyMap<string, number>;
}

interface Owned {
  readonly process: ProcessFact;
  readonly step: Step;
}

export function assemble(witnesses: Witnesses): Fact[] {
  const { steps, flows, trace, packets } = witnesses;
  const owners = new Map<number, Owned>();
  const roots = rootProcesses(witnesses);
  for (const step of steps) owners.set(step.pid, { step, process: processOf(step, trace, owners, roots) });

  const facts: Fact[] = [];
  const connections = flows.map((flow) => connectionOf(flow, witnesses, owners));
  facts.push(...connections, ...dnsFacts(readDnsAnswers(packets), connections));
  for (const { process, step } of owners.values()) {
    facts.push({ kind: 'start', at: process.startedAt, process, step: step.number });
    if (process.endedAt !== undefined) facts.push({ kind: 'end', at: process.endedAt, process, step: step.number });
  }
  for (const step of steps) {
    const process = owners.get(step.pid)!.process;
    for (const file of step.files) {
      // File systems stamp times with a coarser clock than the trace has.
      const at = Math.max(file.at, process.startedAt);
      facts.push({ kind: 'file', process, step: step.number, ...file, at, completeAt: Math.max(file.completeAt, at) });
    }
  }
  return facts.sort((a, b) => a.at - b.at);
}

function rootProcesses({ sessions, trace }: Witnesses): Map<number, ProcessFact> {
  return new Map(
    sessions.map((session) => {
      const root = program(session.rootProgram);
      const { host, user, rootPid: pid } = session;
      const startedAt = trace.execs.find((exec) => exec.pid === pid)?.at ?? 0;
      const currentDirectory = 'C:\\Windows\\System32\\';
      return [pid, { host, user, pid, program: root, commandLine: root.image, currentDirectory, startedAt }];
    }),
  );
}

function processOf(
  step: Step,
  trace: KernelTrace,
  owners: ReadonlyMap<number, Owned>,
  roots: ReadonlyMap<number, ProcessFact>,
): ProcessFact {
  const exec = trace.execs.find(({ pid, at }) => pid === step.pid && at >= step.from - STEP_CLOCK_SLACK_MICROS);
  const parent = owners.get(step.parentPid)?.process ?? roots.get(step.parentPid);
  if (exec === undefined || parent === undefined) throw new Error(`no exec or parent of ${step.program} ${step.pid}`);
  const endedAt = trace.exits.get(step.pid);
  const { host, user, pid, commandLine, currentDirectory } = step;
  return {
    ...{ host, user, pid, commandLine, currentDirectory, parent, startedAt: exec.at },
    program: withProfile(step.program, step),
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

function withProfile(name: string, step: Step) {
  const entry = program(name);
  return { ...entry, image: entry.image.replace('%USERPROFILE%', profileOf(step.user)) };
}

function connectionOf(flow: Flow, witnesses: Witnesses, owners: Map<number, Owned>): ConnectionFact {
  const { trace, udpOwners } = witnesses;
  const pid =
    flow.transport === 'udp' ? udpOwners.get(`${flow.client} ${flow.clientPort}`) : connector(flow, trace, owners);
  const owner = pid === undefined ? undefined : ownerOf(pid, trace, owners);
  if (owner === undefined) throw new Error(`no process for ${flow.client}:${flow.clientPort} -> ${flow.server}`);
  return {
    kind: 'connection',
    transport: flow.transport,
    at: flow.at,
    process: owner.process,
    step: owner.step.number,
    source: { ip: flow.client, port: flow.clientPort },
    destination: { ip: flow.server, port: flow.serverPort },
  };
}

/** The process whose connect() came next to this SYN. */
function connector(flow: Flow, trace: KernelTrace, owners: Map<number, Owned>): number | undefined {
  return trace.connects
    .filter(
      (entry) =>
        entry.destination === flow.server &&
        entry.destinationPort === flow.serverPort &&
        Math.abs(flow.at - entry.at) < CONNECT_TO_SYN_MICROS,
    )
    .filter((entry) => {
      const owner = ownerOf(entry.pid, trace, owners);
      return owner?.step.host.ip === flow.client || owner?.step.host.ip6 === flow.client;
    })
    .sort((a, b) => Math.abs(flow.at - a.at) - Math.abs(flow.at - b.at))[0]?.pid;
}

/** The step's process itself, or the descendant that owns the socket, made known on its first use. */
function ownerOf(pid: number, trace: KernelTrace, owners: Map<number, Owned>): Owned | undefined {
  const known = owners.get(pid);
  if (known !== undefined) return known;
  let ancestor = trace.parents.get(pid);
  while (ancestor !== undefined && !owners.has(ancestor)) ancestor = trace.parents.get(ancestor);
  const found = ancestor === undefined ? undefined : owners.get(ancestor)!;
  if (found === undefined || found.process.program.helper === undefined) return found;
  const { step, process: parent } = found;
  const helper = withProfile(parent.program.helper!, step);
  const endedAt = trace.exits.get(pid);
  const process: ProcessFact = {
    ...parent,
    pid,
    parent,
    program: helper,
    commandLine: `"${helper.image}" ${parent.program.helperArguments ?? ''}`,
    startedAt: trace.execs.find((exec) => exec.pid === pid)?.at ?? parent.startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
  };
  const owned = { process, step };
  owners.set(pid, owned);
  return owned;
}

/** A name was asked for by whoever on that machine, alive at that time, next connects to what the name stands for. */
function dnsFacts(answers: readonly DnsAnswer[], connections: readonly ConnectionFact[]): DnsFact[] {
  const addressesOf = new Map<string, Set<string>>();
  for (const { name, addresses } of answers) {
    addressesOf.set(name, new Set([...(addressesOf.get(name) ?? []), ...addresses]));
  }
  const facts: DnsFact[] = [];
  for (const { at, client, clientPort, name, addresses } of answers) {
    const next = connections.find(
      (connection) =>
        connection.process.host.ip === client &&
        addressesOf.get(name)!.has(connection.destination.ip) &&
        connection.process.startedAt <= at &&
        connection.at >= at - SAME_LOOKUP_MICROS &&
        connection.at - at < DNS_TO_CONNECT_MICROS,
    );
    if (next === undefined) continue;
    facts.push({ kind: 'dns', at, process: next.process, step: next.step, port: clientPort, name, addresses });
  }
  return facts;
}
