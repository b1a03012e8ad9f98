import { readFileSync } from 'node:fs';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { Exit, UserError } from '../sensor/base/exit.ts';

/** Bytes of a configuration file, and entries of each list in it. */
const MAX_CONFIG_BYTES = 1_048_576;
const MAX_LIST = 10_000;

const text = z.string().min(1).max(1024);

const seconds = (most: number) => z.number().min(0.05).max(most);
const mebibytes = (most: number) => z.number().gt(0).max(most);

/** How `waybill enrich` listens and keeps house. Addresses and tokens are set here; secrets stand in files of their own. */
const ServiceConfig = z
  .strictObject({
    listen: z
      .string()
      .regex(/^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$/, 'expected HOST:PORT')
      .default('127.0.0.1:8095')
      .describe(
        'Where senders and monitoring reach the service. Beyond loopback tokens or client certificates are needed.',
      ),
    tls: z
      .strictObject({
        cert: text.describe('PEM file with the certificate chain.'),
        key: text.describe('PEM file with the private key.'),
        client_ca: text.optional().describe('PEM file of authorities: senders must show a certificate of one of them.'),
      })
      .optional(),
    plain: z
      .boolean()
      .default(false)
      .describe('Listen beyond loopback without TLS: something in front of it ends TLS.'),
    tokens: z
      .array(
        z.strictObject({
          name: text.describe('Shown in logs.'),
          sha256: z
            .string()
            .regex(/^[0-9a-fA-F]{64}$/, 'expected 64 hexadecimal digits')
            .describe('printf %s TOKEN | sha256sum'),
          scopes: z
            .array(z.enum(['events', 'flows', 'read', 'drill']))
            .min(1)
            .max(4),
        }),
      )
      .max(1_000)
      .default([]),
    body_mib: mebibytes(1_024).default(8).describe('Largest body as sent.'),
    inflated_mib: mebibytes(1_024).default(32).describe('Largest body after decompression.'),
    request_seconds: seconds(3_600).default(10).describe('A request must be here completely within this time.'),
    requests_per_second: z.number().min(1).max(1e6).default(200).describe('Of one token; twice as many in a burst.'),
    connections: z.number().int().min(1).max(65_535).default(1_024),
    retention_days: z
      .number()
      .min(1)
      .max(3_650)
      .default(35)
      .describe('Facts and familiarity older than this are forgotten.'),
    claim_seconds: seconds(86_400)
      .default(30)
      .describe('Redis: what a worker has not acknowledged for so long is given to another.'),
    shards: z
      .number()
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe('Redis: streams of each kind when they are new; a cluster spreads them.'),
    lag_seconds: seconds(86_400).default(60).describe('Work that has waited longer makes /readyz complain.'),
  })
  .superRefine((service, context) => {
    const message = listenComplaint(service);
    if (message !== undefined) context.addIssue({ code: 'custom', message, path: ['listen'] });
  });

/** Why this address must not be listened on as it stands, or undefined. */
export function listenComplaint(service: {
  readonly listen: string;
  readonly plain: boolean;
  readonly tokens: readonly unknown[];
  readonly tls?: { readonly client_ca?: string | undefined } | undefined;
}): string | undefined {
  if (isLoopback(service.listen)) return undefined;
  if (service.tls === undefined && !service.plain) {
    return 'listening beyond loopback needs service.tls (or service.plain: true behind a proxy that ends TLS)';
  }
  if (service.tokens.length > 0 || service.tls?.client_ca !== undefined) return undefined;
  return 'listening beyond loopback needs service.tokens or service.tls.client_ca';
}

/** `HOST:PORT` of this machine only. */
export const isLoopback = (listen: string): boolean => /^(127(\.\d{1,3}){3}|localhost|\[::1\]):\d+$/.test(listen);

/**
 * Everything a user may set, in one schema: it validates, documents and defaults. `TimeWindow`,
 * `CertificateIssuerDenylist` and `BinaryAllowlist` carry MITRE's names for the mutable elements of AN1413.
 */
export const Config = z.strictObject({
  TimeWindow: z
    .strictObject({
      minutes: z.number().min(1).max(1440).default(5).describe('Staging this close before the flow is labelled tight.'),
      horizon_hours: z
        .number()
        .min(1)
        .max(168)
        .default(24)
        .describe('Staging older than this is not linked with a flow.'),
    })
    .prefault({}),
  CertificateIssuerDenylist: z
    .array(text)
    .max(MAX_LIST)
    .default([])
    .describe('Issuers (any part of the distinguished name, case folded) that add weight.'),
  BinaryAllowlist: z
    .array(
      z.strictObject({
        path: text.describe('Full image path; * stands for one path component.'),
        signer: text.optional().describe('Required signer, exactly as the feed names it.'),
        destination: text.optional().describe('Registrable domain or host name that it may send to; absent: any.'),
      }),
    )
    .max(MAX_LIST)
    .default([])
    .describe('Programs allowed to open encrypted connections after staging.'),
  score: z
    .strictObject({
      prior: z.number().gt(0).lt(1).default(1e-5).describe('Probability that a gated candidate is exfiltration.'),
      high: z.number().gt(0).lt(1).default(0.5).describe('Probability from which an alert is high.'),
      medium: z.number().gt(0).lt(1).default(0.1).describe('Probability from which an alert is medium.'),
      ledger: z.number().gt(0).lt(1).default(0.01).describe('Probability from which a candidate enters the ledger.'),
    })
    .refine((s) => s.high > s.medium && s.medium > s.ledger, { message: 'expected high > medium > ledger' })
    .prefault({}),
  service: ServiceConfig.prefault({}),
});

export interface Settings extends z.infer<typeof Config> {
  /** `TimeWindow.horizon_hours` in microseconds. */
  readonly horizonMicros: number;
  readonly tightMicros: number;
}

function settingsOf(config: z.infer<typeof Config>): Settings {
  return {
    ...config,
    horizonMicros: config.TimeWindow.horizon_hours * 3_600_000_000,
    tightMicros: config.TimeWindow.minutes * 60_000_000,
  };
}

export const defaultSettings = (): Settings => settingsOf(Config.parse({}));

/** Reads a YAML configuration; throws a `UserError` (exit 2) that lists every complaint with line and column. */
export function readSettings(path: string): Settings {
  let source: Buffer;
  try {
    source = readFileSync(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, Exit.usage);
  }
  if (source.length > MAX_CONFIG_BYTES)
    throw new UserError(`${path}: larger than ${MAX_CONFIG_BYTES} bytes`, Exit.usage);
  const lines = new LineCounter();
  const document = parseDocument(source.toString('utf8'), { lineCounter: lines });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const complaints = document.errors.map((e) => `${at(e.pos[0])} ${e.message.split('\n')[0]}`);
    throw new UserError(complaints.join('\n'), Exit.usage);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}`, Exit.usage);
  }
  const parsed = Config.safeParse(value);
  if (parsed.success) return settingsOf(parsed.data);
  const complaints = parsed.error.issues.flatMap((issue) => {
    // A key that nobody knows is shown where it stands, not where its object begins.
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    return paths.map((place) => {
      const range = rangeOf(document, place);
      const message = issue.code === 'unrecognized_keys' ? 'Unrecognized key' : issue.message;
      return `${range === undefined ? path : at(range)} ${place.map(String).join('.') || '(top)'}: ${message}`;
    });
  });
  throw new UserError(complaints.join('\n'), Exit.usage);
}

/** Offset of what stands at a path; of an unknown key, the key. */
function rangeOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0];
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent)
    ? parent.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1))
    : undefined;
  const value = document.getIn(path, true);
  const node = isNode(value) ? value : isNode(pair?.value) ? pair.value : pair?.key;
  return isNode(node) ? node.range?.[0] : undefined;
}
