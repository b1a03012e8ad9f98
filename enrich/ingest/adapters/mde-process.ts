import type { ProcessRef, UserRef } from '../../event/endpoint-event.ts';
import { hashesFrom, integrityOf, logonIdOf, pidOf, signatureStatusOf, textOf, userFrom } from '../field-values.ts';
import { type JsonObject, own } from '../json-object.ts';
import { parentRef, processRef } from '../process-key.ts';
import { utcMicros } from '../time-text.ts';

/**
 * Columns that describe one process of a row, by fact; the first that is filled in wins. The public schema and the one of the
 * backend export differ only in these names.
 */
interface ProcessColumns {
  readonly pid: readonly string[];
  readonly start: readonly string[];
  readonly name: readonly string[];
  readonly path: readonly string[];
  readonly commandLine: readonly string[];
  readonly md5: readonly string[];
  readonly sha1: readonly string[];
  readonly sha256: readonly string[];
  readonly integrity: readonly string[];
  readonly logonId: readonly string[];
  readonly originalName: readonly string[];
  readonly company: readonly string[];
  readonly product: readonly string[];
  readonly description: readonly string[];
  readonly signature: readonly string[];
  readonly account: readonly [name: string, domain: string, sid: string];
}

const versionInfo = (prefix: string) => ({
  originalName: [`${prefix}VersionInfoOriginalFileName`],
  company: [`${prefix}VersionInfoCompanyName`],
  product: [`${prefix}VersionInfoProductName`],
  description: [`${prefix}VersionInfoFileDescription`],
  signature: [`${prefix}SignatureStatus`],
});

/** The process that a ProcessCreated row is about. */
const CREATED: ProcessColumns = {
  pid: ['ProcessId'],
  start: ['ProcessCreationTime'],
  name: ['FileName'],
  path: ['FolderPath'],
  commandLine: ['ProcessCommandLine'],
  md5: ['MD5'],
  sha1: ['SHA1'],
  sha256: ['SHA256'],
  integrity: ['ProcessIntegrityLevel'],
  logonId: ['LogonId'],
  ...versionInfo('Process'),
  account: ['AccountName', 'AccountDomain', 'AccountSid'],
};

/** The same in rows of the backend export. */
const CREATED_BACKEND: ProcessColumns = {
  pid: ['CreatedProcessId'],
  start: ['CreatedProcessCreationTime'],
  name: ['CreatedProcessName'],
  path: ['CreatedProcessFilePath'],
  commandLine: ['CreatedProcessCommandLine'],
  md5: ['CreatedProcessFileMd5'],
  sha1: ['CreatedProcessFileSha1'],
  sha256: ['CreatedProcessFileSha256'],
  integrity: ['CreatedProcessIntegrityLevel'],
  logonId: ['LogonId'],
  ...versionInfo('CreatedProcess'),
  account: ['CreatedProcessAccountName', 'CreatedProcessAccountDomainName', 'CreatedProcessAccountSid'],
};

/** The process that did it, in every table. */
const INITIATING: ProcessColumns = {
  pid: ['InitiatingProcessId'],
  start: ['InitiatingProcessCreationTime'],
  name: ['InitiatingProcessFileName', 'InitiatingProcessName'],
  path: ['InitiatingProcessFolderPath', 'InitiatingProcessImageFilePath'],
  commandLine: ['InitiatingProcessCommandLine', 'Process_CommandLine'],
  md5: ['InitiatingProcessMD5', 'InitiatingProcessImageMd5'],
  sha1: ['InitiatingProcessSHA1', 'InitiatingProcessImageSha1'],
  sha256: ['InitiatingProcessSHA256', 'InitiatingProcessImageSha256'],
  integrity: ['InitiatingProcessIntegrityLevel'],
  logonId: ['InitiatingProcessLogonId'],
  ...versionInfo('InitiatingProcess'),
  account: ['InitiatingProcessAccountName', 'InitiatingProcessAccountDomain', 'InitiatingProcessAccountSid'],
};

const first = (row: JsonObject, columns: readonly string[]): string | undefined => {
  for (const column of columns) {
    const text = textOf(own(row, column));
    if (text !== undefined) return text;
  }
  return undefined;
};

/** The started process with the initiating one as its parent. */
export function createdProcess(row: JsonObject): ProcessRef {
  const columns = own(row, 'CreatedProcessId') === undefined ? CREATED : CREATED_BACKEND;
  const parent = initiatingProcess(row);
  return processOf(
    row,
    columns,
    parentRef({
      entityId: parent.entityKind === 'pid-start' ? parent.entityId : undefined,
      pid: parent.pid,
      image: parent.image,
      commandLine: parent.commandLine,
    }),
  );
}

/** The process that connected, wrote or loaded; of its parent the row knows pid, start and name. */
export function initiatingProcess(row: JsonObject): ProcessRef {
  const grandparent = processRef({
    pid: pidOf(own(row, 'InitiatingProcessParentId') ?? own(row, 'InitiatingProcessParentProcessId')),
    startedAt: utcMicros(own(row, 'InitiatingProcessParentCreationTime')),
    image: first(row, ['InitiatingProcessParentFileName', 'InitiatingProcessParentProcessName']),
  });
  return processOf(
    row,
    INITIATING,
    parentRef({
      entityId: grandparent.entityKind === 'pid-start' ? grandparent.entityId : undefined,
      pid: grandparent.pid,
      image: grandparent.image,
    }),
  );
}

/** Defender has no process GUID: pid and creation time together are the key (FEEDS 4). */
function processOf(row: JsonObject, columns: ProcessColumns, parent: ProcessRef['parent']): ProcessRef {
  const user: UserRef | undefined = userFrom(
    ...(columns.account.map((column) => own(row, column)) as [unknown, unknown, unknown]),
  );
  return processRef({
    pid: pidOf(first(row, columns.pid)),
    startedAt: utcMicros(first(row, columns.start)),
    image: imagePath(first(row, columns.path), first(row, columns.name)),
    originalName: first(row, columns.originalName),
    product: first(row, columns.product),
    company: first(row, columns.company),
    description: first(row, columns.description),
    commandLine: first(row, columns.commandLine),
    hashes: hashesFrom({
      md5: first(row, columns.md5),
      sha1: first(row, columns.sha1),
      sha256: first(row, columns.sha256),
    }),
    signatureStatus: signatureStatusOf(first(row, columns.signature), undefined),
    user,
    logonId: logonIdOf(first(row, columns.logonId)),
    integrity: integrityOf(first(row, columns.integrity)),
    parent,
  });
}

/** `FolderPath` is the whole path in most tables and really the folder in the rest. */
export function imagePath(folder: string | undefined, name: string | undefined): string | undefined {
  if (folder === undefined || name === undefined) return folder ?? name;
  if (folder.toLowerCase().endsWith(name.toLowerCase())) return folder;
  return `${folder}${folder.endsWith('\\') || folder.endsWith('/') ? '' : folder.includes('/') ? '/' : '\\'}${name}`;
}
