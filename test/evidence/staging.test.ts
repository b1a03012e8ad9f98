import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { archiveName, formatOfMime } from '../../enrich/evidence/archive-formats.ts';
import { FACTS_PER_EVENT_MAX, stagingFrom } from '../../enrich/evidence/staging.ts';
import { FACT_TEXT_MAX_CHARS, type StagingFact } from '../../enrich/evidence/staging-fact.ts';
import { windowsPath } from '../../enrich/evidence/windows-path.ts';
import { file, load, start } from './endpoint-builder.ts';

const run = (line: string, fields: Partial<ProcessRef> = {}): readonly StagingFact[] =>
  stagingFrom(start(line, fields));
const one = (line: string, fields: Partial<ProcessRef> = {}): StagingFact | undefined => run(line, fields)[0];

describe('commands that pack', () => {
  it.each([
    ['7z a s.7z docs', 'c:\\work\\s.7z'],
    ['"C:\\Program Files\\7-Zip\\7z.exe" a -tzip C:\\T\\out "C:\\My Docs"', 'c:\\t\\out.zip'],
    ['7za.exe u archive.7z *.txt -pblue', 'c:\\work\\archive.7z'],
    ['7zG.exe a -i#7zMap1:2:3 -saa -- "C:\\T\\x.7z"', 'c:\\t\\x.7z'],
    ['rar a -r loot *.docx', 'c:\\work\\loot.rar'],
    ['WinRAR.exe m -afzip C:\\T\\x.zip C:\\d', 'c:\\t\\x.zip'],
    ['rar m -hp"blue" -v100m C:\\T\\x.rar C:\\d', 'c:\\t\\x.rar'],
    ['winzip64.exe -min -a -s"pw" C:\\T\\x.zip C:\\d', 'c:\\t\\x.zip'],
    ['tar -caf C:\\T\\x.zip docs', 'c:\\t\\x.zip'],
    ['tar cf x.tar docs', 'c:\\work\\x.tar'],
    ['tar -czvf x.tgz -C C:\\ Users', 'c:\\work\\x.tgz'],
    ['tar --create --file=x.tar docs', 'c:\\work\\x.tar'],
    ['makecab C:\\d\\plan.docx C:\\T\\note.txt:x.cab', 'c:\\t\\note.txt:x.cab'],
    ['diantz.exe C:\\d\\plan.docx C:\\T\\x.cab', 'c:\\t\\x.cab'],
    ['PrintBrm.exe -b -d \\\\fs\\share -f C:\\T\\x.zip', 'c:\\t\\x.zip'],
    [
      'powershell Compress-Archive -Path C:\\d\\* -DestinationPath $env:TEMP\\x',
      'c:\\users\\alice\\appdata\\local\\temp\\x.zip',
    ],
    ['powershell -c "gci C:\\d -r | Compress-Archive -Dest C:\\T\\x.zip -Update"', 'c:\\t\\x.zip'],
    ['powershell -c "Compress-7Zip -Path C:\\d -ArchiveFileName x.7z -OutputPath C:\\T -Password pw"', 'c:\\t\\x.7z'],
    ["powershell -c \"[IO.Compression.ZipFile]::CreateFromDirectory('C:\\d','C:\\T\\x.zip')\"", 'c:\\t\\x.zip'],
    ['python -m zipfile -c x.zip docs', 'c:\\work\\x.zip'],
    ["python3.11 -c \"import shutil; shutil.make_archive('x','gztar','docs')\"", 'c:\\work\\x.tar.gz'],
    ['cmd /c "zip -r -P pw x.zip docs"', 'c:\\work\\x.zip'],
    ['cmd /c "type secret.txt | gzip -c > C:\\T\\x.gz"', undefined],
    ['dism /Capture-Image /ImageFile:C:\\T\\x.wim /CaptureDir:C:\\d /Name:n', 'c:\\t\\x.wim'],
  ])('%s makes %s', (line, key) => {
    const found = run(line).filter((fact) => fact.kind === 'archive-command');
    expect(found.map((fact) => fact.archive?.key)).toEqual(key === undefined ? [] : [key]);
    for (const fact of found)
      expect(fact).toMatchObject({ strength: 'C', rawEventId: 'e-1', feed: 'sysmon', hostId: 'host-1' });
  });

  it.each([
    '7z x s.7z',
    '7z e -pinfected s.7z -oC:\\t',
    '7z l a.7z',
    '7z t u',
    'rar x -pblue s.rar',
    'unrar x s.rar',
    'WinRAR.exe "C:\\d\\a.rar"',
    'tar -xf s.tar',
    'tar xzf a.tgz',
    'tar -tf c.tar',
    'expand a.cab b',
    'extrac32 a.cab',
    'powershell Expand-Archive a.zip C:\\t',
    'python -m zipfile -e a.zip .',
    'python -m zipfile -l c.zip',
    'certutil -decode a b',
    'certutil -hashfile a',
    'gzip -d a.gz',
    'zstd --decompress a',
    'openssl enc -d -aes-256-cbc -in a -out b',
    'compact /c /s',
    'powershell -c "New-Object IO.Compression.GZipStream($s,[IO.Compression.CompressionMode]::Decompress)"',
    'chrome.exe --unzip=a',
    'zipfldr.dll,RouteTheCall',
    'notepad a.zip',
    'gzip',
    '7z',
    'rar a',
    'tar',
  ])('%s packs nothing', (line) => {
    expect(run(line).filter((fact) => fact.kind !== 'copy-loop')).toEqual([]);
  });

  it('knows a renamed archiver by its version resource, and says so', () => {
    const fact = one('svchost.exe a -psecret x.7z C:\\d', {
      image: 'C:\\Users\\Public\\svchost.exe',
      originalName: '7za.exe',
    });
    expect(fact?.traits).toEqual(expect.arrayContaining(['renamed-tool', 'password']));
    expect(
      one('svchost.exe a x.7z', { image: 'C:\\Users\\Public\\svchost.exe', description: '7-Zip Console' })?.kind,
    ).toBe('archive-command');
    expect(run('svchost.exe a x.7z', { image: 'C:\\Users\\Public\\svchost.exe' })).toEqual([]);
  });

  it.each([
    ['7z a x.7z d -pSecret -mhe=on', ['header-encryption', 'password']],
    ['7z a x.7z d -sdel -v50m', ['deletes-sources', 'split']],
    ['7z a x.7z d -mhe=off', []],
    ['rar a -hp"a b" x.rar d', ['header-encryption', 'password']],
    ['rar a -p- x.rar d', []],
    ['WinRAR a /ppw /df x.rar d', ['deletes-sources', 'password']],
    ['rar m x.rar d', ['deletes-sources']],
    ['7z a C:\\Users\\Public\\x.7z d', ['staging-dir']],
    ['7z a x.7z \\\\fs01\\hr$\\*', ['unc-source']],
    ['7z a x.7z C:\\d\\lsass.dmp', ['sensitive-source']],
    ['7z a C:\\svc\\logs\\x.7z d', ['log-dir']],
    ['7z a C:\\d\\a.txt:x.7z d', ['alternate-stream']],
  ])('%s has the traits %j', (line, traits) => {
    expect(one(line)?.traits).toEqual(traits);
  });

  it('reads an encoded script and marks it', () => {
    const script = Buffer.from('Compress-Archive C:\\d C:\\T\\x.zip', 'utf16le').toString('base64');
    expect(one(`powershell -enc ${script}`)).toMatchObject({ kind: 'archive-command', traits: ['encoded-command'] });
  });

  it('keeps what an encoded file was made of', () => {
    expect(one('certutil -f -encode s.7z s.txt')).toMatchObject({
      kind: 'encode',
      technique: 'T1027.013',
      encoded: 'base64',
      inputs: ['c:\\work\\s.7z'],
      archive: { key: 'c:\\work\\s.txt' },
    });
    expect(one('certutil -encode C:\\t\\file.exe C:\\t\\b.txt')?.traits).toContain('low:encodes-program');
    expect(one('certutil -encodehex a.zip b')?.encoded).toBe('hex');
  });

  it('gives every command of a script, up to its cap', () => {
    expect(run('cmd /c "7z a a.7z x && rar a b.rar y"').map((fact) => fact.archive?.key)).toEqual([
      'c:\\work\\a.7z',
      'c:\\work\\b.rar',
    ]);
    expect(run(`cmd /c ${'7z a x.7z y&'.repeat(100)}`).length).toBe(FACTS_PER_EVENT_MAX);
  });
});

describe('gathering without an archive', () => {
  it.each([
    ['cmd /c for /R c: %f in (*.docx) do copy %f c:\\temp\\', 'copy-loop', 'T1119'],
    [
      'powershell "Get-ChildItem -Recurse -Include *.doc | % {Copy-Item $_.FullName -destination c:\\temp}"',
      'copy-loop',
      'T1119',
    ],
    ['forfiles /p c:\\users /s /m *.xlsx /c "cmd /c copy @file c:\\temp"', 'copy-loop', 'T1119'],
    ['robocopy \\\\fs01\\hr C:\\Temp\\hr /E', 'copy-loop', 'T1039'],
    ['cmd /c copy \\\\10.0.0.5\\C$\\data\\x.xlsx C:\\temp', 'copy-loop', 'T1039'],
    ['powershell copy-item \\\\fs01\\share\\a.docx C:\\temp', 'copy-loop', 'T1039'],
    ['robocopy C:\\Users\\alice C:\\Temp\\a /MIR', 'copy-loop', 'T1074.001'],
    ['xcopy C:\\Users\\alice \\\\fs01\\drop /s /y', 'copy-loop', 'T1074.002'],
    ['esentutl.exe /y C:\\d\\x.db /d C:\\t\\x.db /o', 'copy-loop', 'T1005'],
    ['bcp "SELECT * FROM hr" queryout C:\\t\\hr.csv -T', 'export', 'T1005'],
    ['ntdsutil "ac i ntds" "ifm" "create full C:\\t\\ifm" q q', 'export', 'T1003.003'],
    ['cmd /c tree C:\\ /f > C:\\temp\\tree.txt', 'recon-output', 'T1119'],
  ])('%s is %s (%s)', (line, kind, technique) => {
    expect(run(line).map((fact) => [fact.kind, fact.technique])).toContainEqual([kind, technique]);
  });
  it.each([
    'cmd /c copy a.txt b.txt',
    'robocopy C:\\a C:\\b x.txt',
    'xcopy a b',
    'powershell Copy-Item a b',
    'cmd /c dir',
    'tree',
  ])('%s is ordinary', (line) => {
    expect(run(line)).toEqual([]);
  });
});

describe('file events', () => {
  it('tells content (A) from name (B)', () => {
    expect(stagingFrom(file('C:\\d\\x.tmp', { mimeType: 'application/x-7z-compressed', size: 9 }))[0]).toMatchObject({
      strength: 'A',
      kind: 'archive-write',
      archive: { key: 'c:\\d\\x.tmp', size: 9 },
    });
    expect(stagingFrom(file('C:\\d\\x.rar'))[0]).toMatchObject({ strength: 'B', archive: { key: 'c:\\d\\x.rar' } });
    expect(stagingFrom(file('C:\\d\\x.docx'))).toEqual([]);
  });
  it('takes the last component only', () => {
    expect(stagingFrom(file('C:\\d\\info.rar\\jjs.exe'))).toEqual([]);
  });
  it('does not call a download staging', () => {
    expect(stagingFrom(file('C:\\d\\x.zip', { origin: 'https://example.com/x.zip' }))).toEqual([]);
    const chrome = { image: 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe' };
    expect(stagingFrom(file('C:\\Users\\a\\Downloads\\x.zip', { process: chrome }))[0]?.traits).toContain(
      'low:download',
    );
    const copy = { image: 'C:\\Users\\Public\\chrome.exe' };
    expect(stagingFrom(file('C:\\Users\\a\\Downloads\\x.zip', { process: copy }))[0]?.traits).not.toContain(
      'low:download',
    );
  });
  it('sees an archive behind another kind of name, but not behind a document that is a zip', () => {
    expect(stagingFrom(file('C:\\d\\cat.jpg', { mimeType: 'application/zip' }))[0]?.traits).toEqual([
      'extension-mismatch',
    ]);
    expect(stagingFrom(file('C:\\d\\a.docx', { mimeType: 'application/zip' }))[0]?.traits).toEqual(['low:office']);
    const archiver = { image: 'C:\\t\\7z.exe' };
    expect(stagingFrom(file('C:\\d\\a.docx', { mimeType: 'application/zip', process: archiver }))[0]?.traits).toEqual([
      'extension-mismatch',
    ]);
    expect(stagingFrom(file('C:\\d\\a.jpg', { op: 'rename', oldPath: 'C:\\d\\a.7z' }))[0]).toMatchObject({
      traits: ['extension-mismatch'],
      renamedFrom: 'c:\\d\\a.7z',
    });
  });
  it('sees a stream, reads and deletions of archives', () => {
    expect(stagingFrom(file('C:\\d\\a.txt:x.cab', { op: 'stream' }))[0]?.traits).toEqual(['alternate-stream']);
    expect(stagingFrom(file('C:\\d\\a.7z', { kind: 'file_read', op: 'read' }))[0]).toMatchObject({
      kind: 'archive-read',
      strength: 'E',
    });
    expect(stagingFrom(file('C:\\d\\a.7z', { kind: 'file_delete', op: 'delete' }))[0]).toMatchObject({
      kind: 'archive-delete',
    });
    expect(stagingFrom(file('C:\\d\\a.7z:Zone.Identifier', { op: 'stream' }))[0]).toMatchObject({
      kind: 'download-mark',
      archive: { key: 'c:\\d\\a.7z' },
    });
  });
  it.each([
    [
      'C:\\ProgramData\\Microsoft\\Windows\\WER\\Temp\\WER1.tmp.zip',
      'C:\\Windows\\System32\\wermgr.exe',
      'low:wer',
      false,
    ],
    ['C:\\Users\\Public\\loot.zip', 'C:\\Windows\\System32\\wermgr.exe', 'low:wer', undefined],
    [
      'C:\\ProgramData\\Microsoft\\Windows\\WER\\Temp\\WER1.tmp.zip',
      'C:\\Users\\Public\\wermgr.exe',
      'low:wer',
      undefined,
    ],
    [
      'C:\\Program Files\\Google\\Chrome\\Temp\\source\\CHROME.7Z',
      'C:\\Program Files\\Google\\setup.exe',
      'low:updater',
      false,
    ],
    ['C:\\Users\\Public\\CHROME.7Z', 'C:\\t\\x.exe', 'low:updater', undefined],
    ['C:\\Windows\\Logs\\CBS\\CbsPersist_1.cab', 'C:\\Windows\\System32\\makecab.exe', 'low:servicing', true],
    ['C:\\Windows\\Logs\\CBS\\CbsPersist_1.cab', 'C:\\Windows\\System32\\makecab.exe', 'low:servicing', undefined],
    ['C:\\inetpub\\logs\\LogFiles\\u.gz', 'C:\\svc\\rotate.exe', 'low:log-rotation', true],
    ['C:\\d\\app.jar', 'C:\\t\\java.exe', 'low:package', false],
    ['C:\\Users\\a\\.m2\\repo\\x.zip', 'C:\\Program Files\\Java\\bin\\java.exe', 'low:dev-cache', false],
    ['C:\\Users\\a\\Desktop\\x.zip', 'C:\\Windows\\explorer.exe', 'low:explorer', false],
    ['C:\\ProgramData\\Vendor\\diag.zip', 'C:\\Program Files\\Vendor\\agent.exe', 'low:agent', true],
  ])('%s by %s: %s', (path, image, trait, service) => {
    const user = service === true ? { id: 'S-1-5-18' } : { id: 'S-1-5-21-1-2-3-1104' };
    const traits = stagingFrom(file(path, { process: { image, user } }))[0]?.traits ?? [];
    if (service === undefined) expect(traits).not.toContain(trait);
    else expect(traits).toContain(trait);
  });
});

describe('archive names', () => {
  it.each([
    ['s.7z.001', 's.7z', 1],
    ['s.zip.012', 's.zip', 12],
    ['s.part02.rar', 's.rar', 2],
    ['s.r00', 's.rar', 0],
    ['s.z01', 's.zip', 1],
    ['s.tar.gz', 's.tar.gz', undefined],
    ['a.part1.b.rar', 'a.part1.b.rar', undefined],
  ])('%s belongs to %s', (name, set, part) => {
    const found = archiveName(windowsPath(`C:\\d\\${name}`));
    expect([found?.setKey, found?.part]).toEqual([`c:\\d\\${set}`, part]);
  });
  it.each(['trace.etl.002', 'x.001', 'x.exe', 'zip', 'x.zipper', '.gitignore'])('%s is no archive', (name) => {
    expect(archiveName(windowsPath(`C:\\d\\${name}`))).toBeUndefined();
  });
  it('reads media types whatever their case and parameters', () => {
    expect(formatOfMime('Application/ZIP; charset=binary')?.name).toBe('zip');
    expect(formatOfMime('text/plain')).toBeUndefined();
  });
});

describe('module loads', () => {
  const library = 'C:\\Windows\\assembly\\NativeImages\\System.IO.Compression.FileSystem.ni.dll';
  it('counts a script host that loads a compression library, and nobody else', () => {
    expect(
      stagingFrom(load(library, 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe'))[0],
    ).toMatchObject({
      strength: 'F',
      kind: 'compression-library',
      technique: 'T1560.002',
    });
    expect(stagingFrom(load(library, 'C:\\Windows\\Microsoft.NET\\mscorsvw.exe'))).toEqual([]);
    expect(stagingFrom(load('C:\\x\\compression.dll', 'C:\\Windows\\powershell.exe'))).toEqual([]);
  });
});

describe('properties of classification', () => {
  const line = fc.constantFrom(
    '7z a -pSecret -mhe x.7z C:\\Docs',
    'rar m -hpX out \\\\srv\\c$\\d',
    'makecab C:\\a C:\\b.cab',
    'certutil -encode a.7z b.txt',
    'powershell Compress-Archive -Path C:\\d -DestinationPath C:\\t\\x.zip',
    'cmd /c robocopy \\\\s\\h C:\\t /e',
    'cmd /c "7z x a.7z"',
  );
  it('does not depend on letter case', () => {
    fc.assert(
      fc.property(line, (text) => {
        const shape = (found: readonly StagingFact[]) =>
          found.map(({ kind, technique, traits, archive, inputs }) => ({
            kind,
            technique,
            traits,
            key: archive?.key,
            inputs,
          }));
        expect(shape(run(text.toUpperCase()))).toEqual(shape(run(text.toLowerCase())));
      }),
    );
  });
  it('never throws, keeps facts small and gives the same id twice', () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc
        .array(fc.constantFrom('7z', 'a', '"', '-p', '\\', ' ', 'tar', 'cf', '\u0000', '%TEMP%', "'", '('), {
          maxLength: 80,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, hostile, (text, path) => {
        const events = [
          start(text),
          start(`cmd /c ${text}`),
          start(`powershell -c ${text}`),
          file(path),
          file(path, { kind: 'file_delete' }),
        ];
        for (const event of events) {
          const found = stagingFrom(event);
          expect(stagingFrom(event)).toEqual(found);
          for (const fact of found) expect(fact.reason.length).toBeLessThanOrEqual(FACT_TEXT_MAX_CHARS);
        }
      }),
      { numRuns: 800 },
    );
  });
});
