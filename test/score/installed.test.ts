import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { installedIdentity } from '../../enrich/evidence/installed-identity.ts';
import { rescore } from '../../enrich/score/backtest.ts';
import { defaultSettings, type Settings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { by, type Item, NEW, OUTSIDER, PEERS, PLACE, upload, work } from '../join/peer-world.ts';
import { history, program, putAll } from '../join/world.ts';

const AWS = 'C:\\Program Files\\Amazon\\AWSCLIV2\\aws.exe';
const signed = { signatureStatus: 'valid', signer: 'Amazon Web Services, Inc.' } as const;
/** What feeds tell of one program. */
const asToldBy = {
  elastic: { ...signed, product: 'AWS CLI' },
  defender: signed,
  sysmon: { signatureStatus: 'unknown', product: 'AWS CLI', originalName: 'aws.exe' },
} as const satisfies Record<string, Partial<ProcessRef>>;
const FEEDS = ['elastic', 'defender', 'sysmon'] as const;

const settings = defaultSettings();
const grouped: Settings = { ...settings, peer_groups: [{ name: 'office', hosts: ['ws1*'], users: [] }] };

/** Days on which a host sends to the place with the program. */
const usedBy = (n: number, fields: Partial<ProcessRef>, image = AWS): Item[] =>
  by(n, history(10, program('aws', image, fields), { port: 41_000, ...PLACE }));

/** The rung of an upload by a host that has only sent mail before. */
async function rungOf(others: readonly Item[], fields: Partial<ProcessRef>, given = settings, image = AWS) {
  const store = openMemory();
  const enricher = new Enricher(store, given);
  await putAll(enricher, [...PEERS.flatMap((n) => work(n)), ...others, ...work(NEW, 3)]);
  await putAll(enricher, upload(NEW, { image, process: fields }));
  await enricher.settle();
  const judged = [...(await rescore(store, given)).values()].find(({ episode }) => episode.host.id === `ws1${NEW}`);
  return judged!.verdict.terms.find(({ group }) => group === 'N')!.name;
}

describe('what a program does on other hosts', () => {
  it.each(FEEDS.flatMap((one) => FEEDS.map((other) => [one, other] as const)))(
    'as %s tells it, is known where %s tells of it',
    async (one, other) => {
      expect(await rungOf(usedBy(OUTSIDER, asToldBy[one]), asToldBy[other])).toBe('familiarity_F3');
    },
  );

  it.each([
    ['has no signature', { signatureStatus: 'unsigned' }],
    ['has a wrong signature', { signatureStatus: 'invalid', signer: signed.signer }],
    ['was renamed', { originalName: 'rclone.exe' }],
  ] as const)('is not known of one in the same folder that %s', async (_, fields) => {
    expect(await rungOf(usedBy(OUTSIDER, asToldBy.elastic), fields)).toBe('familiarity_F2');
  });

  it('is not known of one in a folder that users can write', async () => {
    const image = 'C:\\Users\\ann\\AppData\\Local\\Programs\\aws\\aws.exe';
    expect(await rungOf(usedBy(OUTSIDER, asToldBy.elastic, image), {}, settings, image)).toBe('familiarity_F2');
    expect(await rungOf(usedBy(OUTSIDER, asToldBy.elastic, image), asToldBy.elastic, settings, image)).toBe(
      'familiarity_F3',
    );
  });

  it('is work of the peers, whatever their feeds tell', async () => {
    const peers = [1, 2, 3, 4].flatMap((n) => usedBy(n, asToldBy[FEEDS[n % 3]!]));
    for (const feed of FEEDS) expect(await rungOf(peers, asToldBy[feed], grouped)).toBe('familiarity_F5');
  });
});

describe('the name of an installed program', () => {
  const nameOf = (image: string, fields: Partial<ProcessRef> = {}): string | undefined =>
    installedIdentity({ entityId: 'x', entityKind: 'vendor', image, ...fields });

  it('is of name and folder, in whatever way the path is written, without versions', () => {
    expect(nameOf(AWS)).toBe('installed:aws.exe|\\program files\\amazon\\awscliv2');
    for (const path of [AWS.toUpperCase(), `\\\\?\\${AWS}`, AWS.replace('C:', '\\Device\\HarddiskVolume3')]) {
      expect(nameOf(path)).toBe(nameOf(AWS));
    }
    expect(nameOf('C:\\Program Files (x86)\\Tool\\1.2.3\\tool.exe')).toBe(
      nameOf('C:\\Program Files (x86)\\Tool\\1.4.0\\tool.exe'),
    );
  });

  it.each([
    'C:\\Windows\\Temp\\tool.exe',
    'C:\\Windows\\System32\\spool\\drivers\\color\\tool.exe',
    'C:\\Program Files\\..\\Users\\Public\\tool.exe',
    'C:\\ProgramData\\tool\\tool.exe',
    'D:\\Program Files\\tool\\tool.exe',
    '\\\\server\\share\\Program Files\\tool\\tool.exe',
    'Program Files\\tool\\tool.exe',
    'tool.exe',
    '',
  ])('is none for %s', (image) => {
    expect(nameOf(image)).toBeUndefined();
  });

  it('never fails, and is never longer than a name may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        expect((nameOf(`C:\\Windows\\${text}`) ?? '').length).toBeLessThanOrEqual(300);
      }),
    );
  });
});
