import { imageFits } from '../evidence/path-pattern.ts';
import { isSignedBy } from '../evidence/signer.ts';
import type { Settings } from '../settings.ts';
import type { Episode } from './episode.ts';

/** Why MITRE's `BinaryAllowlist` lets this episode pass, or undefined when it does not. */
export function allowed(episode: Episode, settings: Settings): string | undefined {
  const { process, destination } = episode;
  if (process?.image === undefined) return undefined;
  for (const entry of settings.BinaryAllowlist) {
    if (!imageFits(entry.path, process.image)) continue;
    if (
      entry.signer !== undefined &&
      !(process.signatureStatus === 'valid' && isSignedBy(process.signer, [entry.signer]))
    )
      continue;
    const wanted = entry.destination?.toLowerCase();
    if (wanted !== undefined && wanted !== destination.fqdn && wanted !== destination.registrable) continue;
    return `BinaryAllowlist: ${entry.path}`;
  }
  return undefined;
}
