import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { wallMicros } from '../../../sensor/base/clock.ts';
import { Exit, UserError } from '../../../sensor/base/exit.ts';
import { formatMicros } from '../../../sensor/base/timestamp.ts';
import { type AlertParts, isHigh, isWithdrawn } from '../../alert/alert-parts.ts';
import { type SyslogTarget, sendSyslog, syslogMessage } from '../../alert/syslog.ts';
import { inertJson } from '../../alert/terminal-text.ts';
import { toSlack, toTeams } from '../../alert/to-chat.ts';
import { postOnce, type WebhookOptions } from '../../alert/webhook.ts';
import { addressComplaint, type OutputSettings } from '../../output-settings.ts';
import { connectRedis } from '../../store/redis-connect.ts';
import type { RedisLink, RedisOptions } from '../../store/redis-link.ts';
import { deliveryId, payloadOf } from './payload.ts';
import { AlertRefused, type Outgoing, type Sink } from './sink.ts';

/** Alerts of one hand-over where many go at once. */
const AT_ONCE = 100;
/** Bytes of a file with a secret or certificates. */
const MAX_SECRET_BYTES = 1_048_576;
const REDIS_TIMEOUT_MS = 3_000;

type Of<K extends OutputSettings['kind']> = Extract<OutputSettings, { kind: K }>;

/** Makes the way out that the settings describe; opens no connection yet. A file that cannot be read is a UserError. */
export function openSink(output: OutputSettings): Sink {
  switch (output.kind) {
    case 'file':
      return fileSink(output);
    case 'syslog':
      return syslogSink(output);
    case 'webhook':
      return webhookSink(output);
    case 'redis':
      return redisSink(output);
  }
}

/** Opened for each hand-over, so that a file that was rotated away is let go. */
function fileSink({ path, format }: Of<'file'>): Sink {
  return {
    atOnce: AT_ONCE,
    async send(alerts) {
      const file = await open(path, 'a+', 0o640);
      try {
        const stat = await file.stat();
        if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
        const last = Buffer.alloc(1);
        if (stat.size > 0) await file.read(last, 0, 1, stat.size - 1);
        // A line that broke off when a process or a disk did would swallow the next one.
        const gap = stat.size > 0 && last[0] !== 0x0a ? '\n' : '';
        await file.appendFile(gap + alerts.map((out) => `${payloadOf(out, format)}\n`).join(''));
        await file.datasync();
      } finally {
        await file.close();
      }
    },
    close: async () => {},
  };
}

function syslogSink(output: Of<'syslog'>): Sink {
  const { transport, host, port, format, ca_file, cert_file, key_file } = output;
  const target: SyslogTarget = {
    transport,
    host,
    port,
    ...(ca_file === undefined ? {} : { ca: secretBytes(output, 'ca_file', ca_file) }),
    ...(cert_file === undefined || key_file === undefined
      ? {}
      : {
          client: {
            cert: secretBytes(output, 'cert_file', cert_file),
            key: secretBytes(output, 'key_file', key_file),
          },
        }),
  };
  return {
    atOnce: AT_ONCE,
    send: (alerts) =>
      sendSyslog(
        alerts.map((out) => syslogLine(out, payloadOf(out, format))),
        target,
      ),
    close: async () => {},
  };
}

function syslogLine({ alert }: Outgoing, text: string): string {
  const parts = alert.body as AlertParts;
  const tier = isWithdrawn(parts) ? 'withdrawn' : isHigh(parts) ? 'high' : 'medium';
  return syslogMessage({ tier, time: formatMicros(alert.at), hostname: hostname(), messageId: 'alert' }, text);
}

function webhookSink(output: Of<'webhook'>): Sink {
  const { shape, format, url_file, secret_file } = output;
  const address = output.url ?? secretText(output, 'url_file', url_file!);
  // The address may be a secret: it is not repeated here.
  const why = addressComplaint(address);
  if (why !== undefined) throw new UserError(`service.outputs: ${output.name}: url_file: ${why}`, Exit.usage);
  const options: WebhookOptions = {
    url: new URL(address),
    allowPrivate: output.private,
    ...(secret_file === undefined ? {} : { secret: secretText(output, 'secret_file', secret_file) }),
  };
  const bodyOf = (out: Outgoing): string => {
    if (shape === 'slack') return inertJson(toSlack(out.alert));
    return shape === 'teams' ? inertJson(toTeams(out.alert)) : payloadOf(out, format);
  };
  return {
    atOnce: 1,
    async send(alerts) {
      for (const out of alerts) {
        const post = { delivery: deliveryId(out), body: bodyOf(out) };
        const result = await postOnce(post, options, Math.floor(wallMicros() / 1e6));
        if (result.kind === 'refused') throw new AlertRefused(result.why);
        if (result.kind === 'failed') throw new Error(result.why);
      }
    },
    close: async () => {},
  };
}

function redisSink(output: Of<'redis'>): Sink {
  const { url, user, password_file, ca_file, stream, max_entries, format } = output;
  const options: RedisOptions = {
    timeoutMs: REDIS_TIMEOUT_MS,
    clientName: 'waybill-output',
    ...(user === undefined ? {} : { username: user }),
    ...(password_file === undefined ? {} : { password: secretText(output, 'password_file', password_file) }),
    ...(ca_file === undefined ? {} : { tls: { ca: secretText(output, 'ca_file', ca_file) } }),
  };
  let link: RedisLink | undefined;
  return {
    atOnce: AT_ONCE,
    async send(alerts) {
      link ??= await connectRedis(url, options);
      const to = link;
      await Promise.all(
        alerts.map((out) =>
          to.send(stream, [
            ...['XADD', stream, 'MAXLEN', '~', String(max_entries), '*', 'id', out.alert.id],
            ...['revision', String(out.alert.revision), 'alert', payloadOf(out, format)],
          ]),
        ),
      );
    },
    close: async () => link?.close(),
  };
}

function secretBytes({ name }: OutputSettings, setting: string, path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > 0 && bytes.length <= MAX_SECRET_BYTES) return bytes;
    const why = bytes.length === 0 ? 'is empty' : `is larger than ${MAX_SECRET_BYTES} bytes`;
    throw new UserError(`service.outputs: ${name}: ${setting}: ${path} ${why}`, Exit.usage);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`service.outputs: ${name}: ${setting}: ${path} cannot be read (${code})`, Exit.usage);
  }
}

/** Without the line end that editors leave. */
const secretText = (output: OutputSettings, setting: string, path: string): string =>
  secretBytes(output, setting, path).toString('utf8').trim();
