import type { ProcessRef } from '../event/endpoint-event.ts';
import { abuseMarks } from './browser-abuse.ts';
import {
  AUTOMATION_PATHS,
  BROWSER_HELPERS,
  BROWSERS,
  type Browser,
  ENGINE_IMAGES,
  type EngineFamily,
  HELPER_GLOBS,
  HELPER_PATHS,
  HELPER_SIGNERS,
  PORTABLE_PATHS,
  WEBVIEW2,
} from './browser-table.ts';
import { splitArguments } from './command-line.ts';
import { cleanName, namesDiffer } from './original-name.ts';
import { firstMatch, globMatches, type PathPattern } from './path-pattern.ts';
import { isSignedBy, signerName } from './signer.ts';
import { imageBase, type WindowsPath, windowsPath } from './windows-path.ts';

/**
 * What a process is with regard to browsing. Only `browser` without abuse may be exempt from AN1413; `browser_engine` is
 * judged as its host application; `claims_browser` counts like a non-browser at least; `unknown` is unattributed.
 */
export type BrowserClass =
  | 'browser'
  | 'browser_engine'
  | 'browser_helper'
  | 'claims_browser'
  | 'non_browser'
  | 'unknown';

/** How well the class is supported; `contradicted` = evidence against the claim, `unverified` = too little of it. */
export type BrowserGrade = 'signer-verified' | 'path-verified' | 'unverified' | 'contradicted' | 'none';

export interface BrowserVerdict {
  readonly class: BrowserClass;
  readonly grade: BrowserGrade;
  readonly reasons: readonly string[];
  /** A real browser used as a tool: not to be exempted. */
  readonly abused: boolean;
  /** For engines: the application that acts, as an image name or product. */
  readonly host?: string;
}

/** What is known of the handshake; the family is learned from verified browsers, never from a public list. */
export interface TlsEvidence {
  readonly ja4Family?: string;
}

export interface BrowserTables {
  readonly browsers?: readonly Browser[];
  readonly helpers?: ReadonlySet<string>;
  /** Places where a portable browser is accepted as unverified instead of contradicted. */
  readonly portablePaths?: readonly PathPattern[];
  /** Drives whose Program Files only an administrator can write; `c:` by default. */
  readonly systemDrives?: readonly string[];
}

/**
 * Decides the class in a fixed order: identity, name, path, signature, version resource, handshake; abuse marks are kept
 * beside the class. `ancestors` are nearest first. A name alone is never enough, and neither is a matching handshake.
 */
export function browserClass(
  process: ProcessRef,
  ancestors: readonly ProcessRef[] = [],
  tls: TlsEvidence = {},
  tables: BrowserTables = {},
): BrowserVerdict {
  const base = imageBase(process.image);
  if (base === '') return verdict('unknown', 'none', ['the process is not known']);
  if (base === WEBVIEW2.images[0]) return webView(process, ancestors);
  const candidates = (tables.browsers ?? BROWSERS).filter((entry) => entry.images.includes(base));
  if (candidates.length === 0) return notABrowser(process, base, tables);
  const path = windowsPath(process.image ?? '');
  const automation = firstMatch(AUTOMATION_PATHS, path);
  if (automation !== undefined) {
    return engine(
      `lies in ${automation.text}, where automation tools keep their browser`,
      'browser automation',
      'unverified',
    );
  }
  const claim = verifyClaim(process, path, candidates, tables);
  if (claim.class !== 'browser') return claim;
  const contradiction = handshakeContradiction(candidates, tls);
  if (contradiction !== undefined) return verdict('claims_browser', 'contradicted', [...claim.reasons, contradiction]);
  const marks = abuseMarks(process, ancestors);
  const child = childType(process.commandLine);
  const reasons =
    child === undefined ? claim.reasons : [...claim.reasons, `${child} child process of the same browser`];
  return { ...claim, reasons: [...reasons, ...marks], abused: marks.length > 0 };
}

function verdict(kind: BrowserClass, grade: BrowserGrade, reasons: readonly string[]): BrowserVerdict {
  return { class: kind, grade, reasons, abused: false };
}

const engine = (reason: string, host: string, grade: BrowserGrade): BrowserVerdict => ({
  ...verdict('browser_engine', grade, [reason]),
  host,
});

/** The name is one of a browser; do path, signature and version resource of the same product agree? */
function verifyClaim(
  process: ProcessRef,
  path: WindowsPath,
  candidates: readonly Browser[],
  tables: BrowserTables,
): BrowserVerdict {
  const otherDrive = /^[a-z]:$/.test(path.volume) && !(tables.systemDrives ?? ['c:']).includes(path.volume);
  const installed = otherDrive ? undefined : candidates.find((entry) => firstMatch(entry.paths, path) !== undefined);
  const perUser = candidates.find((entry) => firstMatch(entry.userPaths, path) !== undefined);
  const entry = installed ?? perUser ?? candidates[0];
  if (entry === undefined) return verdict('non_browser', 'none', []);
  const against = contradiction(process, path, entry);
  if (against !== undefined) return verdict('claims_browser', 'contradicted', [against]);
  const signed = process.signatureStatus === 'valid' && isSignedBy(process.signer, entry.signers);
  if (installed !== undefined || perUser !== undefined) {
    if (signed) return verdict('browser', 'signer-verified', [`${entry.product}: signer and folder agree`]);
    if (process.signatureStatus === 'unsigned' && entry.signers.length > 0) {
      return verdict('claims_browser', 'contradicted', [
        `${entry.product} is signed by its maker, this file is not signed`,
      ]);
    }
    if (installed !== undefined)
      return verdict('browser', 'path-verified', [`${entry.product}: folder agrees, signer not checked`]);
    return verdict('claims_browser', 'unverified', [
      `in the folder of a per-user ${entry.product}, which the user can write, and no valid signature is known`,
    ]);
  }
  const place = `${path.dir} is no folder of ${entry.product}`;
  if (firstMatch(tables.portablePaths ?? PORTABLE_PATHS, path) !== undefined || (signed && entry.portable === true)) {
    return verdict('claims_browser', 'unverified', [`${place}, but one where a portable browser may lie`]);
  }
  if (signed) return verdict('claims_browser', 'unverified', [`${place}, though its signature is valid`]);
  return verdict('claims_browser', 'contradicted', [place]);
}

function contradiction(process: ProcessRef, path: WindowsPath, entry: Browser): string | undefined {
  const signer = signerName(process.signer);
  if (signer !== undefined && entry.signers.length > 0 && !isSignedBy(process.signer, entry.signers)) {
    return `named ${path.base}, but signed by ${signer.slice(0, 80)} and not by the maker of ${entry.product}`;
  }
  const original = cleanName(process.originalName);
  if (!entry.originalNames.includes(original) && namesDiffer(process.image, process.originalName) === true) {
    return `named ${path.base}, but its version resource says ${original.slice(0, 80)}`;
  }
  return undefined;
}

function handshakeContradiction(candidates: readonly Browser[], tls: TlsEvidence): string | undefined {
  const family = tls.ja4Family;
  if (family === undefined || family === 'unknown') return undefined;
  const expected: readonly EngineFamily[] = candidates.map((entry) => entry.engine);
  if (expected.some((name) => name === family)) return undefined;
  return `its TLS handshake is of the ${family} family, a ${expected.join(' or ')} one was expected`;
}

/** `--type=utility` and the like: Chromium's and Firefox's child processes. */
export function childType(commandLine: string | undefined): string | undefined {
  if (commandLine === undefined) return undefined;
  const words = splitArguments(commandLine).words.slice(1);
  const chromium = words.find((word) => /^--type=./.test(word));
  if (chromium !== undefined) return chromium.slice('--type='.length, 60);
  return words.includes('-contentproc') ? 'content' : undefined;
}

function webView(process: ProcessRef, ancestors: readonly ProcessRef[]): BrowserVerdict {
  const path = windowsPath(process.image ?? '');
  const against = contradiction(process, path, WEBVIEW2);
  if (against !== undefined) return verdict('claims_browser', 'contradicted', [against]);
  if (firstMatch(WEBVIEW2.paths, path) === undefined) {
    return verdict('claims_browser', 'contradicted', [`${path.dir} is no folder of ${WEBVIEW2.product}`]);
  }
  const host = hostOfWebView(process, ancestors);
  const grade = process.signatureStatus === 'valid' ? 'signer-verified' : 'path-verified';
  const reason = `WebView2 acts for ${host ?? 'an application that is not known'}`;
  return host === undefined ? verdict('browser_engine', grade, [reason]) : engine(reason, host, grade);
}

/** The switch names the host; else the nearest ancestor that is not WebView2 itself. */
function hostOfWebView(process: ProcessRef, ancestors: readonly ProcessRef[]): string | undefined {
  for (const member of [process, ...ancestors]) {
    if (imageBase(member.image) !== WEBVIEW2.images[0]) break;
    const named = splitArguments(member.commandLine ?? '').words.find((word) => /^--webview-exe-name=./i.test(word));
    if (named !== undefined) return named.slice('--webview-exe-name='.length, 300).toLowerCase();
  }
  const image = [process.parent?.image, ...ancestors.map((member) => member.image)].find((parent) => {
    const base = imageBase(parent);
    return base !== '' && base !== WEBVIEW2.images[0];
  });
  return image === undefined ? undefined : imageBase(image);
}

function notABrowser(process: ProcessRef, base: string, tables: BrowserTables): BrowserVerdict {
  const path = windowsPath(process.image ?? '');
  const helper = (tables.helpers ?? BROWSER_HELPERS).has(base) || HELPER_GLOBS.some((glob) => globMatches(glob, base));
  if (helper && isHelperPlace(process, path)) {
    return verdict('browser_helper', process.signatureStatus === 'valid' ? 'signer-verified' : 'path-verified', [
      `${base} is a helper of a browser, in its folder`,
    ]);
  }
  const host = ENGINE_IMAGES.get(base);
  if (host !== undefined) return engine(`${base} is the browser engine of ${host}`, host, 'unverified');
  const child = childType(process.commandLine);
  if (child !== undefined && /^(utility|renderer|gpu-process|crashpad-handler)$/.test(child)) {
    return engine(`a ${child} child process of a Chromium application`, base, 'unverified');
  }
  return verdict('non_browser', 'none', [`${base} is not a browser`]);
}

const isHelperPlace = (process: ProcessRef, path: WindowsPath): boolean => {
  if (
    process.signer !== undefined &&
    process.signatureStatus === 'valid' &&
    !isSignedBy(process.signer, HELPER_SIGNERS)
  )
    return false;
  return process.signatureStatus !== 'unsigned' && firstMatch(HELPER_PATHS, path) !== undefined;
};
