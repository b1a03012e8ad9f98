import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { covers, type Exception, isAllowed, withExceptions } from '../../enrich/alert/exception.ts';
import { exceptionFile, exceptionOf, readExceptions, writeExceptions } from '../../enrich/alert/exception-file.ts';
import { allowed } from '../../enrich/score/binary-allowlist.ts';
import type { Episode } from '../../enrich/score/episode.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';

const AT = Date.UTC(2026, 2, 2) * 1000;
const alert = (process: object = {}): StoredAlert => ({
  id: 'wb-1',
  at: AT,
  revision: 1,
  body: {
    host: { id: 'h1', name: 'WS01' },
    user: { id: 'S-1-5-21-1', name: 'ann' },
    process: {
      executable: 'C:\\Program Files\\Backup\\backup.exe',
      code_signature: { subject_name: 'CN=Example Backup GmbH', status: 'valid' },
      ...process,
    },
    source: { bytes: 5_000_000 },
    destination: { domain: 'vault.example.net', registered_domain: 'example.net', ip: '203.0.113.9' },
    waybill: {
      tier: 'high',
      identity: 'signed:example backup gmbh|backup|backup.exe',
      destination: { entity: 'domain:example.net' },
    },
  },
});
const exception = (fields: object = {}): Exception =>
  exceptionOf({
    owner: 'ops',
    reason: 'CHG-7',
    expires: '2026-06-01',
    image: 'C:\\Program Files\\Backup\\backup.exe',
    destination: 'example.net',
    ...fields,
  });

describe('an exception', () => {
  it('covers the program at the destination it names, by host name, domain, address or entity', () => {
    for (const destination of ['vault.example.net', 'EXAMPLE.NET', '203.0.113.9', 'domain:example.net'])
      expect(covers(exception({ destination }), alert())).toBe(true);
    for (const destination of ['example.com', 'ample.net', 'other.example.net'])
      expect(covers(exception({ destination }), alert())).toBe(false);
  });

  it('holds no other host, user, image, drive or number of bytes', () => {
    expect(covers(exception({ host: 'ws01', user: 'ann', max_bytes: 5_000_000 }), alert())).toBe(true);
    const wrong = [{ host: 'ws02' }, { user: 'bob' }, { max_bytes: 4_999_999 }, { image: 'C:\\Temp\\backup.exe' }];
    for (const fields of wrong) expect(covers(exception(fields), alert())).toBe(false);
    expect(covers(exception(), alert({ executable: 'E:\\Program Files\\Backup\\backup.exe' }))).toBe(false);
    expect(
      covers(exception(), alert({ executable: '\\Device\\HarddiskVolume3\\Program Files\\Backup\\backup.exe' })),
    ).toBe(true);
  });

  it('takes a signer only with a valid signature', () => {
    const bySigner = exception({ image: undefined, signer: 'Example Backup GmbH' });
    expect(covers(bySigner, alert())).toBe(true);
    for (const status of ['invalid', 'unsigned', undefined]) {
      const code_signature = { subject_name: 'CN=Example Backup GmbH', status };
      expect(covers(bySigner, alert({ code_signature }))).toBe(false);
    }
  });

  it('ends at its moment in event time: what came before it stays covered', () => {
    const end = (millis: number) => exception({ expires: new Date(AT / 1000 + millis).toISOString() });
    expect([-1, 0, 1].map((millis) => covers(end(millis), alert()))).toEqual([false, false, true]);
  });

  it('marks an alert and keeps it', () => {
    const [marked] = withExceptions([alert()], [exception()]);
    expect(isAllowed(marked!)).toBe(true);
    expect(marked).toMatchObject({
      id: 'wb-1',
      body: { waybill: { tier: 'high', allowed: { owner: 'ops', reason: 'CHG-7' } } },
    });
    expect(isAllowed(withExceptions([alert()], [])[0]!)).toBe(false);
  });

  it('needs an owner, a reason, an end, a destination and a program', () => {
    for (const missing of ['owner', 'reason', 'expires', 'destination', 'image']) {
      expect(() => exception({ [missing]: undefined })).toThrow(/./);
    }
    expect(() => exception({ expires: 'soon' })).toThrow(/date/);
  });
});

describe('the file of exceptions', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'waybill-allow-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('gives back what was written, and nothing where there is none', () => {
    expect(readExceptions(directory)).toEqual([]);
    const all = [exception(), exception({ host: 'ws01', max_bytes: 10 })];
    writeExceptions(directory, all);
    expect(readExceptions(directory)).toEqual(all);
    expect(readFileSync(exceptionFile(directory), 'utf8')).toContain('CHG-7');
  });

  it.each(['{', '[]', '{"exceptions":[{"id":"x"}]}', '{"exceptions":[],"__proto__":{"a":1}}'])(
    'refuses %s with the path of the file',
    (text) => {
      writeFileSync(exceptionFile(directory), text);
      expect(() => readExceptions(directory)).toThrow(/allow\.json/);
    },
  );
});

describe('BinaryAllowlist', () => {
  it('matches a full path with its drive, and no copy on another drive or in another folder', () => {
    const settings = { ...defaultSettings(), BinaryAllowlist: [{ path: 'C:\\Tools\\*\\sync.exe' }] };
    const of = (image: string) =>
      allowed(
        { process: { entityId: 'p', entityKind: 'vendor', image }, destination: {} } as unknown as Episode,
        settings,
      );
    expect(of('c:\\tools\\v2\\Sync.exe')).toBe('BinaryAllowlist: C:\\Tools\\*\\sync.exe');
    for (const image of ['D:\\Tools\\v2\\sync.exe', 'C:\\Tools\\sync.exe', 'C:\\Users\\a\\Tools\\v2\\sync.exe'])
      expect(of(image)).toBeUndefined();
  });
});
