import type { ProcessRef } from '../event/endpoint-event.ts';
import { type Command, commandsIn, programName } from './commands.ts';
import { isRenamed } from './original-name.ts';
import { firstMatch, globMatches, type PathPattern, pathPatterns } from './path-pattern.ts';
import { isValidlySigned } from './signer.ts';
import { LOLBINS, ORDINARY_LOLBINS, type ToolFamily, UPLOAD_TOOLS, type UploadTool } from './tool-table.ts';
import { type UploadVerb, uploadVerb } from './upload-verb.ts';
import { imageBase, windowsPath } from './windows-path.ts';

/** What a process is as a carrier of data. Every field is a fact of the process, none a verdict. */
export interface Uploader {
  /** A known upload tool. */
  readonly tool?: string;
  readonly family?: ToolFamily;
  /** How the tool was recognised. */
  readonly knownBy?: 'name' | 'version-resource' | 'command-shape' | 'script';
  /** The command line says that something is sent. */
  readonly uploads?: UploadVerb;
  /** A Microsoft program that carries out what others tell it. */
  readonly lolbin: boolean;
  /** Goes by another name than its version resource says; undefined when the resource is not known. */
  readonly renamed: boolean | undefined;
  /** Lies where ordinary users can write. */
  readonly userWritable: boolean;
  readonly reasons: readonly string[];
}

export interface UploaderTables {
  readonly tools?: readonly UploadTool[];
  readonly lolbins?: ReadonlySet<string>;
  readonly userWritable?: readonly PathPattern[];
}

/**
 * Folders that a user without rights of administration can write. Below Windows only those that Windows leaves open
 * (ATT&CK T1574.010); Program Files and the rest of Windows are not.
 */
export const USER_WRITABLE: readonly PathPattern[] = pathPatterns([
  '\\users\\**',
  '\\programdata\\**',
  '\\windows\\temp\\**',
  '\\windows\\tasks\\**',
  '\\windows\\tracing\\**',
  '\\windows\\debug\\wia\\**',
  '\\windows\\system32\\tasks\\**',
  '\\windows\\system32\\spool\\drivers\\color\\**',
  '\\windows\\system32\\microsoft\\crypto\\rsa\\machinekeys\\**',
  '\\$recycle.bin\\**',
  '\\perflogs\\**',
  '\\temp\\**',
  '\\tmp\\**',
  '\\intel\\**',
  '\\inetpub\\**',
]);

/** ProgramData folders that only their service writes. */
const GUARDED: readonly PathPattern[] = pathPatterns(['\\programdata\\microsoft\\windows defender\\platform\\**']);

export function isUserWritable(image: string | undefined, table: readonly PathPattern[] = USER_WRITABLE): boolean {
  if (image === undefined) return false;
  const path = windowsPath(image);
  if (path.volume !== '' && path.volume !== 'c:' && /^[a-z]:$/.test(path.volume)) return true;
  return firstMatch(GUARDED, path) === undefined && firstMatch(table, path) !== undefined;
}

/** A validly signed program that does its own work, and not whatever it is told to: no LOLBin, tool or renamed program. */
export function isSignedAgent(process: ProcessRef, tables?: UploaderTables): boolean {
  if (!isValidlySigned(process)) return false;
  const { lolbin, tool, uploads, renamed } = describeUploader(process, tables);
  return !lolbin && tool === undefined && uploads === undefined && renamed !== true;
}

/** Describes a process as a carrier of data: tool, upload switches, renaming, place. Pure and total. */
export function describeUploader(process: ProcessRef, tables: UploaderTables = {}): Uploader {
  const base = imageBase(process.image);
  const commands = commandsIn(process.commandLine ?? '');
  const own = ownTool(process, base, tables.tools ?? UPLOAD_TOOLS);
  const known = own ?? scriptTool(commands, tables.tools ?? UPLOAD_TOOLS) ?? shapedTool(commands[0]);
  const uploads = uploadOf(commands, own?.tool, tables.tools ?? UPLOAD_TOOLS);
  // A script host is a carrier when it sends; by itself it is everybody's.
  const found = known?.tool.family === 'script-host' && uploads === undefined ? undefined : known;
  const lolbin = (tables.lolbins ?? LOLBINS).has(base) && !ORDINARY_LOLBINS.has(base);
  const renamed = isRenamed(process.image, process.originalName);
  const userWritable = isUserWritable(process.image, tables.userWritable);
  const reasons: string[] = [];
  if (found !== undefined) reasons.push(`${found.tool.tool}, known by its ${found.by.replace('-', ' ')}`);
  if (uploads !== undefined)
    reasons.push(`sends: ${uploads.verb}${uploads.remote === undefined ? '' : ` to ${uploads.remote.slice(0, 200)}`}`);
  if (lolbin) reasons.push(`${base} is a Windows program that carries out what others tell it`);
  if (renamed === true) reasons.push(`${base} was ${process.originalName?.slice(0, 80) ?? ''} when it was built`);
  if (userWritable) reasons.push('lies where any user can write');
  return {
    ...(found === undefined ? {} : { tool: found.tool.tool, family: found.tool.family, knownBy: found.by }),
    ...(uploads === undefined ? {} : { uploads }),
    lolbin,
    renamed,
    userWritable,
    reasons,
  };
}

interface Found {
  readonly tool: Pick<UploadTool, 'tool' | 'family' | 'verbs'>;
  readonly by: NonNullable<Uploader['knownBy']>;
}

function ownTool(process: ProcessRef, base: string, table: readonly UploadTool[]): Found | undefined {
  const name = programName(base);
  const original = (process.originalName ?? '').trim().toLowerCase();
  const text = `${process.description ?? ''}\n${process.product ?? ''}`.toLowerCase();
  const described = table.find(
    (tool) =>
      (original !== '' && tool.originalNames.some((glob) => globMatches(glob, original))) ||
      tool.descriptions.some((description) => text.includes(description)),
  );
  const named = table.find((tool) => tool.names.includes(name));
  if (named !== undefined) return { tool: named, by: 'name' };
  return described === undefined ? undefined : { tool: described, by: 'version-resource' };
}

/** The first tool that a shell's script runs. */
function scriptTool(commands: readonly Command[], table: readonly UploadTool[]): Found | undefined {
  for (const command of commands.slice(1)) {
    const tool = table.find((entry) => entry.names.includes(command.program));
    if (tool !== undefined) return { tool, by: 'script' };
  }
  return undefined;
}

/** rclone without name or version resource: its verb, a local path, `remote:`, and an option that only it has. */
function shapedTool(command: Command | undefined): Found | undefined {
  if (command === undefined || !/^(copy|sync|move|copyto|moveto)$/i.test(command.words[0] ?? '')) return undefined;
  const own =
    /^--(no-check-certificate|multi-thread-streams|transfers|checkers|ignore-existing|auto-confirm|drive-chunk-size|s3-chunk-size|mega-use-https|config|bwlimit)(=|$)/;
  if (!command.words.some((word) => own.test(word)) || uploadVerb('rclone', command) === undefined) return undefined;
  const tool = UPLOAD_TOOLS.find((entry) => entry.tool === 'rclone');
  return tool === undefined ? undefined : { tool, by: 'command-shape' };
}

function uploadOf(
  commands: readonly Command[],
  own: Pick<UploadTool, 'verbs'> | undefined,
  table: readonly UploadTool[],
): UploadVerb | undefined {
  for (const [index, command] of commands.entries()) {
    const named = index === 0 && own !== undefined ? own : table.find((tool) => tool.names.includes(command.program));
    const inPowerShell = command.shell === 'powershell' || command.script !== undefined;
    const grammars = new Set([
      ...(named === undefined ? [] : [named.verbs]),
      ...(inPowerShell ? (['powershell-web'] as const) : []),
      ...(index === 0 && own === undefined ? (['rclone'] as const) : []),
    ]);
    for (const grammar of grammars) {
      const verb = uploadVerb(grammar, command);
      if (verb !== undefined) return verb;
    }
  }
  return undefined;
}
