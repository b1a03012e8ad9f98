/**
 * The mapping table: which Windows program each real Linux program stands for in the endpoint logs. The process, its
 * pid, parent, times, sockets and files are real; the names, signers and version strings in this table are not.
 */
export interface Program {
  /** Windows path; `%USERPROFILE%` is the user's profile. */
  readonly image: string;
  readonly originalName: string;
  readonly product: string;
  readonly company: string;
  readonly description: string;
  readonly version: string;
  /** Subject of a valid signature; absent = unsigned. */
  readonly signer?: string;
  /** The Linux program, for the table in the README. */
  readonly linux: string;
  /** Program whose hashes this one has, when it is a copy under another name. */
  readonly copyOf?: string;
  /** What a descendant that owns a socket stands for (git-remote-https, the browser's network service). */
  readonly helper?: string;
  /** Arguments of such a descendant, as its command line shows them. */
  readonly helperArguments?: string;
}

const windows = (image: string, description: string, linux: string, version = '10.0.22631.3296'): Program => ({
  image,
  originalName: image.slice(image.lastIndexOf('\\') + 1),
  product: 'Microsoft® Windows® Operating System',
  company: 'Microsoft Corporation',
  description,
  version,
  signer: 'Microsoft Windows',
  linux,
});

const signed = (
  image: string,
  product: string,
  company: string,
  linux: string,
  version: string,
  helper?: string,
): Program => ({
  image,
  originalName: image.slice(image.lastIndexOf('\\') + 1),
  product,
  company,
  description: product,
  version,
  signer: company,
  linux,
  ...(helper === undefined ? {} : { helper }),
});

const unsigned = (image: string, product: string, company: string, linux: string, version: string): Program => {
  const { signer: _none, ...rest } = signed(image, product, company, linux, version);
  return rest;
};

const CHROME = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';
const RCLONE_TEXT = {
  product: 'Rclone',
  company: 'https://rclone.org',
  description: 'Rsync for cloud storage',
} as const;

export const PROGRAMS: ReadonlyMap<string, Program> = new Map([
  ['explorer', windows('C:\\Windows\\explorer.exe', 'Windows Explorer', 'bash (session root)')],
  ['services', windows('C:\\Windows\\System32\\services.exe', 'Services and Controller app', 'bash (session root)')],
  [
    'powershell',
    windows('C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe', 'Windows PowerShell', 'bash'),
  ],
  ['cmd', windows('C:\\Windows\\System32\\cmd.exe', 'Windows Command Processor', 'bash')],
  ['curl', windows('C:\\Windows\\System32\\curl.exe', 'The curl executable', 'curl', '8.4.0')],
  ['tar', { ...windows('C:\\Windows\\System32\\tar.exe', 'bsdtar archive tool', 'tar'), originalName: 'bsdtar' }],
  [
    'certutil',
    {
      ...windows('C:\\Windows\\System32\\certutil.exe', 'CertUtil.exe', 'openssl base64'),
      originalName: 'CertUtil.exe',
    },
  ],
  [
    'chrome',
    {
      ...signed(CHROME, 'Google Chrome', 'Google LLC', 'chromium', '156.0.8078.79', 'chrome-network'),
      helperArguments: '--type=utility --utility-sub-type=network.mojom.NetworkService --service-sandbox-type=none',
    },
  ],
  ['chrome-network', signed(CHROME, 'Google Chrome', 'Google LLC', 'chromium network service', '156.0.8078.79')],
  [
    'firefox',
    signed(
      'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
      'Firefox',
      'Mozilla Corporation',
      'firefox-esr',
      '153.7.0',
    ),
  ],
  ['7z', unsigned('C:\\Program Files\\7-Zip\\7z.exe', '7-Zip', 'Igor Pavlov', '7z', '26.02')],
  ['7zg', unsigned('C:\\Program Files\\7-Zip\\7zG.exe', '7-Zip', 'Igor Pavlov', 'zip', '26.02')],
  [
    'git',
    {
      ...signed(
        'C:\\Program Files\\Git\\mingw64\\bin\\git.exe',
        'Git',
        'Johannes Schindelin',
        'git',
        '2.39.5',
        'git-remote-https',
      ),
      helperArguments: 'origin https://git.codeforge.example/git/ledger.git',
    },
  ],
  [
    'git-remote-https',
    signed(
      'C:\\Program Files\\Git\\mingw64\\libexec\\git-core\\git-remote-https.exe',
      'Git',
      'Johannes Schindelin',
      'git-remote-https',
      '2.39.5',
    ),
  ],
  ['node', signed('C:\\Program Files\\nodejs\\node.exe', 'Node.js', 'OpenJS Foundation', 'node', '20.20.2')],
  [
    'python',
    signed(
      '%USERPROFILE%\\AppData\\Local\\Programs\\Python\\Python311\\python.exe',
      'Python',
      'Python Software Foundation',
      'python3',
      '3.11.2',
    ),
  ],
  [
    'openssl',
    unsigned(
      'C:\\Program Files\\OpenSSL-Win64\\bin\\openssl.exe',
      'The OpenSSL Toolkit',
      'The OpenSSL Project',
      'openssl s_client',
      '3.0.19',
    ),
  ],
  ['wget', unsigned('C:\\Tools\\wget.exe', 'Wget', 'GNU', 'wget', '1.21.3')],
  ['gnutls-cli', unsigned('C:\\Tools\\gnutls-cli.exe', 'GnuTLS', 'GNU', 'gnutls-cli', '3.7.9')],
  [
    'rclone',
    {
      ...unsigned(
        '%USERPROFILE%\\Downloads\\rclone-v1.60.1-windows-amd64\\rclone.exe',
        'Rclone',
        'rclone',
        'rclone',
        '1.60.1',
      ),
      ...RCLONE_TEXT,
    },
  ],
  [
    'rclone-renamed',
    {
      ...unsigned('C:\\ProgramData\\Intel\\igfxsync.exe', 'Rclone', 'rclone', 'rclone copied to igfxsync', '1.60.1'),
      ...RCLONE_TEXT,
      originalName: 'rclone.exe',
      copyOf: 'rclone',
    },
  ],
  [
    'cloudmail',
    signed(
      'C:\\Program Files\\CloudOffice\\cloudmail.exe',
      'CloudOffice Mail',
      'CloudOffice Inc.',
      'node',
      '16.0.17328',
    ),
  ],
  [
    'teamtalk',
    signed('%USERPROFILE%\\AppData\\Local\\TeamTalk\\teamtalk.exe', 'TeamTalk', 'TeamTalk B.V.', 'node', '4.38.1'),
  ],
  [
    'clouddrive',
    signed(
      'C:\\Program Files\\CloudDrive\\CloudDrive.exe',
      'CloudDrive sync client',
      'CloudDrive AG',
      'python3',
      '24.3.1',
    ),
  ],
  [
    'fleetcare',
    signed(
      'C:\\Program Files\\FleetCare\\fcagent.exe',
      'FleetCare device agent',
      'FleetCare Ltd',
      'gnutls-cli',
      '7.2.0',
    ),
  ],
  [
    'updater',
    signed(
      'C:\\Program Files (x86)\\BrowserCorp\\Update\\bcupdate.exe',
      'BrowserCorp Update',
      'BrowserCorp Ltd',
      'wget',
      '1.3.36',
    ),
  ],
  ['sysupdate', windows('C:\\Windows\\System32\\usoclient.exe', 'UsoClient', 'wget')],
  [
    'vaultkeeper',
    signed(
      'C:\\Program Files\\VaultKeeper\\vkagent.exe',
      'VaultKeeper backup agent',
      'VaultKeeper GmbH',
      'rclone',
      '11.0.2',
    ),
  ],
  [
    'vaultpack',
    signed('C:\\Program Files\\VaultKeeper\\vkpack.exe', 'VaultKeeper packer', 'VaultKeeper GmbH', '7z', '11.0.2'),
  ],
  [
    'reports',
    signed(
      'C:\\Program Files\\Halden\\ReportPush\\reportpush.exe',
      'Halden report push',
      'Halden AS',
      'python3',
      '3.4.0',
    ),
  ],
  [
    'printwerk',
    signed('C:\\Program Files\\Printwerk\\pwassist.exe', 'Printwerk assistant', 'Printwerk GmbH', 'curl', '5.1.7'),
  ],
]);

export function program(key: string): Program {
  const found = PROGRAMS.get(key);
  if (found === undefined) throw new Error(`no program ${key} in the mapping table`);
  return found;
}
