import type { ProcessRef } from '../event/endpoint-event.ts';
import { isRenamed } from './original-name.ts';
import { folderPattern, foldPart, IDENTITY_MAX_CHARS } from './process-identity.ts';
import { isUserWritable } from './uploader.ts';
import { imageBase } from './windows-path.ts';

/** Folders, as patterns, of Windows and of programs; what users may write below them `isUserWritable` tells. */
const INSTALLED = /^\\(?:windows|program files(?: \(x86\))?)(?:\\|$)/;

/**
 * `installed:NAME|FOLDER`: beside `processIdentity` a second name under which a program is remembered that lies in a folder
 * only administrators write. It is the same whatever a feed tells of signature and version: one feed knows the signer, another
 * only the path, and what the program does on the hosts of one is known on those of the other. Undefined elsewhere, and for
 * one that is known to be unsigned, wrongly signed or renamed: it has nothing to do with what lies there on other hosts.
 */
export function installedIdentity(process: ProcessRef): string | undefined {
  const { image, originalName, signatureStatus } = process;
  if (image === undefined || signatureStatus === 'unsigned' || signatureStatus === 'invalid') return undefined;
  const folder = folderPattern(image);
  if (!INSTALLED.test(folder)) return undefined;
  if (isUserWritable(image) || isRenamed(image, originalName) === true) return undefined;
  return `installed:${foldPart(imageBase(image))}|${folder}`.slice(0, IDENTITY_MAX_CHARS);
}
