/** The client set: one real handshake of every client, with TLS 1.2 and 1.3, to servers of several kinds. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from './browsers.ts';
import { PROXY_IP, PROXY_PORT } from './destinations.ts';
import type { Session } from './session.ts';
import { type Recording, Take } from './take.ts';

const at = (name: string, path = '/'): string => `https://${name}${path}`;

const PYTHON_GET = `import ssl, sys, urllib.request
context = ssl.create_default_context()
context.maximum_version = ssl.TLSVersion[sys.argv[2]]
urllib.request.urlopen(sys.argv[1], context=context).read()
`;

const NODE_GET = `const [url, maxVersion] = process.argv.slice(2);
require('node:https').get(url, { maxVersion }, (reply) => reply.resume());
`;

async function curlAndWget(session: Session): Promise<void> {
  const run = (name: string, ...command: string[]) =>
    session.run(name, command, { arguments: command.slice(1).join(' ') });
  for (const version of ['1.2', '1.3']) {
    const only = [`--tlsv${version}`, '--tls-max', version];
    await run('curl', 'curl', '-s', ...only, at('docs.cloudoffice.example'));
    await run('curl', 'curl', '-s', ...only, '--http1.1', at('login.cloudoffice.example'));
    await run('curl', 'curl', '-s', ...only, '-6', at('sync.clouddrive.example'));
  }
  await run('curl', 'curl', '-s', at('telemetry.cloudoffice.example'));
  await run('curl', 'curl', '-s', '-x', `http://${PROXY_IP}:${PROXY_PORT}`, at('search.findly.example'));
  await run('curl', 'curl', '-sk', 'https://203.0.113.11/');
  await run('wget', 'wget', '-qO-', '--secure-protocol=TLSv1_2', at('update.winsys.example'));
  await run('wget', 'wget', '-qO-', '--secure-protocol=TLSv1_3', at('updates.browsercorp.example'));
  await run('wget', 'wget', '-qO-', at('registry.pkghub.example'));
}

async function libraries(session: Session): Promise<void> {
  const root = join(session.home, '../../../pki/root.pem');
  const silent = { mayFail: true } as const;
  for (const [flag, version] of [
    ['-tls1_2', 'TLSv1_2'],
    ['-tls1_3', 'TLSv1_3'],
  ] as const) {
    const name = 'crm.salesdesk.example';
    const base = ['openssl', 's_client', '-connect', `${name}:443`, '-servername', name, flag];
    const text = { arguments: base.slice(1).join(' ') };
    await session.run('openssl', [...base, '-sess_out', join(session.home, `session${flag}`)], { ...silent, ...text });
    await session.run('openssl', [...base, '-alpn', 'h2,http/1.1'], { ...silent, ...text });
    await session.run(
      'python',
      ['/usr/bin/python3', join(session.home, 'get.py'), at('wheels.pyindex.example'), version],
      {
        arguments: 'get.py https://wheels.pyindex.example/',
      },
    );
    await session.run(
      'node',
      ['node', join(session.home, 'get.cjs'), at('chat.teamtalk.example'), version.replace('_', '.')],
      {
        arguments: 'get.js https://chat.teamtalk.example/',
      },
    );
    const priority = `NORMAL:-VERS-ALL:+VERS-TLS${version.slice(4).replace('_', '.')}`;
    const gnutls = ['gnutls-cli', '--x509cafile', root, '--priority', priority, 'start.halden.example'];
    await session.run('gnutls-cli', gnutls, {
      ...silent,
      arguments: gnutls.slice(1).join(' ').replace(root, 'C:\\Tools\\root.pem'),
    });
  }
  const bare = ['openssl', 's_client', '-connect', '203.0.113.65:443', '-noservername'];
  await session.run('openssl', bare, { ...silent, arguments: bare.slice(1).join(' ') });
}

/** TLS 1.2 and 1.3 sessions taken up again: `-sess_out` once, then `-sess_in`. */
async function resumption(session: Session): Promise<void> {
  const name = 'bank.kontor.example';
  for (const flag of ['-tls1_2', '-tls1_3']) {
    const file = join(session.home, `resume${flag}`);
    const base = ['openssl', 's_client', '-connect', `${name}:443`, '-servername', name, flag, '-ign_eof'];
    for (const use of ['-sess_out', '-sess_in']) {
      // The ticket of TLS 1.3 comes after the handshake: ask for a page and stay a moment.
      const input = 'GET / HTTP/1.0\r\n\r\n';
      const text = `${base.slice(1).join(' ')} ${use} session.pem`;
      await session.run('openssl', [...base, use, file], { mayFail: true, input, arguments: text });
    }
  }
}

async function tools(session: Session): Promise<void> {
  const git = ['git', 'ls-remote', at('git.codeforge.example', '/git/ledger.git')];
  // The second server speaks TLS 1.2 only.
  for (const url of [git[2]!, at('telemetry.cloudoffice.example', '/git/ledger.git')]) {
    await session.run('git', ['git', 'ls-remote', url], { arguments: `ls-remote ${url}` });
  }
  const clone = ['git', 'clone', '-q', git[2]!, join(session.home, 'ledger')];
  await session.run('git', clone, { arguments: `clone ${git[2]}` });
  const rclone = ['rclone', 'lsd', ':webdav:', '--webdav-url', at('vault.backupvault.example'), '--retries', '1'];
  await session.run('rclone', rclone, { arguments: rclone.slice(1).join(' ') });
  const old = ['rclone', 'lsf', ':http:', '--http-url', at('update.winsys.example'), '--retries', '1'];
  await session.run('rclone', old, { mayFail: true, arguments: old.slice(1).join(' ') });
}

export async function recordClients(workDirectory: string): Promise<Recording> {
  const take = await Take.begin(workDirectory, 'clients');
  const session = take.session('WS-ENG-03', 'j.okafor');
  writeFileSync(join(session.home, 'get.py'), PYTHON_GET);
  writeFileSync(join(session.home, 'get.cjs'), NODE_GET);
  await session.enter('powershell', '-NoLogo');
  await curlAndWget(session);
  await libraries(session);
  await resumption(session);
  await tools(session);
  await session.leave();
  for (const browser of ['chrome', 'firefox'] as const) {
    const pages = ['news.morgenblatt.example', 'telemetry.cloudoffice.example', 'search.findly.example'];
    await launchBrowser(session, browser, pages);
  }
  return take.end();
}

/** Base64 SHA-256 of the leaf's SubjectPublicKeyInfo. */
function keyHash(chainFile: string): string {
  const key = new X509Certificate(readFileSync(chainFile)).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** HTTP/3: Chromium made to speak QUIC to Caddy. */
export async function recordQuic(workDirectory: string): Promise<Recording> {
  const take = await Take.begin(workDirectory, 'quic');
  const session = take.session('WS-SAL-06', 's.ito');
  take.watchUdp('WS-SAL-06');
  const name = 'h3.wavelink.example';
  await launchBrowser(session, 'chrome', [], `https://${name}/`, [
    '--enable-quic',
    `--origin-to-force-quic-on=${name}:443`,
    // Over QUIC, Chromium takes private authorities only for keys that it is told.
    `--ignore-certificate-errors-spki-list=${keyHash(join(workDirectory, 'pki', `${name}.chain.pem`))}`,
  ]);
  return take.end();
}
