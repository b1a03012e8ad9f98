/** Programs of the simulated organisation, as an endpoint feed describes them. */

/** Hellos by TLS library, from public lists and our own recordings; the first part depends on whether a name is sent. */
export const HELLOS = {
  chromium: '1516h2_8daaf6152771_cb7bf5808d99',
  gecko: '1717h2_86a278354501_3cbfd9057e0d',
  schannel: '1909h2_d83cc789557e_7af1ed941c26',
  go: '1909h2_9dc949149365_97f8aa674fd9',
  python: '1811h1_e8f1e7e78f70_d41ae481755e',
  openssl: '3112h2_e8f1e7e78f70_b26ce05bbdd6',
  node: '5212h2_a33745022dd6_1f22a2ca17c4',
  java: '491100_bd868743f55c_fa269c3d986d',
} as const;

export type Hello = keyof typeof HELLOS;

export interface Program {
  readonly image: string;
  readonly originalName?: string;
  readonly product?: string;
  readonly company?: string;
  /** Absent: not signed. */
  readonly signer?: string;
  readonly hello: Hello;
  /** Runs as the system and not as the user. */
  readonly system?: boolean;
}

const PF = 'C:\\Program Files';
const SYS = 'C:\\Windows\\System32';
/** `~` stands for the profile of the user. */
const LOCAL = '~\\AppData\\Local';
const MS = 'Microsoft Corporation';
const WINDOWS = 'Microsoft Windows';

const program = (
  image: string,
  hello: Hello,
  product?: string,
  signer?: string,
  more: Partial<Program> = {},
): Program => ({
  image,
  hello,
  originalName: image.split('\\').at(-1)!,
  ...(product === undefined ? {} : { product }),
  ...(signer === undefined ? {} : { signer, company: signer }),
  ...more,
});

const system = { system: true };

export const PROGRAMS = {
  explorer: program('C:\\Windows\\explorer.exe', 'schannel', 'Microsoft® Windows® Operating System', WINDOWS),
  services: program(`${SYS}\\services.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS, system),
  svchost: program(`${SYS}\\svchost.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS, system),
  cmd: program(`${SYS}\\cmd.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS, {
    originalName: 'Cmd.Exe',
  }),
  powershell: program(
    `${SYS}\\WindowsPowerShell\\v1.0\\powershell.exe`,
    'schannel',
    'Microsoft® Windows® Operating System',
    WINDOWS,
    { originalName: 'PowerShell.EXE' },
  ),
  rundll32: program(`${SYS}\\rundll32.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS, {
    originalName: 'RUNDLL32.EXE',
  }),
  certutil: program(`${SYS}\\certutil.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS, {
    originalName: 'CertUtil.exe',
  }),
  makecab: program(`${SYS}\\makecab.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS),
  tar: program(`${SYS}\\tar.exe`, 'schannel', 'libarchive', WINDOWS, { originalName: 'bsdtar' }),
  robocopy: program(`${SYS}\\Robocopy.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS),
  bitsadmin: program(`${SYS}\\bitsadmin.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS),
  ssh: program(`${SYS}\\OpenSSH\\ssh.exe`, 'schannel', 'OpenSSH for Windows', WINDOWS),
  curl: program(`${SYS}\\curl.exe`, 'schannel', 'The curl executable', WINDOWS),
  wermgr: program(`${SYS}\\wermgr.exe`, 'schannel', 'Microsoft® Windows® Operating System', WINDOWS, {
    ...system,
    originalName: 'WerMgr',
  }),
  telemetry: program(
    `${SYS}\\CompatTelRunner.exe`,
    'schannel',
    'Microsoft® Windows® Operating System',
    WINDOWS,
    system,
  ),
  defender: program(
    'C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26100.5-0\\MsMpEng.exe',
    'schannel',
    'Microsoft® Windows® Operating System',
    'Microsoft Windows Publisher',
    system,
  ),
  edr: program(`${PF}\\Halden Sensor\\hsensor.exe`, 'openssl', 'Halden Sensor', 'Halden Security AB', system),
  chrome: program(`${PF}\\Google\\Chrome\\Application\\chrome.exe`, 'chromium', 'Google Chrome', 'Google LLC'),
  edge: program('C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe', 'chromium', 'Microsoft Edge', MS),
  firefox: program(`${PF}\\Mozilla Firefox\\firefox.exe`, 'gecko', 'Firefox', 'Mozilla Corporation'),
  googleUpdate: program(
    'C:\\Program Files (x86)\\Google\\GoogleUpdater\\138.0.7156.0\\updater.exe',
    'chromium',
    'Google Updater',
    'Google LLC',
    system,
  ),
  edgeUpdate: program(
    'C:\\Program Files (x86)\\Microsoft\\EdgeUpdate\\MicrosoftEdgeUpdate.exe',
    'schannel',
    'Microsoft Edge Update',
    MS,
    { ...system, originalName: 'msedgeupdate.dll' },
  ),
  outlook: program(`${PF}\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE`, 'schannel', 'Microsoft Outlook', MS, {
    originalName: 'Outlook.exe',
  }),
  excel: program(`${PF}\\Microsoft Office\\root\\Office16\\EXCEL.EXE`, 'schannel', 'Microsoft Office', MS, {
    originalName: 'Excel.exe',
  }),
  teams: program(
    `${PF}\\WindowsApps\\MSTeams_25060.205.3499.6849_x64__8wekyb3d8bbwe\\ms-teams.exe`,
    'chromium',
    'Microsoft Teams',
    MS,
  ),
  onedrive: program(`${PF}\\Microsoft OneDrive\\OneDrive.exe`, 'schannel', 'Microsoft OneDrive', MS),
  slack: program(`${LOCAL}\\slack\\app-4.45.64\\slack.exe`, 'chromium', 'Slack', 'Slack Technologies, LLC'),
  zoom: program('~\\AppData\\Roaming\\Zoom\\bin\\Zoom.exe', 'openssl', 'Zoom Workplace', 'Zoom Communications, Inc.'),
  dropbox: program('C:\\Program Files (x86)\\Dropbox\\Client\\Dropbox.exe', 'openssl', 'Dropbox', 'Dropbox, Inc'),
  backup: program(
    `${PF}\\Calyx Backup\\calyxagent.exe`,
    'go',
    'Calyx Backup Agent',
    'Calyx Data Protection GmbH',
    system,
  ),
  logShipper: program(`${PF}\\Elastic\\Agent\\elastic-agent.exe`, 'go', 'Elastic Agent', 'Elasticsearch, Inc.', system),
  monitor: program(`${PF}\\Zabbix Agent 2\\zabbix_agent2.exe`, 'openssl', 'Zabbix', 'Zabbix SIA', system),
  sevenZip: program(`${PF}\\7-Zip\\7z.exe`, 'schannel', '7-Zip', undefined, { company: 'Igor Pavlov' }),
  sevenZipGui: program(`${PF}\\7-Zip\\7zG.exe`, 'schannel', '7-Zip', undefined, { company: 'Igor Pavlov' }),
  rar: program(`${PF}\\WinRAR\\Rar.exe`, 'schannel', 'WinRAR', 'win.rar GmbH', { originalName: 'Rar.exe' }),
  node: program(`${PF}\\nodejs\\node.exe`, 'node', 'Node.js', 'OpenJS Foundation'),
  python: program(
    `${LOCAL}\\Programs\\Python\\Python312\\python.exe`,
    'python',
    'Python',
    'Python Software Foundation',
  ),
  dotnet: program(`${PF}\\dotnet\\dotnet.exe`, 'schannel', 'Microsoft® .NET', MS, { originalName: '.NET Host' }),
  winget: program(
    `${PF}\\WindowsApps\\Microsoft.DesktopAppInstaller_1.25.390.0_x64__8wekyb3d8bbwe\\winget.exe`,
    'schannel',
    'Microsoft Desktop App Installer',
    MS,
  ),
  git: program(`${PF}\\Git\\cmd\\git.exe`, 'openssl', 'Git', 'Johannes Schindelin'),
  gitRemote: program(
    `${PF}\\Git\\mingw64\\libexec\\git-core\\git-remote-https.exe`,
    'openssl',
    'Git',
    'Johannes Schindelin',
  ),
  code: program(`${LOCAL}\\Programs\\Microsoft VS Code\\Code.exe`, 'chromium', 'Visual Studio Code', MS, {
    originalName: 'electron.exe',
  }),
  idea: program(`${PF}\\JetBrains\\IntelliJ IDEA 2026.1\\bin\\idea64.exe`, 'java', 'IntelliJ IDEA', 'JetBrains s.r.o.'),
  java: program(
    `${PF}\\Eclipse Adoptium\\jdk-21.0.5.11-hotspot\\bin\\java.exe`,
    'java',
    'OpenJDK Platform',
    'Eclipse.org Foundation, Inc.',
  ),
  docker: program(`${PF}\\Docker\\Docker\\resources\\com.docker.backend.exe`, 'go', 'Docker Desktop', 'Docker Inc'),
  aws: program(
    `${PF}\\Amazon\\AWSCLIV2\\aws.exe`,
    'python',
    'AWS Command Line Interface',
    'Amazon Web Services, Inc.',
    { originalName: 'aws.exe' },
  ),
  azcopy: program(`${PF}\\azcopy\\azcopy.exe`, 'go', undefined, MS),
  gh: program(`${PF}\\GitHub CLI\\gh.exe`, 'go', 'GitHub CLI', 'GitHub, Inc.'),
  winscp: program('C:\\Program Files (x86)\\WinSCP\\WinSCP.exe', 'openssl', 'WinSCP', 'Martin Prikryl', {
    originalName: 'winscp.exe',
  }),
  filezilla: program(`${PF}\\FileZilla FTP Client\\filezilla.exe`, 'openssl', 'FileZilla', 'Tim Kosse'),
  ledger: program(`${PF}\\Tarnow Ledger\\TarnowTransfer.exe`, 'schannel', 'Tarnow Ledger', 'Tarnow Software SE'),
  sqlservr: program(
    `${PF}\\Microsoft SQL Server\\MSSQL16.MSSQLSERVER\\MSSQL\\Binn\\sqlservr.exe`,
    'schannel',
    'Microsoft SQL Server',
    MS,
    system,
  ),
} satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

/** Image names that rules of today take for browsers. */
export const BROWSER_IMAGES: ReadonlySet<string> = new Set([
  'chrome.exe',
  'msedge.exe',
  'firefox.exe',
  'brave.exe',
  'opera.exe',
  'iexplore.exe',
]);
