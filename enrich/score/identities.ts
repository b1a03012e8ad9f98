import { installedIdentity } from '../evidence/installed-identity.ts';
import { processIdentity } from '../evidence/process-identity.ts';
import type { ProcessInfo } from '../join/lineage.ts';

/** The names under which a program is remembered. */
export interface Identities {
  /** `unknown` when not even its image is known: nothing is remembered then. */
  readonly identity: string;
  /** The second one, of a program in a folder that only administrators write. */
  readonly installed: string | undefined;
}

export const identitiesOf = (process: ProcessInfo | undefined): Identities => ({
  identity: process ? processIdentity(process) : 'unknown',
  installed: process && installedIdentity(process),
});

export const namesOf = ({ identity, installed }: Identities): string[] => [
  ...(identity === 'unknown' ? [] : [identity]),
  ...(installed === undefined ? [] : [installed]),
];
