import { z } from 'zod';

const name = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'expected 1 to 64 letters, digits, dots, dashes or underscores')
  .describe('Names the output in logs, metrics and the state of deliveries; a renamed output is a new one.');
const path = z.string().min(1).max(1_024);
const format = z.enum(['ecs', 'ocsf', 'cef']);

/** What every way out has. */
const common = {
  name,
  minimum_tier: z.enum(['medium', 'high']).default('medium'),
  updates: z
    .enum(['all', 'tier'])
    .default('all')
    .describe('all: every revision of an alert; tier: again only when its tier rises.'),
  give_up_hours: z
    .number()
    .min(0.001)
    .max(720)
    .default(72)
    .describe('An alert that finds no receiver is kept so long.'),
};

type Complain = (key: string | undefined, message: string) => void;

/** What is missing is said of the whole: it stands nowhere. */
const complainTo =
  (context: z.RefinementCtx): Complain =>
  (key, message) =>
    context.addIssue({ code: 'custom', message, path: key === undefined ? [] : [key] });

const FileOutput = z.strictObject({
  kind: z.literal('file'),
  ...common,
  path: path.describe('One line an alert is appended; the file may be rotated away at any time.'),
  format: format.default('ecs'),
});

const SyslogOutput = z
  .strictObject({
    kind: z.literal('syslog'),
    ...common,
    host: z.string().regex(/^[\w.:-]{1,253}$/, 'expected a host name or an address'),
    port: z.number().int().min(1).max(65_535),
    transport: z.enum(['udp', 'tcp', 'tls']),
    format: format.default('cef'),
    ca_file: path.optional().describe('PEM file of authorities to trust in place of the system’s (tls).'),
    cert_file: path.optional().describe('PEM file with a client certificate (tls).'),
    key_file: path.optional().describe('PEM file with its key (tls).'),
  })
  .superRefine((output, context) => {
    const complain = complainTo(context);
    if (output.transport === 'udp' && output.format !== 'cef')
      complain('format', 'udp carries cef only: a JSON document does not fit a datagram');
    if (output.cert_file !== undefined && output.key_file === undefined)
      complain('cert_file', 'needs key_file beside it');
    if (output.key_file !== undefined && output.cert_file === undefined)
      complain('key_file', 'needs cert_file beside it');
    for (const key of ['ca_file', 'cert_file', 'key_file'] as const)
      if (output.transport !== 'tls' && output[key] !== undefined) complain(key, 'is for transport tls only');
  });

const url = z.string().min(1).max(2_048);
const WebhookOutput = z
  .strictObject({
    kind: z.literal('webhook'),
    ...common,
    shape: z.enum(['generic', 'slack', 'teams']).default('generic'),
    format: format.exclude(['cef']).default('ecs').describe('Of shape generic.'),
    url: url.optional().describe('Address of the receiver, when it is no secret.'),
    url_file: path.optional().describe('File that holds the address: those of Slack and Teams are secrets.'),
    secret_file: path.optional().describe('File with the key of the signature (shape generic).'),
    private: z.boolean().default(false).describe('The receiver may have an address of this machine or network.'),
  })
  .superRefine((output, context) => {
    const complain = complainTo(context);
    const { shape, url: address, url_file, secret_file } = output;
    if (shape === 'generic') {
      if ((address === undefined) === (url_file === undefined)) complain(undefined, 'expected either url or url_file');
      const why = address === undefined ? undefined : addressComplaint(address);
      if (why !== undefined) complain('url', why);
      if (secret_file === undefined) complain(undefined, 'secret_file is missing: deliveries are signed');
      return;
    }
    if (address !== undefined) complain('url', 'is a secret here: put it into a file and name that as url_file');
    else if (url_file === undefined) complain(undefined, 'url_file is missing');
    if (secret_file !== undefined) complain('secret_file', 'is for shape generic only');
  });

const RedisOutput = z.strictObject({
  kind: z.literal('redis'),
  ...common,
  url: url.regex(/^rediss?(\+\w+)?:\/\/[^@]+$/, 'expected redis://HOST:PORT without user and password'),
  user: z.string().min(1).max(256).optional(),
  password_file: path.optional(),
  ca_file: path.optional().describe('PEM file of authorities to trust (rediss://).'),
  stream: z.string().min(1).max(512).describe('Key of the stream; entries have the fields id, revision and alert.'),
  max_entries: z.number().int().min(1).max(1e9).default(100_000).describe('About so many entries are left in it.'),
  format: format.default('ecs'),
});

/** One way out of the service for alerts. Secrets stand in files that are named here. */
export const OutputConfig = z.discriminatedUnion('kind', [FileOutput, SyslogOutput, WebhookOutput, RedisOutput]);

export type OutputSettings = z.infer<typeof OutputConfig>;
export type OutputFormat = z.infer<typeof format>;

/** Why this is no address to post to, or undefined. */
export function addressComplaint(text: string): string | undefined {
  if (!URL.canParse(text)) return 'expected https://HOST/…';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return 'expected https:// or http://';
  return username === '' && password === '' ? undefined : 'must not carry a user or password';
}

/** Every file that an output reads, by the setting that names it. */
export function filesOf(output: OutputSettings): readonly (readonly [setting: string, path: string])[] {
  return Object.entries(output).flatMap(([key, value]) =>
    key.endsWith('_file') && typeof value === 'string' ? [[key, value] as const] : [],
  );
}
