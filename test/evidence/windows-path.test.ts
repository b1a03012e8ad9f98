import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  expandVariables,
  isShare,
  PATH_MAX_CHARS,
  resolvePath,
  samePath,
  windowsPath,
} from '../../enrich/evidence/windows-path.ts';

describe('windowsPath', () => {
  it.each([
    ['C:\\Users\\Bob\\x.7z', 'c:\\users\\bob\\x.7z'],
    ['\\\\?\\C:\\Users\\Bob\\x.7z', 'c:\\users\\bob\\x.7z'],
    ['\\??\\C:\\Users\\Bob\\x.7z', 'c:\\users\\bob\\x.7z'],
    ['\\\\.\\C:\\Users\\Bob\\x.7z', 'c:\\users\\bob\\x.7z'],
    ['C:\\\\Users\\\\Bob\\\\x.7z', 'c:\\users\\bob\\x.7z'],
    ['\\\\\\\\?\\\\C:\\\\Users\\\\Bob\\\\x.7z', 'c:\\users\\bob\\x.7z'],
    ['c:/Users/Bob/x.7z', 'c:\\users\\bob\\x.7z'],
    ['"C:\\Users\\Bob\\x.7z"', 'c:\\users\\bob\\x.7z'],
    ['C:\\Users\\.\\Eve\\..\\Bob\\x.7z. . ', 'c:\\users\\bob\\x.7z'],
    ['C:\\..\\..\\x', 'c:\\x'],
    ['..\\..\\x', '..\\..\\x'],
    ['\\SystemRoot\\System32\\a.exe', 'c:\\windows\\system32\\a.exe'],
    ['%SystemRoot%\\System32\\a.exe', 'c:\\windows\\system32\\a.exe'],
    ['\\Device\\HarddiskVolume3\\Users\\Bob', '\\device\\harddiskvolume3\\users\\bob'],
    ['\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy1\\x', '\\device\\harddiskvolumeshadowcopy1\\x'],
    ['\\\\Srv\\C$\\Data\\x', '\\\\srv\\c$\\data\\x'],
    ['\\\\?\\UNC\\Srv\\Share\\x', '\\\\srv\\share\\x'],
    ['\\\\localhost\\c$\\x', 'c:\\x'],
    ['C:\\PROGRA~1\\x', 'c:\\progra~1\\x'],
    ['', ''],
  ])('reads %s as %s', (text, key) => {
    expect(windowsPath(text).key).toBe(key);
  });

  it('takes a colon after the drive as the start of a stream, and no other', () => {
    const path = windowsPath('C:\\docs\\Plan.txt:Hidden.cab:$DATA');
    expect(path).toMatchObject({ base: 'plan.txt', ext: 'txt', stream: 'hidden.cab', dir: 'c:\\docs' });
    expect(windowsPath('C:\\docs\\plan.txt::$DATA').stream).toBeUndefined();
  });

  it('keeps a space at the end of an inner folder, which makes it another folder', () => {
    expect(windowsPath('C:\\Windows \\System32\\x.exe').dir).toBe('c:\\windows \\system32');
  });

  it('does not let a dot hide a drive, a device or a variable', () => {
    expect(samePath('.\\c:\\x', 'c:\\x')).toBe(false);
    expect(samePath('\\.\\device\\harddiskvolume1\\x', '\\device\\harddiskvolume1\\x')).toBe(false);
  });

  it('cuts what no file system can name', () => {
    expect(windowsPath('a'.repeat(PATH_MAX_CHARS * 2)).key.length).toBe(PATH_MAX_CHARS);
  });
});

describe('samePath', () => {
  it('compares a drive and a kernel volume by what follows', () => {
    expect(samePath('C:\\Users\\a\\x.7z', '\\Device\\HarddiskVolume3\\users\\A\\X.7Z')).toBe(true);
  });
  it('keeps drives, shares, shadow copies and streams apart', () => {
    expect(samePath('C:\\x', 'D:\\x')).toBe(false);
    expect(samePath('C:\\x', '\\\\srv\\c$\\x')).toBe(false);
    expect(samePath('C:\\x', '\\Device\\HarddiskVolumeShadowCopy2\\x')).toBe(false);
    expect(samePath('C:\\x', 'C:\\x:s')).toBe(false);
  });
  it('resolves relative paths from the current directory, and without one only equals itself', () => {
    expect(samePath('..\\t\\x.7z', 'C:\\t\\x.7z', 'C:\\users')).toBe(true);
    expect(samePath('\\t\\x.7z', 'C:\\t\\x.7z', 'C:\\users')).toBe(true);
    expect(samePath('D:x.7z', 'D:\\x.7z', 'C:\\users')).toBe(true);
    expect(samePath('x.7z', 'C:\\t\\x.7z')).toBe(false);
  });
  it('knows a share from a disk', () => {
    expect(isShare(windowsPath('\\\\srv\\share\\x'))).toBe(true);
    expect(isShare(windowsPath('\\\\?\\C:\\x'))).toBe(false);
  });
});

describe('expandVariables', () => {
  it('puts the user’s folders in place when the user is known', () => {
    expect(expandVariables('%TEMP%\\x.zip', 'CORP\\Bob')).toBe('c:\\users\\Bob\\appdata\\local\\temp\\x.zip');
    expect(expandVariables('$env:APPDATA\\x', 'bob')).toBe('c:\\users\\bob\\appdata\\roaming\\x');
    expect(expandVariables('%TEMP%\\x.zip', undefined)).toBe('%TEMP%\\x.zip');
    expect(expandVariables('%public%\\x', undefined)).toBe('c:\\users\\public\\x');
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    '\\',
    '/',
    '.',
    '..',
    ':',
    '"',
    ' ',
    'c:',
    '\\\\?\\',
    '\\\\.\\',
    '\\??\\',
    'unc',
    'device',
    'volume{',
    '$DATA',
    'globalroot',
    '%systemroot%',
    'systemroot',
    'HarddiskVolume1',
  ),
  fc.string({ maxLength: 4, unit: 'grapheme' }),
);
const hostilePath = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));

describe('properties of paths', () => {
  it('reads its own key as the same key', () => {
    fc.assert(
      fc.property(hostilePath, (text) => {
        const once = windowsPath(text);
        const twice = windowsPath(once.key);
        expect(twice.key).toBe(once.key);
        expect(twice.stream).toBe(once.stream);
      }),
      { numRuns: 3_000 },
    );
  });
  it('does not mind the case of ASCII letters', () => {
    fc.assert(
      fc.property(
        fc.array(
          piece.filter((text) => /^[\x20-\x7e]*$/.test(text)),
          { maxLength: 12 },
        ),
        (pieces) => {
          const text = pieces.join('');
          expect(windowsPath(text.toUpperCase()).key).toBe(windowsPath(text.toLowerCase()).key);
        },
      ),
    );
  });
  it('gives the same file from a folder as from the whole path', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), fc.array(name, { minLength: 1, maxLength: 3 }), (folder, rest) => {
        const cwd = `C:\\${folder.join('\\')}`;
        expect(resolvePath(rest.join('\\'), cwd).key).toBe(windowsPath(`${cwd}\\${rest.join('\\')}`).key);
      }),
    );
  });
});
