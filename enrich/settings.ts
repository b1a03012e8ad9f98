import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { isNetwork, MAX_INSIDE, MAX_TRANSLATORS } from './event/translator.ts';
import { type Calibration, CalibrationFile, readCalibration } from './evidence/calibration.ts';
import { PeerGroups } from './evidence/peer-group.ts';
import { OwnTables, readTables } from './evidence/read-tables.ts';
import type { Tables } from './evidence/tables.ts';
import { WEIGHTS, type WeightOverrides, type Weights, withOverrides } from './evidence/weights.ts';
import { filesOf, OutputConfig } from './output-settings.ts';
import { type Complaint, readYaml } from './yaml-file.ts';

/** Entries of each list in a configuration. */
const MAX_LIST = 10_000;
const MAX_OUTPUTS = 50;

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
            .array(z.enum(['events', 'flows', 'read', 'drill', 'allow']))
            .min(1)
            .max(5),
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
    console: z
      .boolean()
      .default(false)
      .describe('Serve the console on the same port, to holders of a token with the scope read.'),
    names: z
      .array(z.string().regex(/^[\w.-]{1,253}$|^\[[0-9a-fA-F:]+\]$/, 'expected a host name or an address'))
      .max(100)
      .default([])
      .describe('Host names under which browsers reach the port, beside loopback and the host of listen.'),
    outputs: z.array(OutputConfig).max(MAX_OUTPUTS).default([]).describe('Where alerts go beside standard output.'),
  })
  .superRefine((service, context) => {
    const message = listenComplaint(service);
    if (message !== undefined) context.addIssue({ code: 'custom', message, path: ['listen'] });
    if (service.console && !service.tokens.some(({ scopes }) => scopes.includes('read')))
      context.addIssue({ code: 'custom', message: 'needs a token with the scope read', path: ['console'] });
    for (const [i, { name }] of service.outputs.entries())
      if (service.outputs.findIndex((other) => other.name === name) < i)
        context.addIssue({ code: 'custom', message: 'two outputs have this name', path: ['outputs', i, 'name'] });
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

/** What `score.weights` may change; the rest has settings of its own. */
const { version: _version, prior: _prior, tiers, time, ...OTHERS } = WEIGHTS;
const { horizonSeconds: _horizon, tightSeconds: _tight, ...TIME } = time;
const CHANGEABLE = { ...OTHERS, time: TIME, tiers: { ledgerHalfLifeDays: tiers.ledgerHalfLifeDays } };

/** A schema for changes to a tree of numbers: the names that exist, each optional. */
function changesOf(tree: object): z.ZodType<Readonly<Record<string, unknown>>> {
  const shape = Object.entries(tree).map(([name, value]): [string, z.ZodType] => {
    if (Array.isArray(value)) return [name, z.array(rowOf(value[0])).max(16).optional()];
    return [name, (typeof value === 'object' && value !== null ? changesOf(value) : leafOf(value)).optional()];
  });
  return z.strictObject(Object.fromEntries(shape));
}

const rowOf = (row: object): z.ZodType =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, name === 'at' ? z.number() : leafOf(value, 0)]),
    ),
  );

const leafOf = (value: unknown, above = -1e12): z.ZodType =>
  typeof value === 'number' ? z.number().gt(above).max(1e12) : text;

const probability = (usual: number) => z.number().gt(0).lt(1).default(usual);

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
  translators: z
    .array(
      z.strictObject({
        address: z
          .string()
          .refine((text) => isIP(text) !== 0, 'expected an address')
          .describe('Address that the sensor sees.'),
        inside: z
          .array(z.string().refine(isNetwork, 'expected ADDRESS/BITS'))
          .min(1)
          .max(MAX_INSIDE)
          .describe('Networks whose hosts are seen with it.'),
      }),
    )
    .max(MAX_TRANSLATORS)
    .default([])
    .describe('Gateways that translate addresses between the hosts and the sensor.'),
  peer_groups: PeerGroups.default([]).describe(
    'Hosts that do the same work: by them a host is judged as long as it is new. The first that fits wins.',
  ),
  score: z
    .strictObject({
      prior: probability(WEIGHTS.prior).describe('Probability that a gated candidate is exfiltration.'),
      high: probability(WEIGHTS.tiers.high).describe('Probability from which an alert is high.'),
      medium: probability(WEIGHTS.tiers.medium).describe('Probability from which an alert is medium.'),
      ledger: probability(WEIGHTS.tiers.ledger).describe('Probability from which a candidate enters the ledger.'),
      alerts_per_day: z
        .number()
        .int()
        .min(1)
        .max(100_000)
        .optional()
        .describe(
          'Alert budget: of one UTC day so many are told, the most probable; the others are held, and counted.',
        ),
      calibration: text.optional().describe('File that `waybill calibrate` made of what analysts decided.'),
      weights: changesOf(CHANGEABLE)
        .default({})
        .describe('Changes to the decibels and caps of enrich/evidence/weights.ts, by group and name.'),
    })
    .refine((s) => s.high > s.medium && s.medium > s.ledger, { message: 'expected high > medium > ledger' })
    .prefault({}),
  tables: z
    .strictObject({
      directory: text
        .optional()
        .describe('Directory of tables (tenants.yaml, services.yaml, vendors.yaml …) that add to the built-in ones.'),
      asn: text.optional().describe('Database of autonomous systems (GeoLite2-ASN.mmdb or one of its shape).'),
    })
    .prefault({}),
  service: ServiceConfig.prefault({}),
});

export interface Settings extends z.infer<typeof Config> {
  /** `TimeWindow.horizon_hours` in microseconds. */
  readonly horizonMicros: number;
  /** Every number of the model; their version names all that scoring depends on. */
  readonly model: Weights;
  /** What is known of programs and destinations beforehand. */
  readonly knowledge: Tables;
  /** What of it the files of `tables.directory` say. */
  readonly ownTables: OwnTables;
  /** Probability by decibels as decisions of analysts have it; absent before there are any. */
  readonly calibration?: Calibration;
}

/** @param given takes the place of files that the configuration names */
function settingsOf(
  config: z.infer<typeof Config>,
  directory: string,
  given: { readonly calibration?: Calibration | undefined; readonly tables?: OwnTables | undefined } = {},
): Settings {
  const near = (path: string | undefined) => (path === undefined ? undefined : resolve(directory, path));
  const places = { directory: near(config.tables.directory), asn: near(config.tables.asn) };
  const { tables, own, digest } = readTables({ ...places, own: given.tables });
  const file = near(config.score.calibration);
  const calibration = file === undefined ? given.calibration : readCalibration(file, config.score.prior);
  const { weights, alerts_per_day: _, calibration: __, ...tiers } = config.score;
  const numbers = withOverrides(weights as WeightOverrides);
  const about = JSON.stringify([weights, tiers, config.TimeWindow, digest, calibration ?? null]);
  return {
    ...config,
    horizonMicros: config.TimeWindow.horizon_hours * 3_600_000_000,
    model: {
      ...numbers,
      version: versionOf(about),
      time: {
        ...numbers.time,
        horizonSeconds: config.TimeWindow.horizon_hours * 3_600,
        tightSeconds: config.TimeWindow.minutes * 60,
      },
    },
    knowledge: tables,
    ownTables: own,
    ...(calibration === undefined ? {} : { calibration }),
  };
}

/** The built-in model by its own name; a changed one with a hash of the changes, so that alerts tell under what they rose. */
const versionOf = (about: string): string =>
  about === UNCHANGED
    ? WEIGHTS.version
    : `${WEIGHTS.version}+${createHash('sha256').update(about).digest('hex').slice(0, 8)}`;

const UNCHANGED = (() => {
  const { score, TimeWindow } = Config.parse({});
  const { weights, alerts_per_day: _, calibration: __, ...tiers } = score;
  return JSON.stringify([weights, tiers, TimeWindow, readTables({}).digest, null]);
})();

export const defaultSettings = (): Settings => settingsOf(Config.parse({}), '.');

/** What settings of the score amount to, as a bundle carries it: tables in full, no addresses, no tokens, no paths. */
export function scoringOf(settings: Settings): object {
  const { TimeWindow, CertificateIssuerDenylist, BinaryAllowlist, peer_groups } = settings;
  const { calibration, ownTables: tables } = settings;
  const { calibration: _, ...score } = settings.score;
  const config = { TimeWindow, CertificateIssuerDenylist, BinaryAllowlist, peer_groups, score };
  return { config, calibration, tables };
}

const Scoring = z.object({
  config: Config.omit({ service: true, tables: true, translators: true }),
  calibration: CalibrationFile.optional(),
  tables: OwnTables.optional(),
});

/** The settings behind it; undefined when it is none, or of another version. */
export function settingsFromScoring(value: unknown): Settings | undefined {
  const { data } = Scoring.safeParse(value);
  return data && settingsOf(Config.parse(data.config), '.', data);
}

export interface ReadOptions {
  /** The settings are for the service on this machine: files that they name must be readable. */
  readonly withFiles?: boolean;
}

/**
 * Reads a YAML configuration and the files it names (paths from its own folder); throws a `UserError` (exit 2) that lists
 * every complaint with line and column.
 */
export const readSettings = (path: string, { withFiles = false }: ReadOptions = {}): Settings =>
  settingsOf(readYaml(path, Config, withFiles ? unreadable : undefined), dirname(path));

/** Files of the service that are not there, or not for us to read. */
function unreadable({ service }: z.infer<typeof Config>): Complaint[] {
  const named = [
    ...Object.entries(service.tls ?? {}).flatMap(([key, file]) => (file ? [{ place: ['tls', key], file }] : [])),
    ...service.outputs.flatMap((output, i) =>
      filesOf(output).map(([key, file]) => ({ place: ['outputs', i, key], file })),
    ),
  ];
  return named.flatMap(({ place, file }): Complaint[] => {
    try {
      accessSync(file, constants.R_OK);
      return [];
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return [{ place: ['service', ...place], message: `${file} cannot be read (${code})` }];
    }
  });
}
