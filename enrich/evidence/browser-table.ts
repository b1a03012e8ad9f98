import { type PathPattern, pathPatterns } from './path-pattern.ts';

/**
 * Browsers, their helpers and engines on Windows: names, signers, folders. Sources: the vendors' installers and
 * documentation, certificate subjects as public rules name them, ATT&CK T1036.005. Signers are compared whole: anyone
 * can buy a certificate with a similar name. Fleets add their own rows through configuration.
 */
export const BROWSER_TABLE_VERSION = '2026.1';

/** Stack that makes the TLS handshake; the learned JA4 families use these names. */
export type EngineFamily = 'chromium' | 'gecko' | 'schannel' | 'webkit';

export interface Browser {
  readonly product: string;
  readonly images: readonly string[];
  readonly originalNames: readonly string[];
  readonly signers: readonly string[];
  /** Folders that only an administrator can write. */
  readonly paths: readonly PathPattern[];
  /** Per-user installs: the product's own place, but the user (and what runs as the user) can write it. */
  readonly userPaths: readonly PathPattern[];
  readonly engine: EngineFamily;
  /** Runs from anywhere by design. */
  readonly portable?: boolean;
}

interface Row {
  product: string;
  images: string;
  originals?: string;
  signers: string[];
  /** Below both Program Files folders. */
  pf?: string[];
  /** Below the user's AppData\Local. */
  local?: string[];
  /** Anywhere else, whole patterns. */
  other?: string[];
  engine?: EngineFamily;
  portable?: boolean;
}

const browser = (row: Row): Browser => ({
  product: row.product,
  images: row.images.split(' '),
  originalNames: (row.originals ?? row.images).split(' '),
  signers: row.signers,
  paths: pathPatterns([...programFiles(row.pf ?? []), ...(row.other ?? [])]),
  userPaths: pathPatterns((row.local ?? []).map((folder) => `\\users\\*\\appdata\\local\\${folder}\\**`)),
  engine: row.engine ?? 'chromium',
  ...(row.portable === undefined ? {} : { portable: row.portable }),
});

const programFiles = (folders: readonly string[]): string[] =>
  folders.flatMap((folder) => [`\\program files\\${folder}\\**`, `\\program files (x86)\\${folder}\\**`]);

const MICROSOFT = ['Microsoft Corporation', 'Microsoft Windows'];

export const BROWSERS: readonly Browser[] = [
  browser({
    product: 'Google Chrome',
    images: 'chrome.exe',
    signers: ['Google LLC', 'Google Inc'],
    pf: ['google\\chrome*\\application'],
    local: ['google\\chrome*\\application'],
  }),
  browser({
    product: 'Microsoft Edge',
    images: 'msedge.exe',
    signers: MICROSOFT,
    pf: ['microsoft\\edge*\\application', 'microsoft\\edgecore'],
    local: ['microsoft\\edge*\\application'],
  }),
  browser({
    product: 'Microsoft Edge Legacy',
    images: 'microsoftedge.exe microsoftedgecp.exe microsoftedgesh.exe browser_broker.exe',
    signers: MICROSOFT,
    other: [
      '\\windows\\systemapps\\microsoft.microsoftedge_*\\**',
      '\\windows\\system32\\microsoftedgecp.exe',
      '\\windows\\system32\\microsoftedgesh.exe',
      '\\windows\\system32\\browser_broker.exe',
    ],
    engine: 'schannel',
  }),
  browser({
    product: 'Internet Explorer',
    images: 'iexplore.exe',
    signers: MICROSOFT,
    pf: ['internet explorer'],
    engine: 'schannel',
  }),
  browser({
    product: 'Firefox',
    images: 'firefox.exe',
    signers: ['Mozilla Corporation'],
    pf: ['mozilla firefox', 'firefox nightly', 'firefox developer edition', 'mozilla firefox esr'],
    local: ['mozilla firefox', 'firefox nightly'],
    engine: 'gecko',
  }),
  browser({
    product: 'Brave',
    images: 'brave.exe',
    signers: ['Brave Software, Inc.'],
    pf: ['bravesoftware\\brave-browser*\\application'],
    local: ['bravesoftware\\brave-browser*\\application'],
  }),
  browser({
    product: 'Opera',
    images: 'opera.exe',
    signers: ['Opera Norway AS', 'Opera Software AS'],
    pf: ['opera*'],
    local: ['programs\\opera*'],
  }),
  browser({
    product: 'Vivaldi',
    images: 'vivaldi.exe',
    signers: ['Vivaldi Technologies AS'],
    pf: ['vivaldi\\application'],
    local: ['vivaldi\\application'],
  }),
  browser({
    product: 'Naver Whale',
    images: 'whale.exe',
    signers: ['NAVER Corp.'],
    pf: ['naver\\naver whale\\application'],
    local: ['naver\\naver whale\\application'],
  }),
  browser({
    product: 'Island',
    images: 'island.exe',
    signers: ['Island Technology Inc.'],
    pf: ['island\\island\\application'],
    local: ['island\\island\\application'],
  }),
  browser({
    product: 'Yandex Browser',
    images: 'browser.exe',
    signers: ['YANDEX LLC', 'Yandex LLC'],
    pf: ['yandex\\yandexbrowser\\application'],
    local: ['yandex\\yandexbrowser\\application'],
  }),
  browser({
    product: 'Waterfox',
    images: 'waterfox.exe',
    signers: ['WATERFOX LIMITED', 'BrowserWorks Limited'],
    pf: ['waterfox*'],
    local: ['waterfox*'],
    engine: 'gecko',
  }),
  browser({
    product: 'SeaMonkey',
    images: 'seamonkey.exe',
    signers: [],
    pf: ['seamonkey'],
    engine: 'gecko',
  }),
  browser({
    product: 'Pale Moon',
    images: 'palemoon.exe',
    signers: ['Mark Straver'],
    pf: ['pale moon'],
    engine: 'gecko',
  }),
  browser({
    product: 'Zen Browser',
    images: 'zen.exe',
    signers: [],
    pf: ['zen browser'],
    local: ['zen browser'],
    engine: 'gecko',
  }),
  browser({
    product: 'LibreWolf',
    images: 'librewolf.exe',
    signers: [],
    pf: ['librewolf'],
    local: ['librewolf'],
    engine: 'gecko',
  }),
  browser({
    product: 'Arc',
    images: 'arc.exe',
    signers: ['The Browser Company of New York Inc.'],
    other: ['\\program files\\windowsapps\\thebrowsercompany.arc_*\\**'],
  }),
  browser({
    product: 'DuckDuckGo',
    images: 'duckduckgo.exe',
    signers: ['Duck Duck Go, Inc.'],
    other: ['\\program files\\windowsapps\\duckduckgo.desktopbrowser_*\\**'],
  }),
  browser({
    product: 'Maxthon',
    images: 'maxthon.exe',
    signers: [],
    pf: ['maxthon*'],
    local: ['maxthon\\application'],
  }),
  browser({
    product: 'Safari',
    images: 'safari.exe',
    signers: ['Apple Inc.'],
    pf: ['safari'],
    engine: 'webkit',
  }),
  browser({
    product: 'Chromium',
    images: 'chromium.exe',
    originals: 'chrome.exe chromium.exe',
    signers: [],
    pf: ['chromium\\application'],
    local: ['chromium\\application'],
  }),
];

/** Tor Browser is Firefox by name and may lie anywhere; its folder names are its own. */
export const PORTABLE_PATHS: readonly PathPattern[] = pathPatterns([
  '\\users\\*\\desktop\\tor browser\\browser\\firefox.exe',
  '\\users\\*\\*\\tor browser\\browser\\firefox.exe',
]);

/** One engine for many applications: it is judged as the application that hosts it. */
export const WEBVIEW2: Browser = browser({
  product: 'Microsoft Edge WebView2',
  images: 'msedgewebview2.exe',
  signers: MICROSOFT,
  pf: ['microsoft\\edgewebview\\application', 'microsoft\\edge*\\application', 'microsoft\\edgecore'],
  other: ['\\windows\\system32\\microsoft-edge-webview\\**'],
});

/** Engines that never go by their own name: CEF in Acrobat, automation builds of Chromium. */
export const ENGINE_IMAGES: ReadonlyMap<string, string> = new Map([
  ['acrocef.exe', 'Adobe Acrobat'],
  ['rdrcef.exe', 'Adobe Acrobat Reader'],
  ['cefsharp.browsersubprocess.exe', 'a CefSharp application'],
  ['qtwebengineprocess.exe', 'a Qt application'],
  ['steamwebhelper.exe', 'Steam'],
  ['chrome-headless-shell.exe', 'browser automation'],
  ['chrome_headless_shell.exe', 'browser automation'],
]);

/** Copies of Chromium that tools bring along; automation, not browsing. */
export const AUTOMATION_PATHS: readonly PathPattern[] = pathPatterns([
  '\\users\\*\\appdata\\local\\ms-playwright\\**',
  '\\users\\*\\.cache\\puppeteer\\**',
  '\\users\\*\\.wdm\\**',
  '\\program files\\hp\\sure click\\**',
  '\\program files\\dynatrace\\**',
  '\\program files\\burpsuite*\\**',
  '\\users\\*\\appdata\\local\\burpsuite\\**',
]);

/** Updaters, crash reporters and launchers of browsers. Their destinations are few; they have no reason to follow staging. */
export const BROWSER_HELPERS: ReadonlySet<string> = new Set(
  'googleupdate.exe googleupdateondemand.exe googleupdatebroker.exe googlecrashhandler.exe googlecrashhandler64.exe updater.exe microsoftedgeupdate.exe microsoftedgeupdatecore.exe mini_installer.exe setup.exe identity_helper.exe msedge_proxy.exe chrome_proxy.exe elevation_service.exe notification_helper.exe chrmstp.exe chrome_pwa_launcher.exe maintenanceservice.exe maintenanceservice_installer.exe pingsender.exe default-browser-agent.exe plugin-container.exe minidump-analyzer.exe crashreporter.exe braveupdate.exe bravecrashhandler.exe bravecrashhandler64.exe browser_assistant.exe opera_autoupdate.exe opera_crashreporter.exe assistant_installer.exe vivaldi_proxy.exe update_notifier.exe cookie_exporter.exe ie_to_edge_stub.exe bho.exe'.split(
    ' ',
  ),
);

/** Installers named after their version: `MicrosoftEdge_X64_120.0.2210.61.exe`. */
export const HELPER_GLOBS = [
  'microsoftedge_x64_*.exe',
  'microsoftedge_x86_*.exe',
  '*_chrome_installer*.exe',
  'chrome_installer.exe',
];

/** Where helpers live besides their browser's own folders. */
export const HELPER_PATHS: readonly PathPattern[] = pathPatterns([
  ...programFiles([
    'google\\update',
    'google\\googleupdater',
    'google\\chrome*\\application',
    'microsoft\\edgeupdate',
    'microsoft\\edge*\\application',
    'microsoft\\edgewebview\\application',
    'mozilla firefox',
    'mozilla maintenance service',
    'bravesoftware',
    'opera*',
    'vivaldi',
  ]),
  ...[
    'google\\update',
    'google\\googleupdater',
    'microsoft\\edgeupdate',
    'programs\\opera*',
    'vivaldi',
    'bravesoftware',
  ].map((folder) => `\\users\\*\\appdata\\local\\${folder}\\**`),
  '\\program files (x86)\\microsoft\\temp\\**',
  '\\windows\\temp\\cr_*.tmp\\**',
  '\\windows\\systemtemp\\**',
  '\\users\\*\\appdata\\local\\temp\\cr_*.tmp\\**',
]);

/** Signers of helpers: those of all browsers. */
export const HELPER_SIGNERS: ReadonlySet<string> = new Set(BROWSERS.flatMap((entry) => entry.signers));
