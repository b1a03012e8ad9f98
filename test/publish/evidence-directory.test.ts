import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DIRECTORY_LIMITS, EvidenceDirectory } from '../../sensor/publish/evidence-directory.ts';
import { evidenceName } from '../../sensor/record/evidence-name.ts';

const SOME = Uint8Array.of(1, 2, 3, 4);

describe('a directory of evidence', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'evidence-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('is made when there is none, and has one file a flow', () => {
    const path = join(directory, 'new', 'evidence');
    const evidence = new EvidenceDirectory(path);
    evidence.write('AAAA-bbbb_cccc99.h2k', SOME);
    expect(readdirSync(path)).toEqual(['AAAA-bbbb_cccc99.h2k.pcap']);
    expect([...readFileSync(join(path, 'AAAA-bbbb_cccc99.h2k.pcap'))]).toEqual([1, 2, 3, 4]);
    expect(evidence.complaint).toBeUndefined();
  });

  it('leaves what is there as it is, and follows no link', () => {
    const target = join(directory, 'elsewhere');
    writeFileSync(target, 'mine');
    symlinkSync(target, join(directory, evidenceName('a.1')));
    const evidence = new EvidenceDirectory(directory);
    evidence.write('a.1', SOME);
    evidence.write('b.1', SOME);
    evidence.write('b.1', Uint8Array.of(9));
    expect(readFileSync(target, 'utf8')).toBe('mine');
    expect([...readFileSync(join(directory, 'b.1.pcap'))]).toEqual([...SOME]);
    expect(evidence).toMatchObject({ written: 1, present: 2 });
  });

  it('takes no more files or bytes than its caps, those of earlier runs included', () => {
    const limits = { files: 3, bytes: 10 };
    const earlier = new EvidenceDirectory(directory, limits);
    earlier.write('a.1', SOME);
    const evidence = new EvidenceDirectory(directory, limits);
    evidence.write('b.1', SOME);
    evidence.write('c.1', SOME); // 12 bytes
    evidence.write('d.1', Uint8Array.of(1));
    evidence.write('e.1', Uint8Array.of(1)); // a fourth file
    expect(readdirSync(directory).sort()).toEqual(['a.1.pcap', 'b.1.pcap', 'd.1.pcap']);
    expect(evidence.refused).toBe(2);
    expect(evidence.complaint).toMatch(/2 evidence files left out/);
  });

  it('goes on when a file cannot be written, and says so', () => {
    const evidence = new EvidenceDirectory(directory, DIRECTORY_LIMITS);
    rmSync(directory, { recursive: true });
    evidence.write('a.1', SOME);
    expect(evidence.failed).toBe(1);
    expect(evidence.complaint).toMatch(/1 evidence files could not be written \(ENOENT\)/);
  });

  it('cannot be a file', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(() => new EvidenceDirectory(file)).toThrow(/--evidence .*file: EEXIST/);
  });
});

describe('the name of an evidence file', () => {
  it('never leads out of the directory, whatever the id', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom('../../etc/passwd', '..', '.', '/', '\0', 'a/b\\c', '-rf', ''),
    );
    fc.assert(
      fc.property(hostile, (id) => {
        expect(evidenceName(id)).toMatch(/^(?!\.)[A-Za-z0-9_.-]{0,64}\.pcap$|^\.pcap$/);
        expect(join('/base', evidenceName(id))).toMatch(/^\/base\/[^/]+$/);
      }),
    );
  });
});
