import { readArchiveRequest } from './archive-arguments.ts';
import type { ArchiveRequest } from './archive-request.ts';
import { ARCHIVERS, type Archiver } from './archiver-table.ts';
import type { Command } from './commands.ts';
import { globMatches } from './path-pattern.ts';
import { packingCalls } from './powershell-api.ts';

/** What the version resource and the path of a running program say it is. */
export interface ProgramIdentity {
  readonly name: string;
  readonly originalName?: string;
  readonly description?: string;
  readonly product?: string;
}

export interface ArchiveCommand {
  readonly tool: string;
  readonly request: ArchiveRequest;
  /** Known by its version resource, under another name. */
  readonly renamed: boolean;
}

/**
 * What a command packs: nothing for most. `own` describes the process itself and is given for its own command only;
 * commands inside a shell script are known by name alone.
 */
export function archiveCommands(
  command: Command,
  own?: ProgramIdentity,
  table: readonly Archiver[] = ARCHIVERS,
): readonly ArchiveCommand[] {
  const found: ArchiveCommand[] = [];
  const known = findArchiver(command.program, own, table);
  if (known !== undefined) {
    const request = readArchiveRequest(known.archiver.grammar, command.words);
    if (request !== undefined) {
      const output = request.output === undefined || request.output === '-' ? command.output : request.output;
      const { output: _, ...rest } = request;
      found.push({
        tool: known.archiver.tool,
        renamed: known.renamed,
        request: output === undefined ? rest : { ...rest, output },
      });
    }
  }
  if (command.script !== undefined) {
    for (const request of packingCalls(command.script))
      found.push({ tool: '.NET in PowerShell', request, renamed: false });
  }
  return found;
}

function findArchiver(
  program: string,
  own: ProgramIdentity | undefined,
  table: readonly Archiver[],
): { archiver: Archiver; renamed: boolean } | undefined {
  const named = table.find((entry) => isNamed(entry, program) || (own !== undefined && isNamed(entry, own.name)));
  if (named !== undefined) return { archiver: named, renamed: false };
  const archiver = own === undefined ? undefined : table.find((entry) => isDescribed(entry, own));
  return archiver === undefined ? undefined : { archiver, renamed: true };
}

/** A version in the name is the same program: `python3.11`. */
const isNamed = (entry: Archiver, name: string): boolean =>
  entry.names.includes(name) || (entry.grammar === 'python' && /^python[0-9.]+$/.test(name));

function isDescribed(entry: Archiver, own: ProgramIdentity): boolean {
  const original = own.originalName?.toLowerCase() ?? '';
  if (original !== '' && entry.originalNames.some((glob) => globMatches(glob, original))) return true;
  const text = `${own.description ?? ''}\n${own.product ?? ''}`.toLowerCase();
  return entry.descriptions.some((description) => text.includes(description));
}
