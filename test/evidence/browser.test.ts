import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { browserClass, childType } from '../../enrich/evidence/browser.ts';
import { processIdentity } from '../../enrich/evidence/process-identity.ts';
import { isSignedBy, signerName } from '../../enrich/evidence/signer.ts';
import { parent, process } from './endpoint-builder.ts';

const CHROME = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';
const WEBVIEW = 'C:\\Program Files (x86)\\Microsoft\\EdgeWebView\\Application\\120.0.1.2\\msedgewebview2.exe';
const signed = (signer: string): Partial<ProcessRef> => ({ signer, signatureStatus: 'valid' });
const GOOGLE = signed('Google LLC');
const judge = (fields: Partial<ProcessRef>, ancestors: readonly ProcessRef[] = [], ja4Family?: string) =>
  browserClass(process(fields), ancestors, ja4Family === undefined ? {} : { ja4Family });

describe('browserClass', () => {
  it.each<[string, Partial<ProcessRef>, string, string]>([
    ['Chrome, signed', { image: CHROME, ...GOOGLE }, 'browser', 'signer-verified'],
    [
      'Chrome by another spelling of its path',
      { image: '\\\\?\\c:\\PROGRAM FILES\\google\\chrome\\application\\CHROME.EXE', ...GOOGLE },
      'browser',
      'signer-verified',
    ],
    ['Chrome by its kernel path', { image: `\\Device\\HarddiskVolume3${CHROME.slice(2)}` }, 'browser', 'path-verified'],
    ['Chrome without signer', { image: CHROME }, 'browser', 'path-verified'],
    [
      'Chrome with an expired signature in Program Files',
      { image: CHROME, signer: 'Google LLC', signatureStatus: 'invalid' },
      'browser',
      'path-verified',
    ],
    [
      'Chrome per user, signed',
      { image: 'C:\\Users\\a\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe', ...GOOGLE },
      'browser',
      'signer-verified',
    ],
    [
      'Chrome per user, unknown signer',
      { image: 'C:\\Users\\a\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe' },
      'claims_browser',
      'unverified',
    ],
    [
      'Edge',
      {
        image: 'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
        ...signed('Microsoft Corporation'),
      },
      'browser',
      'signer-verified',
    ],
    [
      'Firefox by its distinguished name',
      {
        image: 'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
        ...signed('C=US, O=Mozilla Corporation, CN=Mozilla Corporation'),
      },
      'browser',
      'signer-verified',
    ],
    [
      'Brave with a comma in the name',
      {
        image: 'C:\\Program Files\\BraveSoftware\\Brave-Browser\\Application\\brave.exe',
        ...signed('CN=Brave Software, Inc., O=Brave'),
      },
      'browser',
      'signer-verified',
    ],
    ['Internet Explorer', { image: 'C:\\Program Files\\Internet Explorer\\iexplore.exe' }, 'browser', 'path-verified'],
    ['a renamed tool in Public', { image: 'C:\\Users\\Public\\chrome.exe' }, 'claims_browser', 'contradicted'],
    [
      'a folder with a space at its end',
      { image: 'C:\\Program Files \\Google\\Chrome\\Application\\chrome.exe' },
      'claims_browser',
      'contradicted',
    ],
    [
      'Program Files on another drive',
      { image: 'D:\\Program Files\\Google\\Chrome\\Application\\chrome.exe' },
      'claims_browser',
      'contradicted',
    ],
    [
      'the right folder, somebody else’s signature',
      { image: CHROME, ...signed('Evil GmbH') },
      'claims_browser',
      'contradicted',
    ],
    ['a similar signer', { image: CHROME, ...signed('Google LLC.') }, 'claims_browser', 'contradicted'],
    ['the right folder, not signed', { image: CHROME, signatureStatus: 'unsigned' }, 'claims_browser', 'contradicted'],
    [
      'the right folder, built as another program',
      { image: CHROME, originalName: 'rclone.exe' },
      'claims_browser',
      'contradicted',
    ],
    [
      'Chrome in Edge’s folder',
      { image: 'C:\\Program Files\\Microsoft\\Edge\\Application\\chrome.exe' },
      'claims_browser',
      'contradicted',
    ],
    [
      'a valid signature in an odd folder',
      { image: 'C:\\tools\\chrome.exe', ...GOOGLE },
      'claims_browser',
      'unverified',
    ],
    [
      'Tor Browser on the desktop',
      { image: 'C:\\Users\\a\\Desktop\\Tor Browser\\Browser\\firefox.exe' },
      'claims_browser',
      'unverified',
    ],
    [
      'a look-alike letter',
      { image: 'C:\\Program Files\\Google\\Chrome\\Application\\chr0me.exe' },
      'non_browser',
      'none',
    ],
    ['curl', { image: 'C:\\Windows\\System32\\curl.exe', ...signed('Microsoft Windows') }, 'non_browser', 'none'],
    ['mshta', { image: 'C:\\Windows\\System32\\mshta.exe' }, 'non_browser', 'none'],
    [
      'Google’s updater',
      { image: 'C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe', originalName: 'goopdate.dll' },
      'browser_helper',
      'path-verified',
    ],
    [
      'an updater’s name in Temp',
      { image: 'C:\\Users\\a\\AppData\\Local\\Temp\\GoogleUpdate.exe' },
      'non_browser',
      'none',
    ],
    [
      'an Electron child',
      {
        image: 'C:\\Users\\a\\AppData\\Local\\slack\\slack.exe',
        commandLine: 'slack.exe --type=utility --utility-sub-type=network.mojom.NetworkService',
      },
      'browser_engine',
      'unverified',
    ],
    [
      'automation',
      { image: 'C:\\Users\\a\\AppData\\Local\\ms-playwright\\chromium-1\\chrome-win\\chrome.exe' },
      'browser_engine',
      'unverified',
    ],
  ])('%s', (_, fields, kind, grade) => {
    expect(judge(fields)).toMatchObject({ class: kind, grade });
  });

  it('says unknown without an image, and never more than that', () => {
    expect(browserClass({ entityId: 'x', entityKind: 'none' })).toMatchObject({
      class: 'unknown',
      grade: 'none',
      abused: false,
    });
  });

  it('gives a child process the class of its browser', () => {
    const commandLine = `"${CHROME}" --type=utility --utility-sub-type=network.mojom.NetworkService`;
    const child = judge({ image: CHROME, commandLine, ...GOOGLE }, [
      process({ image: CHROME, commandLine: `"${CHROME}"` }),
    ]);
    expect(child).toMatchObject({ class: 'browser', abused: false });
    expect(child.reasons.join()).toContain('utility child');
    expect(childType('firefox.exe -contentproc --channel=1')).toBe('content');
  });

  it('judges WebView2 as the application that hosts it', () => {
    expect(
      judge({
        image: WEBVIEW,
        commandLine: `"${WEBVIEW}" --embedded-browser-webview=1 --webview-exe-name=SelfService.exe`,
      }),
    ).toMatchObject({
      class: 'browser_engine',
      host: 'selfservice.exe',
    });
    const root = process({ image: WEBVIEW, parent: parent({ image: 'C:\\t\\evil.exe' }) });
    expect(
      judge({ image: WEBVIEW, parent: parent({ image: WEBVIEW }) }, [root, process({ image: 'C:\\t\\evil.exe' })]),
    ).toMatchObject({ host: 'evil.exe' });
    expect(judge({ image: 'C:\\Users\\a\\msedgewebview2.exe' })).toMatchObject({
      class: 'claims_browser',
      grade: 'contradicted',
    });
  });

  it('takes back the class when the handshake is of another family, and learns nothing from an equal one', () => {
    expect(judge({ image: CHROME, ...GOOGLE }, [], 'go')).toMatchObject({
      class: 'claims_browser',
      grade: 'contradicted',
    });
    expect(judge({ image: CHROME, ...GOOGLE }, [], 'chromium')).toMatchObject({ class: 'browser' });
    expect(judge({ image: CHROME, ...GOOGLE }, [], 'unknown')).toMatchObject({ class: 'browser' });
    expect(judge({ image: 'C:\\Users\\Public\\chrome.exe' }, [], 'chromium')).toMatchObject({
      class: 'claims_browser',
    });
  });

  it.each([
    ['headless', '--headless=new --dump-dom https://h'],
    ['remote debugging', '--remote-debugging-port=9222'],
    ['a profile in a temporary folder', '--user-data-dir=C:\\Users\\a\\AppData\\Local\\Temp\\p'],
    ['a data address', 'data:text/html,x'],
    ['an extension from a folder', '--load-extension=C:\\x'],
  ])('keeps the class but marks abuse: %s', (_, args) => {
    expect(judge({ image: CHROME, commandLine: `"${CHROME}" ${args}`, ...GOOGLE })).toMatchObject({
      class: 'browser',
      abused: true,
    });
  });

  it('marks what a script host or a service starts, also through the child that connects', () => {
    const start = process({
      image: CHROME,
      commandLine: `"${CHROME}" --headless`,
      parent: parent({ image: 'C:\\Windows\\explorer.exe' }),
    });
    expect(judge({ image: CHROME, commandLine: `"${CHROME}" --type=utility`, ...GOOGLE }, [start]).abused).toBe(true);
    expect(judge({ image: CHROME, parent: parent({ image: 'C:\\Windows\\System32\\mshta.exe' }) }).abused).toBe(true);
    expect(judge({ image: CHROME, parent: parent({ image: 'C:\\Windows\\explorer.exe' }) }).abused).toBe(false);
    expect(judge({ image: CHROME, user: { id: 'S-1-5-18' } }).abused).toBe(true);
    const ie = 'C:\\Program Files\\Internet Explorer\\iexplore.exe';
    expect(judge({ image: ie, commandLine: `"${ie}" -Embedding` }).abused).toBe(true);
  });

  it('does not depend on letter case', () => {
    const image = fc.constantFrom(
      CHROME,
      WEBVIEW,
      'C:\\Users\\Public\\chrome.exe',
      'C:\\Windows\\System32\\curl.exe',
      'C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe',
    );
    const signer = fc.constantFrom('Google LLC', 'Microsoft Corporation', 'Evil');
    fc.assert(
      fc.property(image, signer, fc.boolean(), (path, name, valid) => {
        const fields = (turn: (text: string) => string): Partial<ProcessRef> => ({
          image: turn(path),
          signer: turn(name),
          signatureStatus: valid ? 'valid' : 'invalid',
        });
        const [upper, lower] = [
          judge(fields((text) => text.toUpperCase())),
          judge(fields((text) => text.toLowerCase())),
        ];
        expect(upper).toEqual(lower);
      }),
    );
  });
  it('never calls a browser what lies outside every product’s folder', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-zA-Z0-9 ._-]{1,12}$/),
        fc.constantFrom('chrome.exe', 'firefox.exe', 'msedge.exe', 'brave.exe'),
        (folder, name) => {
          expect(judge({ image: `C:\\Users\\${folder}\\${name}`, ...GOOGLE }).class).not.toBe('browser');
        },
      ),
    );
  });
});

describe('signers', () => {
  it.each([
    ['Google LLC', 'google llc'],
    ['CN=Google LLC, O=Google LLC, C=US', 'google llc'],
    ['C=US, CN="Acme, Inc."', 'acme, inc.'],
    ['O=Brave, CN=Brave Software, Inc.', 'brave software, inc.'],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s', (text, name) => {
    expect(signerName(text)).toBe(name);
  });
  it('compares whole names; a feed without blanks is understood', () => {
    expect(isSignedBy('GOOGLELLC', ['Google LLC'])).toBe(true);
    expect(isSignedBy('Google LLC Ltd', ['Google LLC'])).toBe(false);
    expect(isSignedBy('Goo gle LLC', ['Google LLC'])).toBe(false);
  });
});

describe('processIdentity', () => {
  const id = (fields: Partial<ProcessRef>): string => processIdentity(process(fields));
  it('is signer, product and name with a valid signature, wherever the program lies', () => {
    const fields = { product: 'Google Chrome', originalName: 'chrome.exe', ...GOOGLE };
    expect(id({ image: CHROME, ...fields })).toBe('signed:google llc|google chrome|chrome.exe');
    expect(id({ image: CHROME.replace('C:', '\\Device\\HarddiskVolume2'), ...fields })).toBe(
      id({ image: CHROME, ...fields }),
    );
  });
  it('folds users, versions and random parts of the folder without one', () => {
    expect(id({ image: 'C:\\Users\\alice\\AppData\\Local\\App\\app-1.2.3\\app.exe' })).toBe(
      id({ image: 'C:\\Users\\bob\\AppData\\Local\\App\\app-1.10.0\\app.exe' }),
    );
    expect(id({ image: 'C:\\Users\\a\\AppData\\Local\\Temp\\is-AB1.tmp\\s.exe' })).toBe(
      'file:s.exe|\\users\\*\\appdata\\local\\temp\\#.tmp',
    );
    expect(id({ image: 'C:\\Users\\Public\\x.exe' })).not.toBe(id({ image: 'C:\\Users\\bob\\x.exe' }));
  });
  it('does not hand the identity of the genuine tool to a copy', () => {
    const genuine = id({
      image: 'C:\\Windows\\System32\\curl.exe',
      originalName: 'curl.exe',
      ...signed('Microsoft Windows'),
    });
    expect(
      id({ image: 'C:\\Users\\Public\\a.exe', originalName: 'curl.exe', ...signed('Microsoft Windows') }),
    ).not.toBe(genuine);
    expect(id({ image: 'C:\\Users\\Public\\curl.exe', originalName: 'curl.exe' })).not.toBe(genuine);
    const svchost = id({
      image: 'C:\\Windows\\System32\\svchost.exe',
      originalName: 'svchost.exe',
      ...signed('Microsoft Windows'),
    });
    expect(
      id({ image: 'C:\\Users\\Public\\svchost.exe', originalName: 'certutil.exe', ...signed('Microsoft Windows') }),
    ).not.toBe(svchost);
    expect(id({ image: 'C:\\Users\\Public\\chrome.exe', ...signed('Evil GmbH') })).not.toBe(
      id({ image: CHROME, ...GOOGLE }),
    );
    expect(id({ image: CHROME, signer: 'Google LLC', signatureStatus: 'invalid' })).not.toBe(
      id({ image: CHROME, ...GOOGLE }),
    );
  });
  it('cannot be forged through the version resource', () => {
    expect(id({ image: 'C:\\x\\e.exe', product: 'a|chrome.exe', ...signed('Evil') })).toBe(
      'signed:evil|a chrome.exe|e.exe',
    );
  });
  it('is unknown when nothing is', () => {
    expect(processIdentity({ entityId: 'x', entityKind: 'none' })).toBe('unknown');
  });
});
