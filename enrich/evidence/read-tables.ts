import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Exit, UserError } from '../../sensor/base/exit.ts';
import { readYaml } from '../yaml-file.ts';
import type { Browser } from './browser-table.ts';
import { ja4Core } from './ja4-family.ts';
import { Operators } from './operators.ts';
import { pathPatterns } from './path-pattern.ts';
import { TABLES, type Tables } from './tables.ts';
import type { TenantRow } from './tenant-table.ts';
import type { UploadTool } from './tool-table.ts';
import type { VendorFamily } from './vendor-table.ts';

/** Rows of one file, and bytes of a database of addresses. */
const MAX_ROWS = 20_000;
const MAX_DATABASE_BYTES = 1_073_741_824;

const text = z.string().min(1).max(512);
const lower = text.transform((value) => value.toLowerCase());
const texts = z.array(text).max(1_000);
const names = z.array(lower).min(1).max(1_000);
const category = z.enum([
  'cloud-storage',
  'paste',
  'file-sharing',
  'tunnel',
  'messaging',
  'code-repo',
  'webhook',
  'serverless',
]);

/** One file: rows stand before those built in, or instead of them. */
const fileOf = <Row extends z.ZodType>(row: Row) =>
  z.strictObject({
    edition: z.string().regex(/^\d{4}-\d\d-\d\d$/, 'expected the day it was made, YYYY-MM-DD'),
    source: text.describe('Where the rows come from.'),
    replace: z.boolean().default(false).describe('Instead of the built-in rows, not before them.'),
    rows: z.array(row).max(MAX_ROWS),
  });

const FILES = {
  tenants: fileOf(
    z.strictObject({ pattern: lower, tenant: lower.optional(), provider: text, category: category.optional() }),
  ),
  services: fileOf(
    z.strictObject({ names, provider: text, category: category.optional(), hidden: z.boolean().default(false) }),
  ),
  vendors: fileOf(
    z.strictObject({
      family: text,
      signers: texts,
      images: z.array(lower).max(1_000).default([]),
      places: texts,
      destinations: names,
      tenants: z.boolean().optional(),
    }),
  ),
  browsers: fileOf(
    z.strictObject({
      product: text,
      images: names,
      original_names: z.array(lower).max(100).default([]),
      signers: texts,
      places: texts,
      user_places: texts.default([]),
      engine: z.enum(['chromium', 'gecko', 'schannel', 'webkit']),
      portable: z.boolean().optional(),
    }),
  ),
  tools: fileOf(
    z.strictObject({
      tool: text,
      family: z.enum([
        'cloud-sync',
        'file-transfer',
        'web-client',
        'backup',
        'tunnel',
        'p2p',
        'mailer',
        'script-host',
        'windows-utility',
      ]),
      names,
      original_names: z.array(lower).max(100).default([]),
      descriptions: z.array(lower).max(100).default([]),
    }),
  ),
  lolbins: fileOf(z.strictObject({ image: lower })),
  chunks: fileOf(
    z.strictObject({ family: text, bytes: z.number().int().min(65_536).max(1e10), providers: texts.default([]) }),
  ),
  ja4: fileOf(
    z.strictObject({
      ja4: z
        .string()
        .regex(/^([tdq]\w{9}_)?[0-9a-f]{12}_[0-9a-f]{12}$/, 'expected a JA4, with or without its first part'),
      family: z.enum(['chromium', 'gecko', 'schannel', 'go', 'python', 'openssl', 'java', 'node', 'gnutls']),
    }),
  ),
  hosting: fileOf(
    z.strictObject({ asn: z.number().int().min(1).max(4_294_967_295), kind: z.enum(['cloud', 'rented']) }),
  ),
};
type TableName = keyof typeof FILES;
type Rows<Name extends TableName> = z.infer<(typeof FILES)[Name]>['rows'];

/** Contents of an operator's files, by table. */
export const OwnTables = z.strictObject(FILES).partial();
export type OwnTables = z.infer<typeof OwnTables>;

/** Places of the tables on disk; all may be absent. */
export interface TablePlaces {
  /** Directory with `tenants.yaml`, `services.yaml` and so on. */
  readonly directory?: string | undefined;
  /** What such a directory held, in place of it. */
  readonly own?: OwnTables | undefined;
  /** Database of autonomous systems, .mmdb. */
  readonly asn?: string | undefined;
}

/**
 * The built-in tables with what the files of an operator add or replace. Throws a `UserError` (exit 2) with every
 * complaint.
 * @returns also the contents of the files, and a hash of what was read, so that the model's version can tell
 */
export function readTables({
  directory,
  own = directory === undefined ? {} : ownTablesIn(directory),
  asn,
}: TablePlaces): { readonly tables: Tables; readonly own: OwnTables; readonly digest: string } {
  const editions = new Map(Object.entries(TABLES.editions));
  const hash = createHash('sha256');
  const rowsOf = <Name extends TableName>(name: Name): { rows: Rows<Name>; replace: boolean } => {
    const file = own[name];
    if (file === undefined) return { rows: [] as unknown as Rows<Name>, replace: false };
    editions.set(name, `${file.edition}${file.replace ? '' : `+${editions.get(name)}`}`);
    hash.update(JSON.stringify([name, file]));
    return { rows: file.rows as Rows<Name>, replace: file.replace };
  };
  /** Rows of the file first, so that they are found first. */
  const before = <Row, Name extends TableName>(
    name: Name,
    own: readonly Row[],
    made: (row: Rows<Name>[number]) => Row,
  ) => {
    const { rows, replace } = rowsOf(name);
    return [...(rows as Rows<Name>[number][]).map(made), ...(replace ? [] : own)];
  };
  /** Rows of the file last, so that they stand. */
  const into = <Key, Value, Name extends TableName>(
    name: Name,
    own: ReadonlyMap<Key, Value>,
    made: (row: Rows<Name>[number]) => readonly (readonly [Key, Value])[],
  ) => {
    const { rows, replace } = rowsOf(name);
    return new Map([...(replace ? [] : own), ...(rows as Rows<Name>[number][]).flatMap(made)]);
  };
  const operators = asn === undefined ? undefined : operatorsAt(asn);
  if (operators) {
    editions.set('asn', operators.edition);
    hash.update(operators.edition);
  }
  const lolbins = rowsOf('lolbins');
  const tables: Omit<Tables, 'editions'> = {
    tenants: before('tenants', TABLES.tenants, tenantRow),
    services: into('services', TABLES.services, ({ names: ends, provider, category: kind, hidden }) =>
      ends.map((end) => [end, { provider, hidden, ...(kind === undefined ? {} : { category: kind }) }] as const),
    ),
    vendors: before('vendors', TABLES.vendors, vendorRow),
    browsers: before('browsers', TABLES.browsers, browserRow),
    tools: before('tools', TABLES.tools, toolRow),
    lolbins: new Set([...(lolbins.replace ? [] : TABLES.lolbins), ...lolbins.rows.map((row) => row.image)]),
    chunks: before('chunks', TABLES.chunks, ({ family, bytes, providers }) => ({ family, chunk: bytes, providers })),
    ja4: into('ja4', TABLES.ja4, ({ ja4, family }) => [[ja4.split('_').length === 3 ? ja4Core(ja4) : ja4, family]]),
    hosting: into('hosting', TABLES.hosting, ({ asn: number, kind }) => [[number, kind]]),
    ...(operators === undefined ? {} : { operators }),
  };
  return { tables: { editions: Object.fromEntries(editions), ...tables }, own, digest: hash.digest('hex') };
}

function ownTablesIn(directory: string): OwnTables {
  const files = filesOf(directory).map((name) => {
    return [name, readYaml<unknown>(join(directory, `${name}.yaml`), FILES[name as TableName])] as const;
  });
  return Object.fromEntries(files) as OwnTables;
}

/** The tables that a directory has files of; a file that is none of them is a mistake. */
function filesOf(directory: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(directory).filter((entry) => entry.endsWith('.yaml'));
  } catch (error) {
    throw new UserError(`${directory}: cannot be read (${(error as NodeJS.ErrnoException).code})`, Exit.usage);
  }
  const known = Object.keys(FILES);
  for (const entry of entries) {
    if (!known.includes(entry.slice(0, -5))) {
      throw new UserError(
        `${join(directory, entry)}: no table has this name; there are ${known.join(', ')}`,
        Exit.usage,
      );
    }
  }
  return entries.map((entry) => entry.slice(0, -5));
}

function operatorsAt(path: string): Operators {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, Exit.usage);
  }
  if (bytes.length > MAX_DATABASE_BYTES)
    throw new UserError(`${path}: larger than ${MAX_DATABASE_BYTES} bytes`, Exit.usage);
  try {
    return new Operators(bytes);
  } catch {
    throw new UserError(`${path}: no database of addresses (MMDB)`, Exit.usage);
  }
}

const tenantRow = ({ pattern, tenant, provider, category: kind }: Rows<'tenants'>[number]): TenantRow => ({
  pattern,
  provider,
  ...(tenant === undefined ? {} : { tenant }),
  ...(kind === undefined ? {} : { category: kind }),
});

const vendorRow = ({ places, tenants, ...row }: Rows<'vendors'>[number]): VendorFamily => ({
  ...row,
  places: pathPatterns(places),
  ...(tenants === undefined ? {} : { tenants }),
});

const browserRow = (row: Rows<'browsers'>[number]): Browser => ({
  product: row.product,
  images: row.images,
  originalNames: row.original_names.length === 0 ? row.images : row.original_names,
  signers: row.signers,
  paths: pathPatterns(row.places),
  userPaths: pathPatterns(row.user_places),
  engine: row.engine,
  ...(row.portable === undefined ? {} : { portable: row.portable }),
});

const toolRow = (row: Rows<'tools'>[number]): UploadTool => ({
  tool: row.tool,
  family: row.family,
  names: row.names,
  originalNames: row.original_names,
  descriptions: row.descriptions,
  verbs: 'always',
});
