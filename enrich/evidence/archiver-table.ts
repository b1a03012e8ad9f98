/**
 * Programs that make archives, and how to know them when they were renamed. Sources: the tools' own manuals and version
 * resources; ATT&CK T1560.001; LOLBAS pages of makecab, diantz, printbrm and tar. Extractors (unrar, expand, extrac32,
 * Expand-Archive) are missing on purpose: unpacking is no staging.
 */
export interface Archiver {
  readonly tool: string;
  /** Which reader of archive-command.ts understands its arguments. */
  readonly grammar: Grammar;
  /** Program names, lower case, without `.exe`. */
  readonly names: readonly string[];
  /** OriginalFileName of the version resource, lower case, `*` for any run of characters. */
  readonly originalNames: readonly string[];
  /** Lower-case text that the description or product of the version resource contains. */
  readonly descriptions: readonly string[];
}

export type Grammar =
  | '7z'
  | 'rar'
  | 'winzip'
  | 'wzzip'
  | 'tar'
  | 'makecab'
  | 'printbrm'
  | 'info-zip'
  | 'bandizip'
  | 'stream'
  | 'dism'
  | 'compress-archive'
  | 'compress-7zip'
  | 'python'
  | 'certutil'
  | 'openssl'
  | 'gpg';

const row = (
  tool: string,
  grammar: Grammar,
  names: string,
  originalNames: string,
  ...descriptions: string[]
): Archiver => ({
  tool,
  grammar,
  names: words(names),
  originalNames: words(originalNames),
  descriptions,
});

const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');

export const ARCHIVERS: readonly Archiver[] = [
  row('7-Zip', '7z', '7z 7za 7zr 7zg 7zz p7zip nanazipc nanazipg', '7z*.exe', '7-zip', 'nanazip'),
  row('WinRAR', 'rar', 'rar winrar', 'winrar.exe rar.exe', 'command line rar', 'winrar'),
  row('WinZip', 'winzip', 'winzip winzip32 winzip64', 'winzip*.exe', 'winzip executable'),
  row('WinZip command line', 'wzzip', 'wzzip wzzip64', 'wzzip*.exe', 'winzip command line'),
  row('tar', 'tar', 'tar bsdtar gtar', 'bsdtar bsdtar.exe tar.exe', 'bsdtar archive tool'),
  row('makecab', 'makecab', 'makecab diantz', 'makecab.exe diantz.exe', 'cabinet maker'),
  row('PrintBrm', 'printbrm', 'printbrm', 'printbrm.exe'),
  row('Info-ZIP', 'info-zip', 'zip', 'zip.exe', 'info-zip'),
  row('Bandizip', 'bandizip', 'bz bc bandizip', 'bandizip.exe bz.exe bc.exe', 'bandizip'),
  row('stream compressor', 'stream', 'gzip pigz bzip2 xz zstd lz4 brotli', 'gzip.exe zstd.exe'),
  row('DISM', 'dism', 'dism imagex wimlib-imagex', 'dism.exe imagex.exe'),
  row('Compress-Archive', 'compress-archive', 'compress-archive', ''),
  row('Compress-7Zip', 'compress-7zip', 'compress-7zip', ''),
  row('Python', 'python', 'python python3 pythonw py', 'python.exe pythonw.exe py.exe'),
  row('certutil', 'certutil', 'certutil', 'certutil.exe', 'certutil.exe'),
  row('OpenSSL', 'openssl', 'openssl', 'openssl.exe', 'openssl application'),
  row('GnuPG', 'gpg', 'gpg gpg2', 'gpg.exe gpg2.exe', 'gnupg'),
];
