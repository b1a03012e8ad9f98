/**
 * Real browsers, headless, inside a session. They open a start page that makes them fetch from the given names, and
 * trust the recording root through their own certificate stores.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from './session.ts';
import { sh } from './shell.ts';

const START_PAGE = 'https://start.halden.example/open';

const CHROMIUM_FLAGS = [
  ...[
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
  ],
  ...['--disable-component-update', '--disable-sync', '--disable-extensions', '--disable-default-apps', '--no-pings'],
  ...['--disable-domain-reliability', '--disable-client-side-phishing-detection', '--disable-breakpad'],
  '--disable-features=OptimizationHints,MediaRouter,Translate,NetworkTimeServiceQuerying,AsyncDns',
];

/** Firefox preferences that keep it from calling home; there is no home in the recording network. */
const FIREFOX_PREFERENCES: readonly (readonly [string, boolean | number | string])[] = [
  ['app.update.enabled', false],
  ['app.normandy.enabled', false],
  ['browser.safebrowsing.malware.enabled', false],
  ['browser.safebrowsing.phishing.enabled', false],
  ['browser.safebrowsing.downloads.enabled', false],
  ['browser.shell.checkDefaultBrowser', false],
  ['browser.aboutwelcome.enabled', false],
  ['datareporting.policy.dataSubmissionEnabled', false],
  ['datareporting.healthreport.uploadEnabled', false],
  ['dom.push.connection.enabled', false],
  ['extensions.getAddons.cache.enabled', false],
  ['media.gmp-manager.updateEnabled', false],
  ['network.captive-portal-service.enabled', false],
  ['network.connectivity-service.enabled', false],
  ['network.trr.mode', 5],
  ['services.settings.server', 'https://services.invalid/v1'],
  ['toolkit.telemetry.enabled', false],
  ['toolkit.telemetry.unified', false],
];

function trustStore(directory: string, root: string): void {
  if (existsSync(join(directory, 'cert9.db'))) return;
  mkdirSync(directory, { recursive: true });
  sh('certutil', '-N', '-d', `sql:${directory}`, '--empty-password');
  sh('certutil', '-A', '-d', `sql:${directory}`, '-t', 'C,,', '-n', 'recording root', '-i', root);
}

/**
 * Opens a browser, waits until it has fetched from all names, and lets it end.
 * @param url page to open instead of the start page
 */
export async function launchBrowser(
  session: Session,
  browser: 'chrome' | 'firefox',
  names: readonly string[],
  url = `${START_PAGE}?at=${names.join(',')}`,
  flags: readonly string[] = [],
): Promise<void> {
  const root = join(session.home, '../../../pki/root.pem');
  const profile = join(session.home, `${browser}-profile`);
  const options = { arguments: browser === 'firefox' ? '' : '--profile-directory=Default', mayFail: true };
  if (browser === 'chrome') {
    trustStore(join(session.home, '.pki/nssdb'), root);
    const command = [
      '/usr/lib/chromium/chromium',
      ...CHROMIUM_FLAGS.filter((flag) => flag !== '--disable-quic' || !flags.includes('--enable-quic')),
      ...flags,
      `--user-data-dir=${profile}`,
    ];
    await session.run('chrome', [...command, '--timeout=4000', '--dump-dom', url], options);
    return;
  }
  trustStore(profile, root);
  const lines = FIREFOX_PREFERENCES.map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  writeFileSync(join(profile, 'user.js'), `${lines.join('\n')}\n`);
  const shot = join(session.home, 'page.png');
  await session.run(
    'firefox',
    ['/usr/lib/firefox-esr/firefox-esr', '--headless', '--profile', profile, '--screenshot', shot, url],
    options,
  );
}
