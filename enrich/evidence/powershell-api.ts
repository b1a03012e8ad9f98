import type { ArchiveRequest } from './archive-request.ts';

/** Only this much of a script is looked at: characters. */
export const SCRIPT_MAX_CHARS = 65_536;

/** Arguments of a call are looked for this far behind its parenthesis: characters. */
const CALL_MAX_CHARS = 1_024;

/**
 * Packing through the .NET classes and COM objects that PowerShell reaches without a cmdlet (System.IO.Compression
 * documentation; ATT&CK T1560.002). Unpacking is no staging: `CompressionMode.Decompress` is what droppers use.
 */
export function packingCalls(script: string): readonly ArchiveRequest[] {
  const text = script.slice(0, SCRIPT_MAX_CHARS);
  const lower = text.toLowerCase();
  const found: ArchiveRequest[] = [];
  for (const name of ['createfromdirectory', 'createentryfromfile']) {
    const at = lower.indexOf(`${name}(`);
    if (at < 0) continue;
    const args = literals(text, at + name.length + 1);
    const [source, target] = name === 'createfromdirectory' ? args : [args[1], undefined];
    found.push(library(target, source === undefined ? [] : [source]));
    break;
  }
  if (found.length === 0 && compressesStream(lower)) found.push(library(createdFile(text, lower), []));
  if (lower.includes('shell.application') && lower.includes('.copyhere(') && lower.includes('.zip')) {
    found.push({ ...library(undefined, []), technique: 'T1560.002' });
  }
  if (encodesFile(lower)) found.push(base64Of(text, lower));
  return found;
}

const library = (output: string | undefined, inputs: readonly string[]): ArchiveRequest => ({
  verb: 'archive',
  technique: 'T1560.002',
  inputs,
  traits: [],
  ...(output === undefined ? {} : { output }),
});

function compressesStream(lower: string): boolean {
  if (lower.includes('ziparchivemode]::create') || lower.includes('ziparchivemode]::update')) return true;
  if (!/(gzip|deflate|brotli|zlib)stream/.test(lower)) return false;
  return /compressionmode\]?::compress|,\s*['"]compress['"]/.test(lower);
}

const encodesFile = (lower: string): boolean =>
  lower.includes('tobase64string') && /readallbytes|get-content|\bgc\b|\bcat\b/.test(lower);

function base64Of(text: string, lower: string): ArchiveRequest {
  const source = literalAfter(text, lower, 'readallbytes(') ?? literalAfter(text, lower, 'get-content');
  const output = createdFile(text, lower);
  return {
    verb: 'encode',
    technique: 'T1027.013',
    encoded: 'base64',
    inputs: source === undefined ? [] : [source],
    traits: [],
    ...(output === undefined ? {} : { output }),
  };
}

const WRITERS = ['file]::create(', 'file]::openwrite(', 'writealltext(', 'writeallbytes(', 'set-content', 'out-file'];

function createdFile(text: string, lower: string): string | undefined {
  for (const writer of WRITERS) {
    const found = literalAfter(text, lower, writer);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first quoted text, or bare path, behind a call. */
function literalAfter(text: string, lower: string, call: string): string | undefined {
  const at = lower.indexOf(call);
  if (at < 0) return undefined;
  const from = at + call.length;
  if (call.endsWith('(')) return literals(text, from)[0];
  const rest = text.slice(from, from + CALL_MAX_CHARS);
  const found = /^\s+(?:-(?:literal|file)?path\s+)?(?:'([^']*)'|"([^"]*)"|([^\s;|)'"-][^\s;|)]*))/i.exec(rest);
  return found?.[1] ?? found?.[2] ?? found?.[3];
}

/** Quoted arguments of a call, up to its closing parenthesis. */
function literals(text: string, from: number): string[] {
  const found: string[] = [];
  const end = Math.min(text.length, from + CALL_MAX_CHARS);
  let depth = 1;
  for (let at = from; at < end && depth > 0; at++) {
    const char = text[at] ?? '';
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === '"' || char === "'") {
      const close = text.indexOf(char, at + 1);
      if (close < 0 || close > end) break;
      found.push(text.slice(at + 1, close));
      at = close;
    }
  }
  return found;
}
