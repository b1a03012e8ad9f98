import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { destinationEntity } from '../../enrich/evidence/destination.ts';
import { Operators } from '../../enrich/evidence/operators.ts';
import { readTables } from '../../enrich/evidence/read-tables.ts';
import { describeUploader } from '../../enrich/evidence/uploader.ts';
import { WEIGHTS } from '../../enrich/evidence/weights.ts';
import { defaultSettings, readSettings } from '../../enrich/settings.ts';
import { mmdb } from '../build/mmdb.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-tables-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let made = 0;
function files(contents: Readonly<Record<string, string>>): string {
  const folder = join(directory, `d${made++}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text);
  return folder;
}

/** YAML of a table with these rows. */
const table = (rows: readonly object[], more = ''): string =>
  `edition: 2026-11-20\nsource: our own\n${more}rows: ${JSON.stringify(rows)}\n`;

const ASNS = mmdb([
  { network: '203.0.113.0/24', number: 14_061, organization: 'DIGITALOCEAN-ASN' },
  { network: '198.51.100.0/25', number: 64_500, organization: 'Example Insurance' },
]);

describe('tables from files', () => {
  it('stand before the built-in rows, and instead of them when they say so', () => {
    const row = { names: ['drop.quietharbor.example'], provider: 'Quiet Harbor', category: 'file-sharing' };
    const place = { domain: 'eu.drop.quietharbor.example', ip: '203.0.113.7' };
    const { tables } = readTables({ directory: files({ 'services.yaml': table([row]) }) });
    expect(destinationEntity(place, tables)).toMatchObject({ provider: 'Quiet Harbor', category: 'file-sharing' });
    expect(destinationEntity({ ...place, domain: 'api.dropbox.com' }, tables).provider).toBe('dropbox');
    const only = readTables({ directory: files({ 'services.yaml': table([row], 'replace: true\n') }) }).tables;
    expect(destinationEntity({ ...place, domain: 'api.dropbox.com' }, only).provider).toBeUndefined();
    expect(only.editions['services']).toBe('2026-11-20');
  });

  it('name programs that carry data', () => {
    const { tables } = readTables({
      directory: files({ 'tools.yaml': table([{ tool: 'FastSend', family: 'file-transfer', names: ['FastSend'] }]) }),
    });
    const process = { entityId: 'x', entityKind: 'vendor', image: 'C:\\Apps\\fastsend.exe' } as const;
    expect(describeUploader(process, tables).tool).toBe('FastSend');
    expect(describeUploader(process).tool).toBeUndefined();
  });

  it('are refused with file, line and column of every mistake', () => {
    const bad = (name: string, text: string) => () => readTables({ directory: files({ [name]: text }) });
    expect(bad('tenants.yaml', 'edition: 2026-11-20\nsource: x\nrows:\n  - { patern: a }\n')).toThrow(
      /tenants\.yaml:4:.*patern: Unrecognized key/,
    );
    expect(bad('tenants.yaml', 'source: x\nrows: []\n')).toThrow(/edition/);
    expect(bad('tenant.yaml', table([]))).toThrow(/no table has this name; there are tenants, services/);
    expect(() => readTables({ directory: '/nowhere/at/all' })).toThrow(/cannot be read \(ENOENT\)/);
    expect(() => readTables({ asn: join(files({ 'x.mmdb': 'no database' }), 'x.mmdb') })).toThrow(/no database/);
  });
});

describe('a database of autonomous systems', () => {
  const tables = { operators: new Operators(ASNS) };

  it('names the operator of an address, and what it rents out', () => {
    const rented = destinationEntity({ ip: '203.0.113.7' }, tables);
    expect(rented).toMatchObject({ operator: { number: 14_061, organization: 'DIGITALOCEAN-ASN' }, hosting: 'rented' });
    const own = destinationEntity({ ip: '198.51.100.9' }, tables);
    expect(own.operator).toEqual({ number: 64_500, organization: 'Example Insurance' });
    expect(own.hosting).toBeUndefined();
  });

  it('counts an operator as acquaintance only where not anybody may rent a server', () => {
    expect(destinationEntity({ ip: '198.51.100.9' }, tables).ladder.asn).toBe('asn:64500');
    expect(destinationEntity({ ip: '203.0.113.7' }, tables).ladder.asn).toBeUndefined();
  });

  it('changes nothing where it knows nothing, and nothing when there is none', () => {
    for (const ip of ['192.0.2.1', '198.51.100.200', '2001:db8::1', 'no address', '']) {
      expect(destinationEntity({ ip }, tables)).toEqual(destinationEntity({ ip }));
    }
  });

  it('gives an answer or none for any bytes', () => {
    for (let cut = 0; cut < ASNS.length; cut += 3) {
      const damaged = Buffer.from(ASNS);
      damaged[cut] = damaged[cut]! ^ 0xff;
      try {
        new Operators(damaged).of('203.0.113.7');
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
  });
});

describe('the version of the model', () => {
  const settings = (text: string, more: Readonly<Record<string, string>> = {}) => {
    const folder = files({ 'waybill.yaml': text, ...more });
    return readSettings(join(folder, 'waybill.yaml'));
  };

  it('is the built-in one until a number, a threshold, a window or a table changes', () => {
    expect(defaultSettings().model.version).toBe(WEIGHTS.version);
    expect(settings('service: { lag_seconds: 30 }').model.version).toBe(WEIGHTS.version);
    const folder = files({ 'chunks.yaml': table([{ family: 'ours', bytes: 1_000_000 }]) });
    const versions = [
      'score: { weights: { process: { masquerade: 11 } } }',
      'score: { weights: { process: { masquerade: 10 } } }',
      'score: { prior: 0.00002 }',
      'TimeWindow: { horizon_hours: 48 }',
      `tables: { directory: ${folder} }`,
    ].map((text) => settings(text).model.version);
    for (const version of versions) expect(version).toMatch(new RegExp(`^${WEIGHTS.version}\\+[0-9a-f]{8}$`));
    expect(new Set(versions).size).toBe(versions.length);
  });

  it('stands for weights that the file changes, and for the time window', () => {
    const { model } = settings(
      'TimeWindow: { minutes: 15, horizon_hours: 48 }\nscore: { weights: { groups: { tls: { cap: 4 } }, novelty: { rung: { F0: 16 } } } }',
    );
    expect(model.groups.tls).toEqual({ floor: -30, cap: 4 });
    expect(model.novelty.rung).toEqual({ ...WEIGHTS.novelty.rung, F0: 16 });
    expect(model.time).toMatchObject({ horizonSeconds: 172_800, tightSeconds: 900 });
  });

  it('is not made from numbers that do not exist', () => {
    expect(() => settings('score:\n  weights:\n    process: { masqerade: 3 }\n')).toThrow(
      /waybill\.yaml:3:.*masqerade: Unrecognized key/,
    );
    expect(() => settings('score: { weights: { link: { lineage: much } } }')).toThrow(/lineage/);
    expect(() => settings('score: { weights: { prior: 0.1 } }')).toThrow(/prior: Unrecognized key/);
  });
});
