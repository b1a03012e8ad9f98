/**
 * Programs that carry data out, and programs of Windows that can be made to. Sources: the tools' manuals and version
 * resources; ATT&CK T1048, T1567, T1572; LOLBAS (as names of programs and switches, nothing of its text).
 */
export const TOOL_TABLE_VERSION = '2026.1';

export type ToolFamily =
  | 'cloud-sync'
  | 'file-transfer'
  | 'web-client'
  | 'backup'
  | 'tunnel'
  | 'p2p'
  | 'mailer'
  | 'script-host'
  | 'windows-utility';

export interface UploadTool {
  readonly tool: string;
  readonly family: ToolFamily;
  readonly names: readonly string[];
  /** OriginalFileName, lower case, `*` for any run. */
  readonly originalNames: readonly string[];
  /** Lower-case text of description or product. */
  readonly descriptions: readonly string[];
  /** Reader of upload-verb.ts that knows when this tool sends. */
  readonly verbs: VerbGrammar;
}

export type VerbGrammar =
  | 'always'
  | 'curl'
  | 'wget'
  | 'rclone'
  | 'restic'
  | 'bitsadmin'
  | 'certreq'
  | 'config-security-policy'
  | 'datasvcutil'
  | 'powershell-web'
  | 'winscp'
  | 'scp'
  | 'ftp'
  | 'azcopy'
  | 'aws'
  | 'python'
  | 'ssh'
  | 'openssl'
  | 'netcat'
  | 'tunnel';

type Line = readonly [
  tool: string,
  family: ToolFamily,
  verbs: VerbGrammar,
  names: string,
  originals: string,
  ...descriptions: string[],
];

const LINES: readonly Line[] = [
  ['rclone', 'cloud-sync', 'rclone', 'rclone', 'rclone.exe', 'rsync for cloud storage', 'rclone'],
  ['MEGAsync', 'cloud-sync', 'always', 'megasync', 'megasync.exe', 'megasync'],
  ['MEGAcmd', 'cloud-sync', 'always', 'megacmd megacmdserver mega-put megaput megaclient', 'megacmd*.exe', 'megacmd'],
  ['restic', 'backup', 'restic', 'restic', 'restic.exe', 'restic'],
  ['Kopia', 'backup', 'always', 'kopia', 'kopia.exe', 'kopia'],
  [
    'Duplicati',
    'backup',
    'always',
    'duplicati duplicati.commandline duplicati.gui.trayicon',
    'duplicati*.exe',
    'duplicati',
  ],
  ['WinSCP', 'file-transfer', 'winscp', 'winscp', 'winscp.exe winscp.com', 'winscp'],
  ['FileZilla', 'file-transfer', 'always', 'filezilla fzsftp', 'filezilla.exe', 'filezilla'],
  [
    'PuTTY copy',
    'file-transfer',
    'scp',
    'pscp psftp',
    'pscp psftp',
    'command-line scp/sftp client',
    'command-line sftp client',
  ],
  ['OpenSSH copy', 'file-transfer', 'scp', 'scp sftp', 'scp.exe sftp.exe'],
  ['FTP client', 'file-transfer', 'ftp', 'ftp ncftpput lftp', 'ftp.exe', 'file transfer program'],
  ['FreeFileSync', 'file-transfer', 'always', 'freefilesync freefilesync_x64', 'freefilesync*.exe', 'freefilesync'],
  ['GoodSync', 'file-transfer', 'always', 'goodsync gsync', 'goodsync*.exe', 'goodsync'],
  ['S3 Browser', 'cloud-sync', 'always', 's3browser s3browser-con s3browser-win32', 's3browser*.exe', 's3 browser'],
  ['Cyberduck', 'file-transfer', 'always', 'cyberduck duck', 'cyberduck.exe duck.exe', 'cyberduck'],
  ['AzCopy', 'cloud-sync', 'azcopy', 'azcopy azcopy10', 'azcopy.exe', 'azcopy'],
  [
    'Azure Storage Explorer',
    'cloud-sync',
    'always',
    'storageexplorer',
    'storageexplorer.exe',
    'azure storage explorer',
  ],
  ['cloud command line', 'cloud-sync', 'aws', 'aws gsutil gcloud s3cmd s5cmd mc b2 az', 'aws.exe s5cmd.exe'],
  ['curl', 'web-client', 'curl', 'curl curl64 curl-x64', 'curl.exe curl', 'the curl executable', 'the curl library'],
  ['wget', 'web-client', 'wget', 'wget wget2 wget64', 'wget.exe'],
  [
    'PowerShell',
    'script-host',
    'powershell-web',
    'powershell pwsh powershell_ise',
    'powershell.exe pwsh.dll powershell_ise.exe',
  ],
  ['Python', 'script-host', 'python', 'python python3 pythonw py', 'python.exe pythonw.exe py.exe'],
  ['bitsadmin', 'windows-utility', 'bitsadmin', 'bitsadmin', 'bitsadmin.exe', 'bits administration utility'],
  ['certreq', 'windows-utility', 'certreq', 'certreq', 'certreq.exe'],
  [
    'ConfigSecurityPolicy',
    'windows-utility',
    'config-security-policy',
    'configsecuritypolicy',
    'configsecuritypolicy.exe',
  ],
  ['DataSvcUtil', 'windows-utility', 'datasvcutil', 'datasvcutil', 'datasvcutil.exe'],
  ['OpenSSL client', 'web-client', 'openssl', 'openssl', 'openssl.exe', 'openssl application'],
  ['netcat', 'file-transfer', 'netcat', 'nc nc64 ncat netcat socat', 'nc.exe ncat.exe', 'ncat'],
  [
    'ssh',
    'tunnel',
    'ssh',
    'ssh plink kitty klink',
    'ssh.exe plink plink.exe',
    'command-line ssh, telnet, and rlogin client',
  ],
  ['ngrok', 'tunnel', 'tunnel', 'ngrok', 'ngrok.exe', 'ngrok'],
  ['cloudflared', 'tunnel', 'tunnel', 'cloudflared cloudflared-windows-amd64', 'cloudflared.exe', 'cloudflared'],
  ['dev tunnels', 'tunnel', 'tunnel', 'devtunnel code-tunnel', 'devtunnel.exe code-tunnel.exe'],
  ['chisel', 'tunnel', 'tunnel', 'chisel chisel_windows_amd64', 'chisel.exe'],
  ['frp', 'tunnel', 'tunnel', 'frpc', 'frpc.exe'],
  ['ligolo', 'tunnel', 'tunnel', 'ligolo ligolo-ng', 'ligolo*.exe'],
  ['croc', 'p2p', 'always', 'croc', 'croc.exe'],
  ['Magic Wormhole', 'p2p', 'always', 'wormhole', 'wormhole.exe'],
  ['Syncthing', 'p2p', 'always', 'syncthing', 'syncthing.exe', 'syncthing'],
  [
    'BitTorrent client',
    'p2p',
    'always',
    'utorrent qbittorrent transmission-daemon aria2c',
    'utorrent.exe qbittorrent.exe',
    'bittorrent',
  ],
  ['mailer', 'mailer', 'always', 'blat sendemail mailsend swaks', 'blat.exe mailsend.exe'],
];

const list = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');

export const UPLOAD_TOOLS: readonly UploadTool[] = LINES.map(
  ([tool, family, verbs, names, originals, ...descriptions]) => ({
    tool,
    family,
    verbs,
    names: list(names),
    originalNames: list(originals),
    descriptions,
  }),
);

/**
 * Programs signed by Microsoft that run or carry what others give them, so that their signature says nothing of the
 * deed. Base names with `.exe`.
 */
export const LOLBINS: ReadonlySet<string> = new Set(
  'bitsadmin certutil certreq configsecuritypolicy datasvcutil cmdl32 cmstp control cscript wscript mshta rundll32 regsvr32 regasm regsvcs installutil msbuild msiexec msxsl odbcconf pcalua pcwrun presentationhost mavinject forfiles wmic bash wsl ssh curl tar ftp finger esentutl extrac32 makecab diantz expand replace print findstr hh ieexec imewdbld desktopimgdownldr mpcmdrun powershell pwsh powershell_ise runscripthelper scriptrunner syncappvpublishingserver te tracker verclsid xwizard winget squirrel update vsjitdebugger dnscmd explorer notepad appinstaller msedge_proxy workfolders ttdinject vbc csc jsc dfsvc aspnet_compiler microsoft.workflow.compiler psr infdefaultinstall devicecredentialdeployment conhost fsi fsianycpu rcsi bginfo cdb msdeploy sqldumper teams'
    .split(' ')
    .map((name) => `${name}.exe`),
);

/** Ordinary programs that the long list above holds for rare tricks; alone they are no sign. */
export const ORDINARY_LOLBINS: ReadonlySet<string> = new Set([
  'explorer.exe',
  'teams.exe',
  'msiexec.exe',
  'update.exe',
  'conhost.exe',
]);
