import type { ProcessRef } from '../event/endpoint-event.ts';
import { isRenamed } from './original-name.ts';
import { isValidlySigned, signerName } from './signer.ts';
import { imageBase, windowsPath } from './windows-path.ts';

/** Longest identity; names in a version resource are the attacker's to write. Characters. */
export const IDENTITY_MAX_CHARS = 300;

/**
 * The stable name of a program, under which familiarity and handshakes are remembered:
 *
 * - `signed:SIGNER|PRODUCT|NAME` with a valid signature: survives updates and moves;
 * - `file:NAME|FOLDER` without: user names, versions and random parts of the folder are folded to `*` and `#`;
 * - `unknown` when not even an image is known.
 *
 * NAME is the file name, and `original>name` when the version resource shows that it was renamed. So a copy of a known
 * tool under a browser's name, or a browser's name in another folder, never inherits the familiarity of the real one.
 * The product is left out where the feed gives none; ask with the fullest description of the process there is.
 */
export function processIdentity(process: ProcessRef): string {
  const base = imageBase(process.image);
  const original = clean(process.originalName);
  if (base === '' && original === '') return 'unknown';
  const renamed = isRenamed(process.image, process.originalName) === true;
  const name = renamed ? `${original}>${base}` : base === '' ? original : foldPart(base);
  if (isValidlySigned(process)) {
    return `signed:${signerName(process.signer) ?? ''}|${clean(process.product)}|${name}`.slice(0, IDENTITY_MAX_CHARS);
  }
  return `file:${name}|${folderPattern(process.image)}`.slice(0, IDENTITY_MAX_CHARS);
}

/** Images whose identity is remembered, and the longest, characters; all are forgotten when there are more. */
const MAX_REMEMBERED = 4_096;
const MAX_REMEMBERED_CHARS = 512;
const byImage = new Map<string, string>();

/** The identity of a process of which nothing but its image is known. */
export function imageIdentity(image: string): string {
  const known = byImage.get(image);
  if (known !== undefined) return known;
  const identity = processIdentity({ entityId: '', entityKind: 'none', image });
  if (image.length > MAX_REMEMBERED_CHARS) return identity;
  if (byImage.size >= MAX_REMEMBERED) byImage.clear();
  byImage.set(image, identity);
  return identity;
}

/** Separators of the identity itself cannot be forged from a version resource. */
const clean = (text: string | undefined): string =>
  (text ?? '')
    .slice(0, 120)
    .toLowerCase()
    .replace(/[|>\s]+/g, ' ')
    .replace(/^-$/, '')
    .trim();

/** The folder with what differs between users, versions and installs folded. */
export function folderPattern(image: string | undefined): string {
  if (image === undefined) return '';
  const path = windowsPath(image);
  const drive = path.volume === 'c:' || path.volume.startsWith('\\device\\') ? '' : path.volume;
  const parts = path.tail.split('\\').slice(1, -1);
  const folded = parts.map((part, index) =>
    index === 1 && parts[0] === 'users' && part !== 'public' ? '*' : foldPart(part),
  );
  return `${drive}\\${folded.join('\\')}`;
}

/** A part of a path with what differs between versions and installs folded. */
export function foldPart(part: string): string {
  if (/^\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?$/.test(part)) return '#';
  if (/^[0-9a-f]{12,}$/.test(part) || /^s-1-[0-9-]+$/.test(part)) return '#';
  if (/\.tmp$/.test(part)) return '#.tmp';
  return part.replace(/\d+(?:[._-]\d+)+|\d{4,}/g, '#');
}
