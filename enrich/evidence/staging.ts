import type { EndpointEvent, FileEvent, ImageLoad, ProcessRef, ProcessStart } from '../event/endpoint-event.ts';
import { type ArchiveCommand, archiveCommands, type ProgramIdentity } from './archive-command.ts';
import { type ArchiveName, archiveName, DISGUISES, formatOfMime, ZIP_DOCUMENTS } from './archive-formats.ts';
import { ARCHIVERS, type Archiver } from './archiver-table.ts';
import { type Command, commandsIn } from './commands.ts';
import { copyCommand } from './copy-command.ts';
import type { PathPattern } from './path-pattern.ts';
import { factOf, named, type StagingFact, type StagingFinding, type StagingTrait } from './staging-fact.ts';
import {
  isCompressionLibrary,
  isLogPlace,
  isScriptHost,
  isSensitiveSource,
  isStagingDir,
  LOOKALIKES,
  type Lookalike,
  lookalikesOf,
  PROGRAM_EXTENSIONS,
  STAGING_DIRS,
} from './staging-places.ts';
import { expandVariables, imageBase, isShare, resolvePath, type WindowsPath, windowsPath } from './windows-path.ts';

export type { StagingFact } from './staging-fact.ts';

/** What the classifier may be told beside the event. Every table has a built-in default. */
export interface StagingContext {
  /** The same process with what other events said of it; the event's own fields go first. */
  readonly process?: ProcessRef;
  readonly archivers?: readonly Archiver[];
  readonly stagingDirs?: readonly PathPattern[];
  readonly lookalikes?: readonly Lookalike[];
}

/** Facts made of one event at most; a shell script may hold several commands. */
export const FACTS_PER_EVENT_MAX = 16;

/**
 * What an endpoint event says about data being packed or gathered: nothing for most events. Pure: the same event gives
 * the same facts. Unpacking, reading a listing and downloads are no staging. Ordinary work that looks like staging is
 * kept with a `low:` trait and the reason, so that a later strange destination can still be tied to it.
 */
export function stagingFrom(event: EndpointEvent, context: StagingContext = {}): readonly StagingFact[] {
  switch (event.kind) {
    case 'process_start':
      return commandFindings(event, context)
        .slice(0, FACTS_PER_EVENT_MAX)
        .map((finding) => factOf(event, finding));
    case 'file_write':
    case 'file_read':
    case 'file_delete':
      return present(fileFinding(event, context)).map((finding) => factOf(event, finding));
    case 'image_load':
      return present(libraryFinding(event)).map((finding) => factOf(event, finding));
    default:
      return [];
  }
}

const present = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

function commandFindings(event: ProcessStart, context: StagingContext): StagingFinding[] {
  const process = { ...context.process, ...event.process };
  if (process.commandLine === undefined) return [];
  const own = identityOf(process);
  return commandsIn(process.commandLine).flatMap((command, index) => {
    const about = index === 0 ? own : undefined;
    const packed = archiveCommands(command, about, context.archivers ?? ARCHIVERS);
    if (packed.length > 0) return packed.map((found) => packFinding(found, command, process, context));
    return present(copyFinding(command, process, context));
  });
}

function identityOf(process: ProcessRef): ProgramIdentity {
  const { originalName, description, product } = process;
  return {
    name: imageBase(process.image).replace(/\.exe$/, ''),
    ...(originalName === undefined ? {} : { originalName }),
    ...(description === undefined ? {} : { description }),
    ...(product === undefined ? {} : { product }),
  };
}

const locate = (text: string, process: ProcessRef): WindowsPath =>
  resolvePath(expandVariables(text, process.user?.name), process.currentDirectory);

function packFinding(
  { tool, request, renamed }: ArchiveCommand,
  command: Command,
  process: ProcessRef,
  context: StagingContext,
): StagingFinding {
  const output = request.output === undefined || request.output === '-' ? undefined : locate(request.output, process);
  const inputs = request.inputs.map((input) => locate(input, process));
  const traits: StagingTrait[] = [...request.traits, ...inputTraits(inputs, request.inputs)];
  if (renamed) traits.push('renamed-tool');
  if (command.encoded) traits.push('encoded-command');
  if (output !== undefined) traits.push(...placeTraits(output, process, context));
  const encodes = request.verb === 'encode';
  if (encodes && inputs[0] !== undefined && PROGRAM_EXTENSIONS.has(inputs[0].ext)) traits.push('low:encodes-program');
  const what = encodes ? 'encodes or encrypts' : 'packs';
  return {
    strength: 'C',
    kind: encodes ? 'encode' : 'archive-command',
    technique: request.technique,
    traits,
    inputs: inputs.map((input) => input.key),
    reason: `${tool}${renamed ? ` (renamed to ${imageBase(process.image)})` : ''} ${what} ${list(request.inputs)} into ${
      request.output === undefined ? 'a file that the command line does not name' : named(request.output)
    }`,
    ...(request.encoded === undefined ? {} : { encoded: request.encoded }),
    ...(output === undefined || request.output === undefined ? {} : { archive: archiveRef(request.output, output) }),
  };
}

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'data' : `${named(names[0] ?? '')}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;

function archiveRef(path: string, at: WindowsPath): { path: string; key: string; setKey: string; part?: number } {
  const name = archiveName(at);
  return {
    path: path.slice(0, 2_048),
    key: at.key,
    setKey: name?.setKey ?? at.key,
    ...(name?.part === undefined ? {} : { part: name.part }),
  };
}

function inputTraits(inputs: readonly WindowsPath[], written: readonly string[]): StagingTrait[] {
  const traits: StagingTrait[] = [];
  if (inputs.some(isShare)) traits.push('unc-source');
  if (written.some(isSensitiveSource)) traits.push('sensitive-source');
  return traits;
}

function placeTraits(path: WindowsPath, process: ProcessRef, context: StagingContext): StagingTrait[] {
  const traits: StagingTrait[] = lookalikesOf(path, process, context.lookalikes ?? LOOKALIKES).map(
    (rule) => rule.trait,
  );
  if (isStagingDir(path, context.stagingDirs ?? STAGING_DIRS)) traits.push('staging-dir');
  if (isLogPlace(path)) traits.push('log-dir');
  if (path.stream !== undefined) traits.push('alternate-stream');
  return traits;
}

function copyFinding(command: Command, process: ProcessRef, context: StagingContext): StagingFinding | undefined {
  const found = copyCommand(command);
  if (found === undefined) return undefined;
  const target = found.target === undefined ? undefined : locate(found.target, process);
  const inputs = found.inputs.map((input) => locate(input, process));
  const traits: StagingTrait[] = [...found.traits, ...inputTraits(inputs, found.inputs)];
  if (command.encoded) traits.push('encoded-command');
  if (target !== undefined && isStagingDir(insideOf(target), context.stagingDirs ?? STAGING_DIRS))
    traits.push('staging-dir');
  return {
    strength: 'C',
    kind: found.kind,
    technique: found.technique,
    traits,
    inputs: inputs.map((input) => input.key),
    reason: `${command.program} ${found.what}: ${list(found.inputs)}${found.target === undefined ? '' : ` to ${named(found.target)}`}`,
    ...(found.kind === 'export' && found.target !== undefined && target !== undefined
      ? { archive: archiveRef(found.target, target) }
      : {}),
    ...(found.kind === 'copy-loop' && found.traits.includes('recursive') && target?.absolute === true
      ? { folder: target.key }
      : {}),
  };
}

/** A copy's target is a folder as often as a file; the patterns speak of files. */
const insideOf = (folder: WindowsPath): WindowsPath => windowsPath(`${folder.key}\\x`);

function fileFinding(event: FileEvent, context: StagingContext): StagingFinding | undefined {
  const path = windowsPath(event.path);
  if (path.stream === 'zone.identifier') return downloadMark(event, path);
  const name = archiveName(path);
  const content = formatOfMime(event.mimeType);
  const packed = content?.family === 'package' ? undefined : content;
  if (event.kind === 'file_delete' || event.kind === 'file_read') {
    return name === undefined && packed === undefined ? undefined : touched(event, path);
  }
  if (event.origin !== undefined) return undefined;
  const old = event.op === 'rename' && event.oldPath !== undefined ? windowsPath(event.oldPath) : undefined;
  const oldName = old === undefined ? undefined : archiveName(old);
  if (name === undefined && packed === undefined && oldName === undefined) return undefined;
  const traits = writeTraits(path, { ...context.process, ...event.process }, name, packed?.name, context);
  if (name === undefined && oldName !== undefined && DISGUISES.has(path.ext)) traits.push('extension-mismatch');
  return writeFinding(event, path, { traits, proven: packed !== undefined, ...(old === undefined ? {} : { old }) });
}

function downloadMark(event: FileEvent, path: WindowsPath): StagingFinding | undefined {
  const file = windowsPath(path.key.slice(0, -':zone.identifier'.length));
  if (event.kind !== 'file_write' || archiveName(file) === undefined) return undefined;
  return {
    strength: 'B',
    kind: 'download-mark',
    technique: 'T1105',
    traits: ['low:download'],
    reason: `${named(event.path)} says that the archive came from the network`,
    archive: archiveRef(event.path, file),
  };
}

function touched(event: FileEvent, path: WindowsPath): StagingFinding {
  const deleted = event.kind === 'file_delete';
  return {
    strength: deleted ? 'B' : 'E',
    kind: deleted ? 'archive-delete' : 'archive-read',
    technique: deleted ? 'T1070.004' : 'T1005',
    reason: `${imageBase(event.process.image) || 'a process'} ${deleted ? 'deletes' : 'reads'} ${named(event.path)}`,
    archive: { ...archiveRef(event.path, path), ...(event.size === undefined ? {} : { size: event.size }) },
  };
}

function writeTraits(
  path: WindowsPath,
  process: ProcessRef,
  name: ArchiveName | undefined,
  content: string | undefined,
  context: StagingContext,
): StagingTrait[] {
  const traits = placeTraits(path, process, context);
  const archiver = isArchiver(process, context.archivers ?? ARCHIVERS);
  const ext = path.stream === undefined ? path.ext : '';
  if (name?.part !== undefined) traits.push('split');
  if (name?.format.family === 'package') traits.push('low:package');
  if (content === 'zip' && ZIP_DOCUMENTS.has(ext) && !archiver) traits.push('low:office');
  else if (content !== undefined && DISGUISES.has(ext)) traits.push('extension-mismatch');
  return traits;
}

function isArchiver(process: ProcessRef, table: readonly Archiver[]): boolean {
  const base = imageBase(process.image).replace(/\.exe$/, '');
  return table.some((entry) => entry.names.includes(base));
}

function writeFinding(
  event: FileEvent,
  path: WindowsPath,
  seen: { traits: readonly StagingTrait[]; proven: boolean; old?: WindowsPath },
): StagingFinding {
  const { traits, proven, old } = seen;
  const writer = imageBase(event.process.image) || 'a process';
  const size = event.size === undefined ? '' : ` (${event.size} bytes)`;
  const verb = old === undefined ? 'writes' : `renames ${named(event.oldPath ?? '')} to`;
  return {
    strength: proven ? 'A' : 'B',
    kind: 'archive-write',
    technique: 'T1560',
    traits,
    reason: `${writer} ${verb} ${named(event.path)}${size}, an archive by its ${proven ? 'content' : 'name'}`,
    ...(old === undefined ? {} : { renamedFrom: old.key }),
    archive: {
      ...archiveRef(event.path, path),
      ...(event.size === undefined ? {} : { size: event.size }),
      ...(event.mimeType === undefined ? {} : { mimeType: event.mimeType.slice(0, 128) }),
    },
  };
}

/** A script host that loads a compression library; a compiler writing that library is a file event and none of this. */
function libraryFinding(event: ImageLoad): StagingFinding | undefined {
  if (!isCompressionLibrary(windowsPath(event.path)) || !isScriptHost(event.process.image)) return undefined;
  return {
    strength: 'F',
    kind: 'compression-library',
    technique: 'T1560.002',
    reason: `${imageBase(event.process.image)} loads ${named(event.path)}`,
  };
}
