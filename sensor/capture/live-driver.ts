/** The programs that capture: how each is called, and what its standard error says. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CaptureRequest, Driver, LauncherReport } from './live-messages.ts';

export interface DriverProgram {
  readonly command: string;
  readonly args: readonly string[];
  /** Makes the program print its counts and go on. */
  readonly countsSignal: NodeJS.Signals | undefined;
  /** What a line on its standard error says, if it is one we know. */
  readonly read: (line: string) => LauncherReport | undefined;
}

/** True when the driver's packets are stamped by us and not by the kernel. */
export const stampsOnArrival = (driver: Driver): boolean => driver === 'cap';

export function driverProgram(request: CaptureRequest): DriverProgram {
  const program = PROGRAMS[request.driver](request);
  return { ...program, read: (line) => readLibpcap(line) ?? program.read(line) };
}

const PROGRAMS: Readonly<Record<Driver, (request: CaptureRequest) => DriverProgram>> = {
  tcpdump,
  dumpcap,
  cap: capChild,
};

/** What libpcap itself says, whatever program it is in (pcap-linux.c). */
function readLibpcap(line: string): LauncherReport | undefined {
  const isRefusal = /^Warning: (Kernel filter failed|Couldn't allocate kernel memory for filter)/.test(line);
  return isRefusal ? { is: 'filtering late' } : undefined;
}

/**
 * -U writes each packet as it comes: without it up to 4 KiB of packets, a whole handshake, would wait in tcpdump until
 * more follow. It costs 0.9 µs a packet. SIGUSR2 (flush) is no way out: its handler may run in the middle of a write.
 */
function tcpdump(r: CaptureRequest): DriverProgram {
  return {
    command: 'tcpdump',
    args: [
      ...['-i', r.interface, '-w', '-', '-U', '-n', '-s', String(r.snaplen), '-B', String(r.bufferKiB)],
      ...(r.promiscuous ? [] : ['-p']),
      ...(r.filter === '' ? [] : ['--', r.filter]),
    ],
    countsSignal: 'SIGUSR1',
    read: readTcpdump,
  };
}

function readTcpdump(line: string): LauncherReport | undefined {
  if (line.includes('listening on ')) return { is: 'listening' };
  const both = /(\d{1,15}) packets? received by filter, (\d{1,15}) packets? dropped by kernel/.exec(line);
  return both ? { is: 'counts', received: Number(both[1]), dropped: Number(both[2]) } : undefined;
}

function dumpcap(r: CaptureRequest): DriverProgram {
  const mebibytes = Math.max(1, Math.round(r.bufferKiB / 1024));
  return {
    command: 'dumpcap',
    args: [
      ...['-i', r.interface, '-P', '-q', '-w', '-', '-s', String(r.snaplen), '-B', String(mebibytes)],
      ...(r.promiscuous ? [] : ['-p']),
      ...(r.filter === '' ? [] : ['-f', r.filter]),
    ],
    countsSignal: undefined,
    read: readDumpcap,
  };
}

function readDumpcap(line: string): LauncherReport | undefined {
  // "Capturing on" comes before the interface is open.
  if (line.startsWith('File: ')) return { is: 'listening' };
  const both = /^Packets received\/dropped on interface .*: (\d{1,15})\/(\d{1,15}) /.exec(line);
  if (!both) return undefined;
  const dropped = Number(both[2]);
  return { is: 'counts', received: Number(both[1]) + dropped, dropped };
}

function capChild(r: CaptureRequest): DriverProgram {
  return {
    command: process.execPath,
    args: [...programArgs('live-cap-child'), JSON.stringify(r)],
    countsSignal: undefined,
    read: (line) => (line === CAP_LISTENING ? { is: 'listening' } : undefined),
  };
}

/** What the `cap` child prints when the interface is open. */
export const CAP_LISTENING = 'listening';

/** Node's arguments that run a program of this folder: compiled, or from source when we run from source. */
export function programArgs(name: string): string[] {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const loaders = process.execArgv.filter((arg) => !arg.startsWith('--inspect'));
  return [...loaders, fileURLToPath(new URL(`./${name}${extension}`, import.meta.url))];
}

/** True when a program of that name is on the path or where Debian keeps system programs. */
export function isInstalled(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // not there
    }
  });
}
