import { createSocket } from 'node:dgram';
import { connect as connectPlain, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { inspectText } from './terminal-text.ts';

/** Facility 13, log audit; severities of RFC 5424 §6.2.1: 2 critical, 4 warning, 5 notice. */
const FACILITY = 13;
const SEVERITY = { high: 2, medium: 4, withdrawn: 5 } as const;
/** Bytes of a datagram that crosses common networks whole, and that RFC 5424 §6.1 wants receivers to take. */
const MAX_DATAGRAM = 1_400;
/** One delivery, from the connection to its end, milliseconds. */
const DELIVERY_MILLIS = 5_000;

export interface SyslogTarget {
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly host: string;
  readonly port: number;
  /** Certificates to trust in place of the system's; TLS only. */
  readonly ca?: Buffer;
  /** What the receiver may ask for; TLS only. */
  readonly client?: { readonly cert: Buffer; readonly key: Buffer };
  readonly deliveryMillis?: number;
}

export interface SyslogHeader {
  readonly tier: keyof typeof SEVERITY;
  /** ISO 8601 with at most microseconds. */
  readonly time: string;
  readonly hostname: string;
  readonly messageId: string;
}

/** A message of RFC 5424 without structured data; `text` (CEF, say) becomes one printable line, which JSON of `inertJson` is already. */
export function syslogMessage({ tier, time, hostname, messageId }: SyslogHeader, text: string): string {
  const head = `<${FACILITY * 8 + SEVERITY[tier]}>1 ${time} ${name(hostname, 255)} waybill ${process.pid} ${name(messageId, 32)}`;
  return `${head} - ${inspectText(text)}`;
}

/** Names are printable ASCII without blanks, `-` when there is none (§6). */
const name = (text: string, most: number): string => text.replace(/[^\x21-\x7e]/g, '_').slice(0, most) || '-';

/**
 * Hands messages to a receiver: a datagram each (RFC 5426), or counted octets on a connection of their own (RFC 6587 §3.4.1,
 * RFC 5425). Resolves when the operating system (UDP) or the peer's end of the connection has taken all; rejects when not:
 * hand all of them over again. A datagram that would not pass whole is cut, which only the stream transports avoid.
 */
export function sendSyslog(messages: readonly string[], target: SyslogTarget): Promise<void> {
  return target.transport === 'udp' ? sendDatagrams(messages, target) : sendStream(messages, target);
}

async function sendDatagrams(messages: readonly string[], { host, port }: SyslogTarget): Promise<void> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  try {
    for (const message of messages) {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.send(cut(Buffer.from(message)), port, host, (error) => (error ? reject(error) : resolve()));
      });
    }
  } finally {
    socket.close();
  }
}

/** At most a datagram's bytes, never within a character. */
function cut(bytes: Buffer): Buffer {
  let end = Math.min(bytes.length, MAX_DATAGRAM);
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

function sendStream(messages: readonly string[], target: SyslogTarget): Promise<void> {
  const { deliveryMillis = DELIVERY_MILLIS } = target;
  const frames = messages.map((message) => `${Buffer.byteLength(message)} ${message}`);
  return new Promise((resolve, reject) => {
    const socket = open(target);
    const timer = setTimeout(() => socket.destroy(new Error('the syslog receiver took too long')), deliveryMillis);
    socket.on('error', reject);
    socket.on('close', (hadError) => {
      clearTimeout(timer);
      if (!hadError) resolve();
    });
    socket.resume();
    socket.end(frames.join(''));
  });
}

function open({ transport, host, port, ca, client }: SyslogTarget): Socket {
  if (transport === 'tcp') return connectPlain({ host, port });
  return connectTls({
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(ca ? { ca } : {}),
    ...client,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
}
