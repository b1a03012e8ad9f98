/** One recording: capture and kernel trace around a script of sessions, and what they say put together. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assemble } from './assemble.ts';
import { HTTPS_PORT } from './destinations.ts';
import type { Fact } from './facts.ts';
import { type Flow, readFlows, readQuicFlows } from './frames.ts';
import { hostNamed, userOf } from './hosts.ts';
import { startKernelTrace, stopKernelTrace } from './kernel-trace.ts';
import { BRIDGE, SERVER_NAMESPACE } from './network.ts';
import { type CapturedPacket, readPcap } from './pcap-file.ts';
import { Session, type Step, StepLog } from './session.ts';
import { sleep } from './shell.ts';
import { UdpSockets } from './udp-sockets.ts';

/** tcpdump needs a moment to open its socket and to write what the kernel still holds. */
const CAPTURE_SETTLE_MILLISECONDS = 700;

export interface Recording {
  readonly packets: readonly CapturedPacket[];
  readonly flows: readonly Flow[];
  readonly facts: readonly Fact[];
  readonly steps: readonly Step[];
}

export class Take {
  private readonly log = new StepLog();
  private readonly sessions: Session[] = [];
  private readonly udpSockets: UdpSockets[] = [];

  private readonly workDirectory: string;
  private readonly file: string;
  private readonly tcpdump: ChildProcess;

  private constructor(workDirectory: string, file: string, tcpdump: ChildProcess) {
    this.workDirectory = workDirectory;
    this.file = file;
    this.tcpdump = tcpdump;
  }

  static async begin(workDirectory: string, name: string): Promise<Take> {
    mkdirSync(join(workDirectory, 'takes'), { recursive: true });
    const file = join(workDirectory, 'takes', `${name}.pcap`);
    const capture = ['tcpdump', '-i', BRIDGE, '-s', '0', '-U', '-B', '65536', '-w', file, '-Z', 'root', 'tcp or udp'];
    const tcpdump = spawn('ip', ['netns', 'exec', SERVER_NAMESPACE, ...capture], { stdio: 'ignore' });
    await sleep(CAPTURE_SETTLE_MILLISECONDS);
    startKernelTrace();
    return new Take(workDirectory, file, tcpdump);
  }

  session(hostName: string, userName: string): Session {
    const host = hostNamed(hostName);
    const session = new Session(this.log, host, userOf(host, userName), this.workDirectory);
    this.sessions.push(session);
    return session;
  }

  /** Also finds the owners of UDP sockets of one machine. */
  watchUdp(hostName: string): void {
    this.udpSockets.push(new UdpSockets(hostNamed(hostName)));
  }

  async end(): Promise<Recording> {
    await sleep(CAPTURE_SETTLE_MILLISECONDS);
    for (const session of this.sessions) await session.end();
    const trace = stopKernelTrace();
    await sleep(CAPTURE_SETTLE_MILLISECONDS);
    const closed = new Promise((resolve) => this.tcpdump.once('exit', resolve));
    this.tcpdump.kill('SIGINT');
    await closed;
    const packets = readPcap(this.file);
    const flows = [...readFlows(packets), ...readQuicFlows(packets, HTTPS_PORT)];
    const udpOwners = new Map(this.udpSockets.flatMap((sockets) => [...sockets.end()]));
    const facts = assemble({ packets, flows, trace, steps: this.log.steps, sessions: this.sessions, udpOwners });
    return { packets, flows, facts, steps: this.log.steps };
  }
}
