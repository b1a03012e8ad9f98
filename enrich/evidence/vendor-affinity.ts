import type { ProcessRef } from '../event/endpoint-event.ts';
import type { DestinationEntity } from './destination.ts';
import { isRenamed } from './original-name.ts';
import { firstMatch } from './path-pattern.ts';
import { CERTIFICATE_STATUS_HOSTS } from './service-table.ts';
import { isSignedBy, signerName } from './signer.ts';
import type { Tables } from './tables.ts';
import { LOLBINS, ORDINARY_LOLBINS } from './tool-table.ts';
import { isUserWritable } from './uploader.ts';
import { VENDOR_FAMILIES, type VendorFamily } from './vendor-table.ts';
import { type ProcessWeights, WEIGHTS } from './weights.ts';
import { imageBase, windowsPath } from './windows-path.ts';

/** A program and its own maker's cloud. */
export interface VendorAffinity {
  /** `signer`: valid signature of the maker. `path`: the feed knows no signer, folder and name agree. */
  readonly kind: 'signer' | 'path' | 'certificate-status';
  readonly family: string;
  /** Decibels, negative. */
  readonly db: number;
  readonly reason: string;
  /** Certificate status: holds only for so few bytes sent. */
  readonly maximumBytes?: number;
}

/** A status request is a hash and a serial number; what is larger is no status request. Bytes. */
export const CERTIFICATE_STATUS_MAX_BYTES = 20_000;

/**
 * Whether a program is at home at a destination. Scoped to the signer: without the maker's signature (or, where the feed
 * has none, the maker's folder that users cannot write) there is no affinity. Programs that carry out what others tell
 * them have none, whoever signed them.
 */
export function vendorAffinity(
  process: ProcessRef,
  destination: DestinationEntity,
  { vendors = VENDOR_FAMILIES, lolbins = LOLBINS }: Partial<Pick<Tables, 'vendors' | 'lolbins'>> = {},
  weights: ProcessWeights = WEIGHTS.process,
): VendorAffinity | undefined {
  const name = destination.fqdn;
  if (name === undefined) return undefined;
  if (CERTIFICATE_STATUS_HOSTS.some((host) => endsIn(name, host))) {
    return {
      kind: 'certificate-status',
      family: 'certificate status',
      db: weights.affinity,
      reason: `${name} answers for certificates`,
      maximumBytes: CERTIFICATE_STATUS_MAX_BYTES,
    };
  }
  const base = imageBase(process.image);
  const tool = lolbins.has(base) && !ORDINARY_LOLBINS.has(base);
  if (base === '' || tool || isRenamed(process.image, process.originalName) === true) return undefined;
  for (const family of vendors) {
    if (destination.tenantState === 'known' && family.tenants !== true) continue;
    if (!family.destinations.some((end) => endsIn(name, end))) continue;
    const kind = tie(process, base, family);
    if (kind === undefined) continue;
    return {
      kind,
      family: family.family,
      db: kind === 'signer' ? weights.affinity : weights.affinityByPath,
      reason: `${base} belongs to ${family.family} and ${name} is its maker's`,
    };
  }
  return undefined;
}

const endsIn = (name: string, end: string): boolean => name === end || name.endsWith(`.${end}`);

function tie(process: ProcessRef, base: string, family: VendorFamily): 'signer' | 'path' | undefined {
  if (family.images.length > 0 && !family.images.includes(base)) return undefined;
  const inPlace = firstMatch(family.places, windowsPath(process.image ?? '')) !== undefined;
  if (signerName(process.signer) !== undefined) {
    const signed = process.signatureStatus === 'valid' && isSignedBy(process.signer, family.signers);
    return signed && (family.images.length > 0 || inPlace) ? 'signer' : undefined;
  }
  const unsigned = process.signatureStatus === 'unsigned' || process.signatureStatus === 'invalid';
  return inPlace && !unsigned && !isUserWritable(process.image) ? 'path' : undefined;
}
