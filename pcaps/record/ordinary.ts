/** What ordinary programs of the organisation do, each done by a real client; used by the ordinary day and the stories. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noise } from './documents.ts';
import type { Session } from './session.ts';

const url = (name: string, path: string): string => `https://${name}${path}`;

/** Mail client: sign-in and mailbox. */
export async function readMail(session: Session): Promise<void> {
  const script = join(session.home, 'mail.cjs');
  writeFileSync(
    script,
    `const https = require('node:https');
const get = (url) => new Promise((done) => https.get(url, (reply) => reply.resume().on('end', done)));
get(process.argv[2]).then(() => get(process.argv[3]));
`,
  );
  const names = ['login.cloudoffice.example', 'outlook.cloudoffice.example'].map((name) => url(name, '/bytes/3000'));
  await session.run('cloudmail', ['node', script, ...names], { arguments: '/background' });
}

export async function chat(session: Session): Promise<void> {
  const script = join(session.home, 'chat.cjs');
  writeFileSync(
    script,
    `const request = require('node:https').request(process.argv[2], { method: 'POST' }, (reply) => reply.resume());
request.end(Buffer.alloc(700, 'message '));
`,
  );
  await session.run('teamtalk', ['node', script, url('chat.teamtalk.example', '/messages')], {
    arguments: '--minimized',
  });
}

const PYTHON_SEND = `import ssl, sys, urllib.request
url, path, method = sys.argv[1:4]
with open(path, 'rb') as file:
    body = file.read()
request = urllib.request.Request(url, data=body, method=method)
urllib.request.urlopen(request).read()
`;

/** Writes the upload script that stands for several Windows clients and returns its path. */
export function pythonSender(session: Session): string {
  const script = join(session.home, 'send.py');
  writeFileSync(script, PYTHON_SEND);
  return script;
}

/** The sync client sends what changed. */
export async function syncFiles(session: Session, bytes: number): Promise<void> {
  const file = join(session.home, 'changed.docx');
  writeFileSync(file, noise(`${session.host.name} changed`, bytes));
  const command = ['/usr/bin/python3', pythonSender(session), url('sync.clouddrive.example', '/delta'), file, 'POST'];
  await session.run('clouddrive', command, { arguments: '/background' });
}

/** The organisation's own report push to its own bucket or container. */
export async function pushReport(session: Session, name: string, bytes: number): Promise<void> {
  const file = join(session.home, 'report.csv');
  writeFileSync(file, noise(`${session.host.name} report`, bytes));
  const command = ['/usr/bin/python3', pythonSender(session), url(name, '/daily/report.csv'), file, 'PUT'];
  await session.run('reports', command, { arguments: `--to ${name}` });
}

/** Device management agent: a short check-in. */
export async function checkIn(session: Session): Promise<void> {
  const root = join(session.home, '../../../pki/root.pem');
  const command = ['gnutls-cli', '--x509cafile', root, 'mdm.fleetcare.example'];
  await session.run('fleetcare', command, { arguments: '--service', mayFail: true, input: 'GET / HTTP/1.0\r\n\r\n' });
}

export async function checkUpdates(session: Session): Promise<void> {
  const command = ['wget', '-q', '-O', '/dev/null', url('updates.browsercorp.example', '/bytes/1500')];
  await session.run('updater', command, { arguments: '/ua /installsource scheduler' });
}

export async function systemUpdate(session: Session): Promise<void> {
  const command = ['wget', '-q', '-O', '/dev/null', url('update.winsys.example', '/bytes/20000')];
  await session.run('sysupdate', command, { arguments: 'StartScan' });
}

export async function listRepository(session: Session): Promise<void> {
  const repository = url('git.codeforge.example', '/git/ledger.git');
  await session.run('git', ['git', 'ls-remote', repository], { arguments: `ls-remote ${repository}` });
}

/** A package manager asking for one package. */
export async function askRegistry(session: Session): Promise<void> {
  const script = join(session.home, 'npm.cjs');
  writeFileSync(script, `require('node:https').get(process.argv[2], (reply) => reply.resume());\n`);
  const command = ['node', script, url('registry.pkghub.example', '/left-pad')];
  await session.run('node', command, {
    arguments: '"C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npm-cli.js" ci',
  });
}

/** Packs a build and sends it to the artifact store: an archive and an upload, many times a day. */
export async function buildAndPublish(session: Session, number: number, bytes: number): Promise<void> {
  const name = `ledger-build-${number}.tgz`;
  writeFileSync(join(session.home, 'out.bin'), noise(`build ${number}`, bytes));
  const directory = session.windowsPath('build');
  await session.run('tar', ['tar', '-czf', join(session.home, 'build', name), '-C', session.home, 'out.bin'], {
    arguments: `-czf ${name} out.bin`,
  });
  const target = url('artifacts.codeforge.example', `/ledger/${name}`);
  await session.run('curl', ['curl', '-s', '-T', join(session.home, 'build', name), target], {
    arguments: `-s -T ${directory}\\${name} ${target}`,
  });
  await session.builtin(['rm', join(session.home, 'build', name)]);
}

/** The backup agent: packs what changed and sends the pack to the vault. */
export async function backUp(session: Session, run: string, bytes: number): Promise<void> {
  const pack = `set-${run}.7z`;
  writeFileSync(join(session.home, 'changed.bin'), noise(`backup ${run}`, bytes));
  await session.run(
    'vaultpack',
    ['7z', 'a', '-y', join(session.home, 'spool', pack), join(session.home, 'changed.bin')],
    {
      arguments: `a D:\\VaultKeeper\\Spool\\${pack} @changed.lst`,
    },
  );
  const target = [
    'copy',
    join(session.home, 'spool', pack),
    ':webdav:',
    '--webdav-url',
    'https://vault.backupvault.example',
  ];
  await session.run('vaultkeeper', ['rclone', ...target, '--ignore-times', '--retries', '1'], {
    arguments: `--upload D:\\VaultKeeper\\Spool\\${pack}`,
  });
  await session.builtin(['rm', join(session.home, 'spool', pack)]);
}
