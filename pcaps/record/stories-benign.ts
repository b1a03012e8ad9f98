/** Five look-alikes of the exfiltration stories. Each has archive, upload or new destination, and none is theft. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from './browsers.ts';
import { noise, writeDocuments } from './documents.ts';
import { SYSTEM } from './hosts.ts';
import { askRegistry, backUp, buildAndPublish, checkIn, checkUpdates, listRepository, readMail } from './ordinary.ts';
import { sleep } from './shell.ts';
import type { Story } from './story.ts';

const THINK_MILLISECONDS = 4000;
const think = (): Promise<void> => sleep(THINK_MILLISECONDS);

const backupAgent: Story = {
  name: 'story-backup-agent',
  hour: 6,
  expectation: {
    shows: 'The backup agent packs a larger set than usual and sends it to its vault, as it has every night.',
    expect: 'silent',
    why: 'Established destination of this process identity on this host; signer and destination belong together.',
    focus: { host: 'SRV-FILE-08', destination: 'vault.backupvault.example', executable: 'vkagent.exe' },
  },
  play: async (take) => {
    const session = take.session('SRV-FILE-08', SYSTEM.name);
    await checkIn(session);
    await session.watch('spool', 'D:\\VaultKeeper\\Spool');
    await backUp(session, 'weekly', 2_400_000);
    return undefined;
  },
};

/** A page that sends a local file with the browser's own network stack, as an upload form does. */
function uploadPage(file: string, url: string): string {
  return `<!doctype html><title>Send</title><script>
const read = new XMLHttpRequest();
read.open('GET', ${JSON.stringify(`file://${file}`)}, false);
read.overrideMimeType('text/plain; charset=x-user-defined');
read.send();
const bytes = Uint8Array.from(read.responseText, (character) => character.charCodeAt(0) & 0xff);
const send = new XMLHttpRequest();
send.open('POST', ${JSON.stringify(url)}, false);
send.send(bytes);
</script>`;
}

const browserUpload: Story = {
  name: 'story-browser-upload',
  hour: 7,
  expectation: {
    shows:
      'A user packs documents and uploads the archive with the browser, to a file-sending site nobody here has used.',
    expect: 'silent',
    why: 'AN1413 is about processes that are not browsers: signer, path and lineage prove this one.',
    focus: { host: 'WS-FIN-01', destination: 'send.filepost.example', executable: 'chrome.exe' },
  },
  play: async (take) => {
    const session = take.session('WS-FIN-01', 'k.lind');
    const names = writeDocuments(join(session.home, 'Board'), {
      stem: 'board',
      extension: 'pptx',
      count: 6,
      bytesEach: 350_000,
    });
    await session.watch('Board');
    const archive = join(session.home, 'Board/board.zip');
    await session.run('7zg', ['zip', '-q', '-j', archive, ...names.map((name) => join(session.home, 'Board', name))], {
      arguments: 'a -tzip "board.zip" -i#7zMap -ad',
    });
    await think();
    const page = join(session.home, 'send.html');
    writeFileSync(page, uploadPage(archive, 'https://send.filepost.example/upload'));
    await launchBrowser(session, 'chrome', [], `file://${page}`, [
      '--allow-file-access-from-files',
      '--disable-web-security',
    ]);
    return undefined;
  },
};

const developer: Story = {
  name: 'story-developer',
  hour: 8,
  expectation: {
    shows: 'A developer builds, packs and publishes several times within minutes, as on every day.',
    expect: 'silent',
    why: 'Archives are the daily rhythm of this host and the artifact store is established for this process.',
    focus: { host: 'WS-ENG-03', destination: 'artifacts.codeforge.example', executable: 'curl.exe' },
  },
  play: async (take) => {
    const session = take.session('WS-ENG-03', 'j.okafor');
    await session.watch('build');
    await session.enter('powershell', '-NoLogo');
    await listRepository(session);
    await askRegistry(session);
    for (const number of [201, 202, 203]) {
      await buildAndPublish(session, number, 420_000);
      await sleep(THINK_MILLISECONDS / 2);
    }
    await session.leave();
    return undefined;
  },
};

const otherUserArchive: Story = {
  name: 'story-other-user-archive',
  hour: 17,
  expectation: {
    shows:
      'On a terminal server one user packs files while the printing assistant of another user sends diagnostics to a new place.',
    expect: 'silent',
    why: 'Another user and logon session packed the archive; the sizes do not match; the sender is signed software.',
    focus: { host: 'TS-09', destination: 'feedback.printwerk.example', executable: 'pwassist.exe' },
  },
  play: async (take) => {
    const packer = take.session('TS-09', 'b.holm');
    const names = writeDocuments(join(packer.home, 'Scans'), {
      stem: 'scan',
      extension: 'pdf',
      count: 8,
      bytesEach: 300_000,
    });
    await packer.watch('Scans');
    const files = names.map((name) => join(packer.home, 'Scans', name));
    await packer.run('7zg', ['zip', '-q', '-j', join(packer.home, 'Scans/scans.zip'), ...files], {
      arguments: 'a -tzip "scans.zip" -i#7zMap -ad',
    });
    await think();
    const sender = take.session('TS-09', 'r.keane');
    const log = join(sender.home, 'diagnostics.log');
    writeFileSync(log, noise('printwerk diagnostics', 140_000));
    const url = 'https://feedback.printwerk.example/diagnostics';
    await sender.run('printwerk', ['curl', '-s', '--data-binary', `@${log}`, url], { arguments: '/tray' });
    await readMail(packer);
    return undefined;
  },
};

const updaterDownload: Story = {
  name: 'story-updater-download',
  hour: 18,
  expectation: {
    shows: 'An updater asks, downloads a package (an archive appears on disk) and reports back.',
    expect: 'silent',
    why: 'The archive came in, it did not go out; signed updater at its vendor.',
    focus: { host: 'WS-LAW-02', destination: 'dl.browsercorp.example', executable: 'bcupdate.exe' },
  },
  play: async (take) => {
    const session = take.session('WS-LAW-02', SYSTEM.name);
    await checkUpdates(session);
    const directory = 'C:\\Program Files (x86)\\BrowserCorp\\Update\\Download';
    await session.watch('Download', directory);
    const file = join(session.home, 'Download/browser-156.0.8078.79.7z');
    const url = 'https://dl.browsercorp.example/git/package.7z';
    await session.run('updater', ['wget', '-q', '-O', file, url], { arguments: '/ua /installsource scheduler' });
    await sleep(THINK_MILLISECONDS / 2);
    await checkUpdates(session);
    return undefined;
  },
};

export const BENIGN_STORIES: readonly Story[] = [
  backupAgent,
  browserUpload,
  developer,
  otherUserArchive,
  updaterDownload,
];
