/** Who may capture, and how a process gives up what it no longer needs (Linux). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { UserIds } from './live-messages.ts';

/** Bit of CAP_NET_RAW (capability.h), which opening a packet socket takes. */
const CAP_NET_RAW = 13n;

/** Effective capabilities of this process as a set of bits; undefined where the kernel does not tell. */
export function effectiveCapabilities(): bigint | undefined {
  try {
    const match = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'));
    return match ? BigInt(`0x${match[1]}`) : undefined;
  } catch {
    return undefined; // no /proc: another system
  }
}

export const mayCapture = (): boolean =>
  ((effectiveCapabilities() ?? 0n) & (1n << CAP_NET_RAW)) !== 0n || process.getuid?.() === 0;

/** Ids of a user of this machine by name or number; undefined when there is none. */
export function findUser(name: string): UserIds | undefined {
  if (!/^[\w.][\w.-]{0,31}$/.test(name)) return undefined;
  try {
    const id = (what: string): number =>
      Number(execFileSync('id', [what, '--', name], { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined; // id says so by its exit code
  }
}

/**
 * Becomes another user for good, with no group but its own and no capability. Does nothing without root.
 * Throws when anything is left: going on would break what the user was promised.
 */
export function dropPrivileges({ uid, gid }: UserIds): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  if (uid === 0) return;
  const left = effectiveCapabilities();
  if (process.getuid() === 0 || process.geteuid?.() === 0 || (left !== undefined && left !== 0n)) {
    throw new Error(`privileges were not given up: uid ${process.geteuid?.()}, capabilities ${left?.toString(16)}`);
  }
}
