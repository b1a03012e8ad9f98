/**
 * Who owns which UDP socket, by asking the socket table again and again: UDP has no connect() that the kernel trace
 * would show. Used for the QUIC recording only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Host } from './hosts.ts';
import { namespaceOf } from './network.ts';

const POLL_SECONDS = 0.02;
const SOCKET = /(\d+\.\d+\.\d+\.\d+):(\d+)\s.*\bpid=(\d+)/;

export class UdpSockets {
  private readonly child: ChildProcess;
  private text = '';

  constructor(host: Host) {
    const loop = `while :; do ss -Hunp; sleep ${POLL_SECONDS}; done`;
    const child = spawn('ip', ['netns', 'exec', namespaceOf(host), 'sh', '-c', loop], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
    });
    this.child = child;
  }

  /** Stops asking; local `ip port` to the process that had it last. */
  end(): Map<string, number> {
    this.child.kill('SIGTERM');
    const owners = new Map<string, number>();
    for (const line of this.text.split('\n')) {
      const socket = SOCKET.exec(line);
      if (socket !== null) owners.set(`${socket[1]} ${socket[2]}`, Number(socket[3]));
    }
    return owners;
  }
}
