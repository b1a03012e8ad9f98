// Makes a clone ready: npm packages from the lock file, a fresh dist/, and with --test the system packages that tests use.
// Does nothing that is done already, so `npm start` and `npm test` may call it each time.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));
const mtime = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const newest = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((latest, entry) => Math.max(latest, mtime(join(entry.parentPath ?? entry.path, entry.name))), 0);

if (mtime('node_modules/.package-lock.json') < mtime('package-lock.json')) {
  console.error('waybill: installing npm packages');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: ['ignore', 2, 2] });
}
const sources = Math.max(newest('sensor'), newest('enrich'), mtime('tsconfig.json'), mtime('package.json'));
if (mtime('dist/enrich/cli/main.js') < sources || !existsSync('node_modules/.bin/waybill')) {
  console.error('waybill: building');
  execFileSync(process.execPath, ['.ci/build.mjs'], { stdio: ['ignore', 2, 2] });
}
if (process.argv.includes('--test')) systemPackages();

/** Debian packages that tests use, by the program that shows they are there. */
function systemPackages() {
  const wanted = {
    chromium: 'chromium',
    'redis-server': 'redis-server',
    tcpdump: 'tcpdump',
    tcpreplay: 'tcpreplay',
    ip: 'iproute2',
    rsyslogd: 'rsyslog rsyslog-openssl rsyslog-elasticsearch',
  };
  const missing = Object.entries(wanted).filter(([program]) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) return;
  const names = missing.flatMap(([, packages]) => packages.split(' '));
  const mayInstall = process.getuid?.() === 0 && spawnSync('which', ['apt-get']).status === 0;
  if (mayInstall) {
    console.error(`waybill: installing for the tests: ${names.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 2], env });
    const done = spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
      stdio: ['ignore', 'ignore', 2],
      env,
    });
    if (done.status === 0) return;
  }
  console.error(
    `waybill: not here: ${names.join(' ')}. The suites that need them are skipped by name; to run them: apt-get install ${names.join(' ')}`,
  );
}
