/**
 * The process that drills: makes a harmless file, packs it, sends it over TLS. Started by perform.ts with arguments of its
 * own making; says each step on standard output as one JSON line (`SenderStep`). Nobody's data is read.
 *
 *     sender ARCHIVE --bytes N --to IP:PORT --name SERVER_NAME
 */
import { createHash } from 'node:crypto';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { writeZip } from '../bundle/zip.ts';
import type { SenderStep } from './sender-step.ts';

/** The other side may take its time, milliseconds. */
const CONNECT_MILLIS = 10_000;
const SEND_MILLIS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { bytes: { type: 'string' }, to: { type: 'string' }, name: { type: 'string' } },
});
const archive = positionals[0]!;
const { bytes = '0', to = '', name = '' } = values;

const say = (step: SenderStep): void => void process.stdout.write(`${JSON.stringify(step)}\n`);

function pack(): Buffer {
  const content = knownBytes(Number(bytes), basename(archive));
  writeFileSync(join(dirname(archive), 'waybill-drill.bin'), content);
  const zip = writeZip([{ name: 'waybill-drill.bin', bytes: content }]);
  writeFileSync(archive, zip);
  say({ step: 'packed', atMillis: Date.now(), bytes: statSync(archive).size });
  return zip;
}

/** Bytes that do not shrink, the same for the same seed. */
function knownBytes(length: number, seed: string): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) blocks.push(createHash('sha256').update(`${seed}:${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/** Whose certificate it is does not matter: nothing secret is sent, and the drill is about what the network shows. */
function open(): Promise<TLSSocket> {
  const at = to.lastIndexOf(':');
  const host = to.slice(0, at).replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(to.slice(at + 1)), servername: name, rejectUnauthorized: false });
    const timer = setTimeout(() => socket.destroy(new Error('no TLS within 10 s')), CONNECT_MILLIS);
    socket.once('connect', () => {
      const { localAddress = '', localPort = 0 } = socket;
      say({ step: 'connected', atMillis: Date.now(), localIp: localAddress, localPort });
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** An HTTP upload, so that whatever listens understands what it is; what it answers does not matter. */
async function send(socket: TLSSocket, content: Buffer): Promise<void> {
  const head = `PUT /${basename(archive)} HTTP/1.1\r\nHost: ${name}\r\nContent-Type: application/zip\r\nContent-Length: ${content.length}\r\nConnection: close\r\n\r\n`;
  await new Promise<void>((resolve, reject) => {
    socket.setTimeout(SEND_MILLIS, () => socket.destroy(new Error('the other side takes nothing for a minute')));
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.resume();
    socket.write(head);
    socket.end(content);
  });
  say({ step: 'sent', atMillis: Date.now(), bytes: socket.bytesWritten });
}

try {
  const content = pack();
  await send(await open(), content);
  rmSync(archive);
} catch (error) {
  say({ step: 'failed', why: (error as Error).message });
  process.exitCode = 1;
}
