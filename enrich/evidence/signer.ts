import type { ProcessRef } from '../event/endpoint-event.ts';

/**
 * The name in a code signature, as one name: feeds give either the common name or the whole distinguished name
 * (`C=US, …, CN=Google LLC`, RFC 4514). Case and outer blanks are not part of it.
 */
export function signerName(signer: string | undefined): string | undefined {
  if (signer === undefined) return undefined;
  const text = signer.slice(0, 512).trim();
  const common =
    /(?:^|[,/]\s*)CN\s*=\s*("(?:[^"]|"")*"|[^,/]*(?:, (?:Inc|LLC|Ltd|L\.P|GmbH|a\.s|s\.r\.o)\b\.?)?)/i.exec(text)?.[1];
  const name = (common ?? text).replace(/^"|"$/g, '').trim().toLowerCase();
  return name === '' ? undefined : name;
}

export const isSignedBy = (signer: string | undefined, names: Iterable<string>): boolean => {
  const name = signerName(signer);
  if (name === undefined) return false;
  for (const known of names) {
    const whole = known.toLowerCase();
    // SentinelOne writes publishers without blanks and punctuation: GOOGLELLC.
    if (whole === name || whole.replace(/[^a-z0-9]/g, '') === name) return true;
  }
  return false;
};

/** The signature was checked and holds. */
export const isValidlySigned = (process: ProcessRef): boolean =>
  process.signatureStatus === 'valid' && signerName(process.signer) !== undefined;
