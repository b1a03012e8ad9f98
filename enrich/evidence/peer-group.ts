import { z } from 'zod';
import type { HostRef, UserRef } from '../event/endpoint-event.ts';
import { globMatches } from './path-pattern.ts';

/** Groups of a configuration, and patterns in each list of one. */
export const MAX_PEER_GROUPS = 64;
export const MAX_PEER_PATTERNS = 256;

/** `*` stands for any run of characters. Compared in lower case. */
const hostPattern = z
  .string()
  .regex(/^[\p{L}\p{N}*._-]{1,253}$/u, 'expected a host name, in which * stands for any characters')
  .toLowerCase();
/** What Windows forbids in a name is left out, so that a pattern of another language is told of. */
const userPattern = z
  .string()
  .regex(/^[^\p{Cc}"/[\]:;|=,+?<>]{1,256}$/u, 'expected NAME or DOMAIN\\NAME, in which * stands for any characters')
  .toLowerCase();

const PeerGroupConfig = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\p{L}\p{N} ._-]{1,64}$/u, 'expected 1 to 64 letters, digits, spaces, dots, _ or -')
      .describe('Shown on alerts; what is learned of the group is kept under it.'),
    hosts: z
      .array(hostPattern)
      .max(MAX_PEER_PATTERNS)
      .default([])
      .describe('Host names; without a dot, compared up to the first dot of the name.'),
    users: z
      .array(userPattern)
      .max(MAX_PEER_PATTERNS)
      .default([])
      .describe('Users whose programs send; without a domain, any.'),
  })
  .refine(({ hosts, users }) => hosts.length + users.length > 0, 'expected hosts, users or both');

/** Hosts that do the same work, by which one of them is judged as long as it is new. The first that fits wins. */
export const PeerGroups = z
  .array(PeerGroupConfig)
  .max(MAX_PEER_GROUPS)
  .superRefine((groups, context) => {
    for (const [i, { name }] of groups.entries())
      if (groups.findIndex((other) => other.name === name) < i)
        context.addIssue({ code: 'custom', message: 'two groups have this name', path: [i, 'name'] });
  });

/** As the configuration has it; patterns in lower case. */
export type PeerGroup = z.infer<typeof PeerGroupConfig>;

/**
 * The name of the group that what a user's program sends from a host belongs to. Undefined also where a group before would have
 * to be asked for a name that is not known yet: what comes later may name a group, and never another one.
 */
export function peerGroupOf(
  groups: readonly PeerGroup[],
  host: { readonly name?: HostRef['name'] | undefined } | undefined,
  user: UserRef | undefined,
): string | undefined {
  const hostName = host?.name?.toLowerCase();
  const userName = user?.name?.toLowerCase();
  for (const { name, hosts, users } of groups) {
    if (hostName !== undefined && hosts.some((pattern) => hostFits(pattern, hostName))) return name;
    if (userName !== undefined && users.some((pattern) => userFits(pattern, userName, user?.domain))) return name;
    const isOpen = (hostName === undefined && hosts.length > 0) || (userName === undefined && users.length > 0);
    if (isOpen) return undefined;
  }
  return undefined;
}

/** One feed has the short name of a machine, another the long one. */
const hostFits = (pattern: string, name: string): boolean =>
  globMatches(pattern, pattern.includes('.') ? name : name.split('.')[0]!);

/** Feeds have the domain in the name, beside it, or not at all. */
function userFits(pattern: string, name: string, domain: string | undefined): boolean {
  const bare = name.slice(name.lastIndexOf('\\') + 1);
  if (!pattern.includes('\\')) return globMatches(pattern, bare);
  return globMatches(pattern, name.includes('\\') || domain === undefined ? name : `${domain.toLowerCase()}\\${name}`);
}
