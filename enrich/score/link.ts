import { referencesPath } from '../evidence/references.ts';
import { isSessionRoot, lineageRoot, type ProcessInfo } from '../join/lineage.ts';
import { tellerOf } from '../join/on-behalf.ts';

/**
 * How a packing process and a sending process belong together, strongest first (STAGING: same process, ancestor or
 * descendant, same logon session, same user, merely same host).
 */
export type Link =
  | 'referenced'
  | 'referenced-directory'
  | 'lineage'
  | 'logon'
  | 'process'
  | 'user'
  | 'host'
  | 'other-user';

const SYSTEM_SIDS = new Set(['s-1-5-18', 's-1-5-19', 's-1-5-20']);

/**
 * @param sender the sending process and its ancestors, nearest first; undefined when no process is known
 * @param packer the same of the packing process
 * @param archiveKey comparison form of the archive's path, when one is known
 * @param readBySender an endpoint event says that the sending process read the archive
 */
export function linkOf(
  sender: readonly ProcessInfo[] | undefined,
  packer: readonly ProcessInfo[],
  archiveKey: string | undefined,
  readBySender: boolean,
): Link {
  if (!sender) return 'host';
  if (readBySender) return 'referenced';
  const named = archiveKey === undefined ? undefined : reference(sender, archiveKey);
  if (named === 'exact') return 'referenced';
  const own = packer[0]!;
  const from = sender[0]!;
  if (named === 'directory') return 'referenced-directory';
  if (from.entityId !== own.entityId && sameLineage(sender, packer)) return 'lineage';
  if (from.logonId !== undefined && from.logonId === own.logonId && !isSystem(from)) return 'logon';
  if (from.entityId === own.entityId) return 'process';
  const [a, b] = [userKey(from), userKey(own)];
  if (a === undefined || b === undefined) return 'host';
  if (a === b) return isSystem(from) ? 'host' : 'user';
  return isSystem(from) || isSystem(own) ? 'host' : 'other-user';
}

/** A process of the sender's own lineage names the archive, or a directory that holds it. */
function reference(sender: readonly ProcessInfo[], archiveKey: string): 'exact' | 'directory' | undefined {
  let best: 'directory' | undefined;
  // A service sends what it was asked to: the one that asked hands over.
  const teller = tellerOf(sender);
  for (const process of sender) {
    if (isSessionRoot(process) && (process !== sender[0] || process === teller)) break;
    if (process.commandLine === undefined) continue;
    const found = referencesPath(process.commandLine, process.currentDirectory, archiveKey);
    // The shell that made the archive names it too: only the sender itself shows a hand-over by directory.
    if (found === 'exact' && process === teller) return 'exact';
    if (found !== undefined && process === teller) best = 'directory';
  }
  return best;
}

/** One is an ancestor of the other, or both descend from one activity below the session's roots. */
function sameLineage(a: readonly ProcessInfo[], b: readonly ProcessInfo[]): boolean {
  return lineageRoot(a).entityId === lineageRoot(b).entityId;
}

const isSystem = (p: ProcessInfo): boolean =>
  SYSTEM_SIDS.has(p.user?.id?.toLowerCase() ?? '') ||
  /^(system|local service|network service)$/i.test((p.user?.name ?? '').split('\\').at(-1) ?? '');

/** SID where known; else the account name without its domain, case folded. */
function userKey(p: ProcessInfo): string | undefined {
  const sid = p.user?.id?.toLowerCase();
  if (sid?.startsWith('s-1-')) return sid;
  const name = p.user?.name?.split('\\').at(-1)?.trim().toLowerCase();
  return name === undefined || name === '' || name === '-' ? undefined : name;
}
