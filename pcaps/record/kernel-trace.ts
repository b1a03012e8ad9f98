/**
 * The kernel's own word on processes and sockets, through tracefs: fork, exec and exit of every process, and the
 * moment each TCP connect left a process. This is what makes pids, parents, times and socket owners in the endpoint
 * logs true. A trace instance of our own is used, so that other users of tracing are not disturbed.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shQuiet } from './shell.ts';

const TRACEFS = '/sys/kernel/tracing';
const INSTANCE = join(TRACEFS, 'instances', 'waybill-recording');
const EVENTS = [
  'sched/sched_process_fork',
  'sched/sched_process_exec',
  'sched/sched_process_exit',
  'sock/inet_sock_set_state',
];
const BUFFER_KILOBYTES_PER_CPU = 16_384;

/** All times are microseconds since 1970 UTC. */
export interface KernelTrace {
  readonly execs: readonly { readonly at: number; readonly pid: number; readonly file: string }[];
  readonly exits: ReadonlyMap<number, number>;
  /** Child process to the process (not thread) that forked it. */
  readonly parents: ReadonlyMap<number, number>;
  readonly connects: readonly Connect[];
}

export interface Connect {
  readonly at: number;
  readonly pid: number;
  readonly destination: string;
  readonly destinationPort: number;
}

export function startKernelTrace(): void {
  if (!existsSync(join(TRACEFS, 'instances'))) shQuiet('mount', '-t', 'tracefs', 'nodev', TRACEFS);
  if (!existsSync(INSTANCE)) mkdirSync(INSTANCE);
  const set = (file: string, value: string): void => writeFileSync(join(INSTANCE, file), value);
  set('tracing_on', '0');
  set('trace', '');
  set('buffer_size_kb', String(BUFFER_KILOBYTES_PER_CPU));
  set('trace_clock', 'tai');
  set('options/record-tgid', '1');
  for (const event of EVENTS) set(`events/${event}/enable`, '1');
  set('tracing_on', '1');
  set('trace_marker', `waybill-now ${Date.now()}`);
}

export function stopKernelTrace(): KernelTrace {
  writeFileSync(join(INSTANCE, 'tracing_on'), '0');
  const text = readFileSync(join(INSTANCE, 'trace'), 'utf8');
  rmdirSync(INSTANCE);
  return parseTrace(text);
}

const LINE = /^\s*.+-(\d+)\s+\(\s*(\d+|-+)\)\s+\[\d+\]\s+\S+\s+(\d+)\.(\d+): (\w+): (.*)$/;
const CONNECT = /dport=(\d+) saddr=\S+ daddr=(\S+) saddrv6=\S+ daddrv6=(\S+) oldstate=TCP_CLOSE newstate=TCP_SYN_SENT/;

function parseTrace(text: string): KernelTrace {
  const execs: { at: number; pid: number; file: string }[] = [];
  const exits = new Map<number, number>();
  const parents = new Map<number, number>();
  const threads = new Map<number, number>();
  const connects: Connect[] = [];
  // TAI runs whole seconds ahead of UTC where a time service has set the offset; 0 elsewhere.
  let ahead = 0;
  for (const line of text.split('\n')) {
    const parts = LINE.exec(line);
    if (parts === null) continue;
    const task = Number(parts[1]);
    const group = parts[2]!.startsWith('-') ? (threads.get(task) ?? task) : Number(parts[2]);
    threads.set(task, group);
    const at = Number(parts[3]) * 1e6 + Number(parts[4]) - ahead;
    const detail = parts[6]!;
    switch (parts[5]) {
      case 'tracing_mark_write': {
        const now = /waybill-now (\d+)/.exec(detail);
        if (now !== null) ahead = Math.round((at - Number(now[1]) * 1e3) / 1e6) * 1e6;
        break;
      }
      case 'sched_process_fork': {
        const child = /child_pid=(\d+)/.exec(detail);
        if (child !== null) parents.set(Number(child[1]), group);
        break;
      }
      case 'sched_process_exec': {
        const exec = /filename=(\S+) pid=(\d+)/.exec(detail);
        if (exec !== null) execs.push({ at, pid: Number(exec[2]), file: exec[1]! });
        break;
      }
      case 'sched_process_exit':
        exits.set(task, at);
        break;
      case 'inet_sock_set_state': {
        const opened = CONNECT.exec(detail);
        if (opened !== null)
          connects.push({ at, pid: group, destinationPort: Number(opened[1]), destination: address(opened) });
        break;
      }
    }
  }
  return { execs, exits, parents, connects };
}

/** The IPv6 column carries `::ffff:a.b.c.d` for IPv4 sockets. */
function address(opened: RegExpExecArray): string {
  const ip6 = opened[3]!;
  return ip6.startsWith('::ffff:') ? opened[2]! : ip6;
}
