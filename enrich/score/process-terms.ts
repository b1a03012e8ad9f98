import { browserClass } from '../evidence/browser.ts';
import { knownBy, maturity } from '../evidence/novelty.ts';
import { isValidlySigned } from '../evidence/signer.ts';
import { describeUploader } from '../evidence/uploader.ts';
import { vendorAffinity } from '../evidence/vendor-affinity.ts';
import { windowsPath } from '../evidence/windows-path.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import { tellerOf } from '../join/on-behalf.ts';
import type { Settings } from '../settings.ts';
import type { Episode } from './episode.ts';
import { LEARNT, type Term } from './verdict.ts';
import { weaken } from './weaken.ts';

/** What the sending process says. Weakened by the probability that the join names the right one. */
export function processTerms(episode: Episode, { model: w, knowledge }: Settings): Term[] {
  const sender = senderOf(episode);
  if (!sender) return [];
  const { process, browser, chain, probability: q, perhaps } = sender;
  const terms: Term[] = [];
  const add = (name: string, db: number, detail: string) => {
    const weakened = weaken(db, q);
    if (weakened !== 0)
      terms.push({
        group: 'P',
        name,
        db: weakened,
        detail: `${perhaps}${detail}`,
        evidence: process.events.slice(0, 4),
      });
  };
  const claims = browser.class === 'claims_browser' && browser.grade === 'contradicted';
  const mismatch = ja4Mismatch(episode, knowledge);
  if (mismatch !== undefined) add('ja4_mismatch', w.process.ja4Mismatch, mismatch);
  // What only the handshake says against a browser is counted as that, not as a false name too.
  const falseName = claims && browserClass(process, chain?.slice(1), {}, knowledge).grade === 'contradicted';
  if (falseName) add('masquerade', w.process.masquerade, `claims to be a browser: ${browser.reasons.join('; ')}`);
  const teller = (chain && tellerOf(chain)) ?? process;
  if (teller !== process)
    terms.push({
      group: 'P',
      name: 'asked_service',
      db: 0,
      detail: `${name(process.image)} transferred what ${name(teller.image)} asked for`,
      evidence: teller.events.slice(0, 4),
    });
  const uploader = describeUploader(teller, knowledge);
  const reason = (part: string): string => uploader.reasons.find((r) => r.includes(part)) ?? '';
  if (!claims && uploader.renamed === true) {
    add('renamed', w.process.renamed, `${name(teller.image)} was ${teller.originalName} when it was built`);
  }
  if (uploader.tool !== undefined) add('upload_tool', w.process.uploadTool, reason('known by'));
  if (uploader.uploads !== undefined) add('upload_verb', w.process.uploadVerb, reason('sends: '));
  if (uploader.lolbin) add('lolbin', w.process.lolbin, reason('carries out'));
  const { baseline, identity } = episode;
  const newHere = identity !== 'unknown' && !knownBy(baseline.program, baseline.day - 1, w.novelty).met;
  if (newHere && maturity(baseline.orgDays, w.novelty) >= LEARNT)
    add(
      'new_in_org',
      w.process.newInOrg,
      `nobody here sent anything with this program in ${baseline.orgDays} days before`,
    );
  if (teller.signatureStatus === 'unsigned') add('unsigned', w.process.unsigned, 'the program is not signed');
  if (uploader.userWritable) add('user_path', w.process.userPath, 'the program lies where its user may write');
  if (isValidlySigned(teller) && !claims) add('trusted', w.process.trusted, `validly signed by ${teller.signer}`);
  const sent = episode.flows.reduce((sum, f) => sum + f.record.source.bytes, 0);
  const home = vendorAffinity(process, episode.destination, knowledge, w.process);
  if (home && sent <= (home.maximumBytes ?? Number.POSITIVE_INFINITY)) add('at_home', home.db, home.reason);
  const first = episode.flows[0]!;
  const age = process.startedAt === undefined ? undefined : (first.start - process.startedAt) / 1e6;
  if (age !== undefined && age >= 0 && age < w.process.youngSeconds && uploader.userWritable) {
    add('young', w.process.young, `the process was ${Math.round(age)} s old`);
  }
  return terms;
}

interface Sender extends Pick<Episode, 'browser' | 'chain'> {
  readonly process: ProcessInfo;
  readonly probability: number;
  /** Put before what is said of a process that only may be the sender. */
  readonly perhaps: string;
}

/** The process that sends, or who may: what it says is worth what the attribution is. */
function senderOf({ process, browser, chain, joinProbability, suspect }: Episode): Sender | undefined {
  if (process) return { process, browser, chain, probability: joinProbability, perhaps: '' };
  const own = suspect?.chain[0];
  return own && { ...suspect, process: own, perhaps: `if ${name(own.image)} is the sender: ` };
}

/** Folders of Windows that only its own installer writes; drivers' and users' places below them are not meant. */
const SYSTEM_PLACE = /^\\windows\\((system32|syswow64)\\)?[^\\]+$/;
/** Libraries that no program of Windows itself brings along. */
const FOREIGN: ReadonlySet<string> = new Set(['go', 'python', 'openssl', 'java', 'node', 'gnutls', 'gecko']);

/** A handshake of a library that this program is not known to use. Agreement says nothing and is not counted. */
function ja4Mismatch(
  { browser, process, chain, fingerprints }: Episode,
  knowledge: Settings['knowledge'],
): string | undefined {
  if (!process) return undefined;
  const plain = browserClass(process, chain?.slice(1), {}, knowledge);
  const doubted = browser.grade === 'contradicted' && plain.grade !== 'contradicted';
  if (doubted) return browser.reasons.at(-1);
  const foreign = fingerprints.find(({ family }) => family !== undefined && FOREIGN.has(family));
  if (foreign && SYSTEM_PLACE.test(windowsPath(process.image ?? '').tail)) {
    return `JA4 ${foreign.ja4} is of the ${foreign.family} family; programs of Windows use Schannel`;
  }
  const odd = fingerprints.find((f) => f.family !== undefined && f.usual.length > 0);
  return (
    odd && `JA4 ${odd.ja4} is of the ${odd.family} family; this program was seen with ${odd.usual.join(', ')} only`
  );
}

const name = (image: string | undefined): string => (image ?? '').split(/[\\/]/).at(-1) ?? '';
