import { z } from 'zod';
import { type Settings, settingsFromScoring } from '../settings.ts';
import { FACT_KINDS, type Fact } from '../store/store.ts';
import { type AboutAlert, judgedAgain } from './judge-again.ts';
import { FORMAT, isMember, MAX_BUNDLE_BYTES, MAX_MEMBERS, type Manifest, MEMBERS } from './members.ts';
import { recordedStore } from './recorded-store.ts';
import type { Recording } from './recording-store.ts';
import { sha256Of } from './write-bundle.ts';
import { readZip } from './zip.ts';

export interface Bundle {
  readonly manifest: Manifest;
  readonly alert: { readonly id: string; readonly body: AboutAlert };
  readonly settings: Settings;
  readonly recording: Recording;
}

/** A bundle, or in one line what is wrong with it, member by name. */
export type BundleReading =
  | { readonly kind: 'ok'; readonly bundle: Bundle }
  | { readonly kind: 'bad'; readonly why: string };

const text = z.string().max(4_096);
const kind = z.enum(FACT_KINDS);
const day = z.number();
const ManifestShape = z.object({
  format: z.literal(FORMAT),
  alert: text,
  alert_time: text,
  model: text,
  score_db: z.number(),
  notes: z.array(text).max(100),
  members: z.array(z.object({ name: text, bytes: z.number(), sha256: text })).max(MAX_MEMBERS),
});
const AlertShape = z.object({ id: text, body: z.looseObject({}) });
const FactShape = z.object({
  shard: text,
  kind,
  id: text,
  at: z.number(),
  keys: z.array(text).max(64),
  version: z.number(),
  body: z.looseObject({}),
});
const Familiarity = z.object({ firstDay: day, lastDay: day, days: day, firstTainted: z.boolean() });
const BaselineShape = z.object({
  familiarity: z.array(z.object({ scope: text, destination: text, known: Familiarity.exactOptional() })),
  novelty: z.array(
    z.object({ scope: text, from: day, to: day, days: z.array(z.object({ day, seen: day, fresh: day })) }),
  ),
  counts: z.array(z.object({ shard: text, kind, from: day, to: day, count: z.number() })),
  kinds: z.array(z.object({ shard: text, kinds: z.array(kind) })),
});

/** Reads a bundle of any origin. Never throws; nothing in it is believed before its SHA-256 fits. */
export function readBundle(file: Buffer): BundleReading {
  const zip = readZip(file, { members: MAX_MEMBERS, bytes: MAX_BUNDLE_BYTES, takes: isMember });
  if (zip.kind === 'bad') return zip;
  const { members } = zip;
  const manifest = shaped(ManifestShape, members.get(MEMBERS.manifest));
  if (!manifest) return bad(MEMBERS.manifest, `is missing or no manifest of the format ${FORMAT}`);
  for (const { name, sha256 } of manifest.members) {
    const bytes = members.get(name);
    if (!bytes) return bad(name, 'is missing');
    if (sha256Of(bytes) !== sha256) return bad(name, 'was altered: its SHA-256 is not that of the manifest');
  }
  const listed = new Set([MEMBERS.manifest, ...manifest.members.map(({ name }) => name)]);
  for (const name of members.keys()) if (!listed.has(name)) return bad(name, 'is not in the manifest');
  const alert = shaped(AlertShape, members.get(MEMBERS.alert));
  if (!alert) return bad(MEMBERS.alert, 'is missing or no alert');
  const settings = settingsFromScoring(parsed(members.get(MEMBERS.settings)));
  if (!settings) return bad(MEMBERS.settings, 'is missing or holds settings that this version does not know');
  const baseline = shaped(BaselineShape, members.get(MEMBERS.baseline));
  if (!baseline) return bad(MEMBERS.baseline, 'is missing or no baseline');
  const facts: Fact[] = [];
  for (const name of [MEMBERS.events, MEMBERS.flows]) {
    const read = factsOf(members.get(name));
    if (typeof read === 'string') return bad(name, read);
    for (const fact of read) facts.push(fact);
  }
  return { kind: 'ok', bundle: { manifest, alert, settings, recording: { facts, baseline } } };
}

/**
 * The alert as the members of the bundle give it, or why they give none.
 * @param settings others than the bundle's, for a database of networks, which it does not carry
 */
export async function judgedFrom({ alert, recording, ...bundle }: Bundle, settings: Settings = bundle.settings) {
  try {
    const store = await recordedStore(recording);
    try {
      return (await judgedAgain(store, settings, alert.id, alert.body)) ?? 'its facts make no such alert';
    } finally {
      await store.close();
    }
  } catch (error) {
    // Facts with the right sum and the wrong content: made by hand, or by another version.
    return `its facts cannot be scored: ${(error as Error).message}`;
  }
}

function factsOf(bytes: Buffer | undefined): readonly Fact[] | string {
  if (!bytes) return 'is missing';
  const facts: Fact[] = [];
  for (const [i, line] of bytes.toString('utf8').split('\n').entries()) {
    if (line === '') continue;
    const fact = FactShape.safeParse(parsed(Buffer.from(line)));
    if (!fact.success) return `line ${i + 1} is no fact`;
    facts.push(fact.data);
  }
  return facts;
}

const shaped = <T>(shape: z.ZodType<T>, bytes: Buffer | undefined): T | undefined =>
  bytes && shape.safeParse(parsed(bytes)).data;

function parsed(bytes: Buffer | undefined): unknown {
  try {
    return bytes && JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // no shape takes it
  }
}

const bad = (name: string, why: string): BundleReading => ({ kind: 'bad', why: `${name}: ${why}` });
