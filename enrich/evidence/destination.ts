import { parse } from 'tldts';
import { canonicalAddress, hostName, type NameFlag } from './host-name.ts';
import { HOSTING, type HostingKind } from './hosting-table.ts';
import type { Operator, Operators } from './operators.ts';
import { globMatches } from './path-pattern.ts';
import { type Service, serviceOf } from './service-table.ts';
import { type DestinationCategory, NOT_TENANTS, TENANT_ROWS, type TenantRow } from './tenant-table.ts';

/** Where bytes go, named so that the same place has the same name whatever server answers. */
export interface DestinationEntity {
  /** `tenant:…` when the customer shows, else `domain:…` (registrable), else `ip:…`. The unit that is scored. */
  readonly entity: string;
  /** The name, lower case, without a dot at the end. */
  readonly fqdn?: string;
  /** The name with numbers and random labels folded: `r#---sn-#.example.com`. What familiarity calls the name. */
  readonly collapsed?: string;
  /** Registrable domain by the public-suffix list's ICANN section, so that it is the provider's for tenants. */
  readonly registrable?: string;
  readonly provider?: string;
  /** `hidden`: there are customers, but the name does not say which (path-style buckets, Dropbox, Telegram). */
  readonly tenantState: 'known' | 'hidden' | 'not-multi-tenant';
  readonly category?: DestinationCategory;
  readonly flags: readonly NameFlag[];
  /** Who runs the network of the address, when a database was given. */
  readonly operator?: Operator;
  /** What is rented from that operator. */
  readonly hosting?: HostingKind;
  /** Destinations to ask familiarity about, most specific first; those that do not apply are missing. */
  readonly ladder: DestinationLadder;
}

export interface DestinationLadder {
  /** `tenant:…` or `name:…` or `ip:…`. */
  readonly name: string;
  /** `domain:…`. */
  readonly registrable?: string;
  /** `asn:…`. */
  readonly asn?: string;
}

export interface DestinationInput {
  readonly domain?: string | undefined;
  readonly ip: string;
}

export interface DestinationTables {
  readonly tenants?: readonly TenantRow[];
  readonly notTenants?: readonly string[];
  readonly services?: ReadonlyMap<string, Service>;
  readonly operators?: Operators;
  readonly hosting?: ReadonlyMap<number, HostingKind>;
}

/** Names a destination. Never throws; a text that is no hostname leaves the address, with a flag. */
export function destinationEntity(input: DestinationInput, tables: DestinationTables = {}): DestinationEntity {
  const host = hostName(input.domain);
  const operator = tables.operators?.of(input.ip);
  const hosting = operator && (tables.hosting ?? HOSTING).get(operator.number);
  const run = { ...(operator === undefined ? {} : { operator }), ...(hosting === undefined ? {} : { hosting }) };
  // Where anybody may rent a server, that the operator is known says nothing of who is behind the address.
  const asn = operator === undefined || hosting !== undefined ? {} : { asn: `asn:${operator.number}` };
  if (host.kind === 'name') return { ...named(host.name, host.flags, asn, tables), ...run };
  const address = host.kind === 'address' ? host.address : (canonicalAddress(input.ip) ?? 'unknown');
  const entity = `ip:${address}`;
  return {
    entity,
    tenantState: 'not-multi-tenant',
    flags: host.kind === 'address' ? ['ip-literal'] : host.flags,
    ladder: { name: entity, ...asn },
    ...run,
  };
}

interface Tenancy {
  readonly state: DestinationEntity['tenantState'];
  /** The service has its own host name below a domain that it shares with others. */
  readonly ownName?: boolean;
  /** One name for the tenant; present when the state is known. */
  readonly tenant?: string;
  readonly provider?: string;
  readonly category?: DestinationCategory;
}

function named(
  name: string,
  flags: readonly NameFlag[],
  asn: { asn?: string },
  tables: DestinationTables,
): DestinationEntity {
  const registrable = parse(name).domain ?? name;
  const tenancy = tenancyOf(name, tables);
  const service = serviceOf(name, tables.services);
  const provider = tenancy.provider ?? service?.provider;
  const category = tenancy.category ?? service?.category;
  const collapsed = tenancy.tenant ?? collapse(name, registrable);
  const state = tenancy.state === 'not-multi-tenant' && service?.hidden === true ? 'hidden' : tenancy.state;
  return {
    entity:
      tenancy.tenant === undefined
        ? `domain:${tenancy.ownName === true ? name : registrable}`
        : `tenant:${tenancy.tenant}`,
    fqdn: name,
    collapsed,
    registrable,
    ...(provider === undefined ? {} : { provider }),
    tenantState: state,
    ...(category === undefined ? {} : { category }),
    flags,
    ladder: {
      name: tenancy.tenant === undefined ? `name:${collapsed}` : `tenant:${tenancy.tenant}`,
      registrable: `domain:${registrable}`,
      ...asn,
    },
  };
}

/** Our table first: it folds the spellings of one bucket. Then the private section of the public-suffix list. */
function tenancyOf(name: string, tables: DestinationTables): Tenancy {
  const labels = name.split('.');
  for (const row of tables.tenants ?? TENANT_ROWS) {
    const caught = matchRow(row.pattern, labels);
    if (caught === undefined) continue;
    const about = { provider: row.provider, ...(row.category === undefined ? {} : { category: row.category }) };
    if (row.tenant === undefined || OWN_HOSTS.has(caught)) {
      return { state: 'hidden', ownName: row.tenant === undefined && !row.pattern.startsWith('*'), ...about };
    }
    return { state: 'known', tenant: row.tenant.replace('{t}', caught), ...about };
  }
  const listed = parse(name, { allowPrivateDomains: true });
  if (listed.isPrivate !== true) return { state: 'not-multi-tenant' };
  const suffix = listed.publicSuffix ?? '';
  if ((tables.notTenants ?? NOT_TENANTS).some((own) => suffix === own || suffix.endsWith(`.${own}`))) {
    return { state: 'not-multi-tenant' };
  }
  if (listed.domain === null) return { state: 'hidden', provider: suffix };
  return { state: 'known', tenant: listed.domain, provider: suffix };
}

/** Names in the tenant's place that are the provider's own. */
const OWN_HOSTS = new Set([
  'www',
  'api',
  'app',
  'login',
  'files',
  'cdn',
  'static',
  'upload',
  'status',
  'hooks',
  'edgeapi',
  'wss-primary',
]);

/** What `{t}` stands for when `labels` fit the pattern; the empty text when it has no tenant mark. */
function matchRow(pattern: string, labels: readonly string[]): string | undefined {
  const wanted = pattern.split('.');
  const open = wanted[0] === '{t+}';
  if (open ? labels.length < wanted.length : labels.length !== wanted.length) return undefined;
  const offset = labels.length - wanted.length;
  let caught = open ? labels.slice(0, offset + 1).join('.') : '';
  for (let at = open ? 1 : 0; at < wanted.length; at++) {
    const want = wanted[at] ?? '';
    const label = labels[at + offset] ?? '';
    const mark = want.indexOf('{t}');
    if (mark < 0) {
      if (!globMatches(want, label)) return undefined;
      continue;
    }
    const [before, after] = [want.slice(0, mark), want.slice(mark + 3)];
    if (label.length <= before.length + after.length || !label.startsWith(before) || !label.endsWith(after))
      return undefined;
    caught = label.slice(before.length, label.length - after.length);
  }
  return caught;
}

/**
 * Folds what changes from server to server in the labels before the registrable domain: numbers, hashes, random names.
 * Equal neighbours become one, so that `a1.b2.cdn.example.com` and `a7.cdn.example.com` differ only where they must.
 */
export function collapse(name: string, registrable: string): string {
  const front = name.length > registrable.length ? name.slice(0, name.length - registrable.length - 1) : '';
  if (front === '') return name;
  const labels: string[] = [];
  for (const label of front.split('.')) {
    const folded = foldLabel(label);
    if (folded !== '#' || labels.at(-1) !== '#') labels.push(folded);
  }
  return `${labels.join('.')}.${registrable}`;
}

function foldLabel(label: string): string {
  const digits = label.replace(/[^0-9]/g, '').length;
  if (/^[0-9a-f]{8,}$/.test(label) && digits > 0) return '#';
  if (label.length >= 16 && digits >= 3) return '#';
  return label.replace(/[0-9]+/g, '#');
}
