/**
 * Captures with `cap` and writes pcap to standard output. A process of its own, because `cap` aborts its process when the
 * interface goes down, cannot be interrupted while packets keep coming, and gives neither time nor drop counts.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { FineClock } from '../base/clock.ts';
import { CAP_LISTENING } from './live-driver.ts';
import type { CaptureRequest } from './live-messages.ts';
import { dropPrivileges } from './live-privilege.ts';
import { PcapWriter } from './pcap-writer.ts';

/** The part of `cap` 0.2.1 that is used. */
interface CapHandle {
  open(device: string, filter: string, bufferBytes: number, buffer: Buffer): string;
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): void;
}

/** `cap` asks libpcap for 65,535 bytes of each packet. */
const PACKET_BYTES = 65_535;
/** Packets wait at most this long for others to be written with. */
const FLUSH_MILLIS = 20;

/** Names that `cap` gives link types, as LINKTYPE_ values. */
const LINK_TYPES: ReadonlyMap<string, number> = new Map([
  ['NULL', 0],
  ['ETHERNET', 1],
  ['RAW', 101],
  ['LINKTYPE_LINUX_SLL', 113],
  ['IEEE802_11_RADIO', 127],
]);

/** Something to wait on for a millisecond. */
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

const request = JSON.parse(process.argv[2] ?? '') as CaptureRequest;

try {
  capture();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

function capture(): void {
  const handle = openHandle();
  // `cap` keeps the address of this buffer and not the buffer: the listener below holds it as long as the handle lives.
  const packet = Buffer.alloc(PACKET_BYTES);
  const link = handle.open(request.interface, request.filter, request.bufferKiB * 1024, packet);
  const linkType = LINK_TYPES.get(link);
  if (linkType === undefined) throw new Error(`link type ${link} is not supported by cap`);
  if (request.user) dropPrivileges(request.user);
  const clock = new FineClock();
  const out = new PcapWriter(linkType, PACKET_BYTES, writeOut);
  let flushedAt = 0;
  handle.on('packet', (bytes) => {
    const now = clock.micros();
    out.packet(packet, bytes, now);
    // While packets keep coming no timer runs.
    if (now - flushedAt < FLUSH_MILLIS * 1000) return;
    flushedAt = now;
    out.flush();
  });
  setInterval(() => out.flush(), FLUSH_MILLIS);
  out.flush();
  process.stderr.write(`${CAP_LISTENING}\n`);
  process.on('SIGTERM', () => {
    out.flush();
    process.exit(0);
  });
}

function openHandle(): CapHandle {
  try {
    const { Cap } = createRequire(import.meta.url)('cap') as { Cap: new () => CapHandle };
    return new Cap();
  } catch (error) {
    // Missing (optional dependency), not built, or built for another Node: the same remedy.
    throw new Error(`cap-not-built: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
}

/** Blocks while the reader is behind; the kernel's buffer then takes what comes. */
function writeOut(bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(1, bytes, at, bytes.length - at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(PAUSE, 0, 0, 1);
    }
  }
}
