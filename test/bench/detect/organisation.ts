/** Hosts, users and networks of the simulated organisation: a function of the seed and the number of hosts. */
import type { Random } from '../random.ts';
import { inventedDomain, inventedWord, lognormal, numberOf, streamOf } from './chance.ts';
import { FEEDS, type FeedShape } from './feeds.ts';
import { type Issue, withNewHosts } from './new-hosts.ts';

export type Role = 'office' | 'developer' | 'admin' | 'finance' | 'server';

/** How the sensor sees a host: with its own address, behind a translating gateway, or through an explicit proxy. */
export type Segment = 'plain' | 'translated' | 'proxied';

export interface Host {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly laptop: boolean;
  /** The day on which it was given out; 0 for those that were there before. */
  readonly issued: number;
  readonly segment: Segment;
  readonly feed: FeedShape;
  /** Its events go through the normalizer as lines of text. */
  readonly asText: boolean;
  /** Its clock minus the sensor's, seconds. */
  readonly skewSeconds: number;
  readonly user: { readonly name: string; readonly domain: string; readonly id: string };
  readonly browser: 'chrome' | 'edge' | 'firefox';
}

export interface Organisation {
  readonly seed: number;
  readonly name: string;
  readonly hosts: readonly Host[];
  /** Web sites, the most visited first. */
  readonly sites: readonly string[];
  /** Businesses that files are exchanged with. */
  readonly partners: readonly string[];
}

const ROLES: readonly (readonly [Role, number])[] = [
  ['office', 0.53],
  ['developer', 0.2],
  ['finance', 0.1],
  ['admin', 0.05],
  ['server', 0.12],
];
export const ROLE_NAMES: readonly Role[] = ROLES.map(([role]) => role);
/** What the names of the hosts of a role begin with. */
export const namePrefix = (role: Role): string => role.slice(0, 3).toUpperCase();

const SEGMENTS: readonly (readonly [Segment, number])[] = [
  ['plain', 0.82],
  ['proxied', 0.12],
  ['translated', 0.06],
];
/** A clock so wrong that it shows. */
const SKEWED = 0.06;
const SITES = 3_000;
const PARTNERS = 40;

/** @param issue of new laptops; by default none */
export function organisation(seed: number, hosts: number, issue: Issue = { count: 0, from: 0, to: 0 }): Organisation {
  const random = streamOf(seed, 'organisation');
  const name = inventedWord(random, 3);
  const roles = quota(ROLES, hosts, random);
  const feeds = quota(
    FEEDS.map((feed) => [feed, feed.share] as const),
    hosts,
    random,
  );
  const segments = quota(SEGMENTS, hosts, random);
  return {
    seed,
    name,
    hosts: withNewHosts(
      seed,
      Array.from({ length: hosts }, (_, index) =>
        hostOf(seed, name, index, roles[index]!, feeds[index]!, segments[index]!),
      ),
      issue,
    ),
    sites: Array.from({ length: SITES }, () => inventedDomain(random)),
    partners: Array.from({ length: PARTNERS }, () => inventedDomain(random)),
  };
}

function hostOf(
  seed: number,
  organisation: string,
  index: number,
  role: Role,
  feed: FeedShape,
  segment: Segment,
): Host {
  const random = streamOf(seed, 'host', index);
  const person = inventedWord(random, 3);
  return {
    index,
    id:
      feed.processIds === 'pid' || feed.feed === 'sysmon'
        ? `${role.slice(0, 3)}-${index}`
        : `agent-${numberOf(seed, 'agent', index).toString(16)}`,
    name: `${namePrefix(role)}-${index}`,
    role,
    laptop: role !== 'server' && random.chance(0.6),
    issued: 0,
    // Servers stand where the sensor sees them.
    segment: role === 'server' ? 'plain' : segment,
    feed,
    asText: feed.feed === 'sysmon' && random.chance(0.1),
    skewSeconds: random.chance(SKEWED)
      ? (random.chance(0.5) ? 1 : -1) * Math.min(400, lognormal(random, 60, 0.8))
      : (random.below(2000) - 1000) / 1000,
    user: {
      name: person,
      domain: organisation.toUpperCase(),
      id: `S-1-5-21-${numberOf(seed, 'domain')}-3141592653-2718281828-${1100 + index}`,
    },
    browser: random.pick(['chrome', 'chrome', 'edge', 'edge', 'firefox']),
  };
}

/** Each kind as often as its share says, at least once while there is room, in shuffled order. */
function quota<T>(shares: readonly (readonly [T, number])[], length: number, random: Random): T[] {
  const list: T[] = [];
  for (const [kind, share] of [...shares].sort((a, b) => a[1] - b[1])) {
    const count = Math.max(1, Math.round(share * length));
    for (let i = 0; i < count && list.length < length; i++) list.push(kind);
  }
  while (list.length < length) list.push(shares[0]![0]);
  for (let i = list.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    [list[i], list[other]] = [list[other]!, list[i]!];
  }
  return list;
}

/** Address on a day: laptops get another one each day, everything else keeps its own. Never two hosts with one address. */
export function addressOf(host: Host, day: number, hosts: number): string {
  if (host.segment === 'translated') return `192.168.${8 + (host.index >> 8)}.${host.index & 255}`;
  const place = host.laptop ? (host.index + day * 37) % hosts : host.index;
  const net = host.role === 'server' ? 10 : host.laptop ? 30 : 20;
  return `10.${net}.${place >> 8}.${place & 255}`;
}

/** What the sensor sees of hosts behind the translating gateway, their own network, and the proxy. */
export const GATEWAY = '10.9.0.1';
export const INSIDE = '192.168.0.0/16';
export const PROXY = { ip: '10.1.1.80', port: 8080 } as const;
