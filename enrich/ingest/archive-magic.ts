/** Content types of archives by their first bytes, in hexadecimal (STAGING 2). */
const MAGIC: readonly (readonly [hex: string, mimeType: string])[] = [
  ['504b0304', 'application/zip'],
  ['504b0506', 'application/zip'],
  ['504b0708', 'application/zip'],
  ['377abcaf271c', 'application/x-7z-compressed'],
  ['526172211a0700', 'application/vnd.rar'],
  ['526172211a070100', 'application/vnd.rar'],
  ['4d534346', 'application/vnd.ms-cab-compressed'],
  ['49536328', 'application/x-installshield-cab'],
  ['1f8b', 'application/gzip'],
  ['fd377a585a00', 'application/x-xz'],
  ['425a68', 'application/x-bzip2'],
  ['28b52ffd', 'application/zstd'],
  ['04224d18', 'application/x-lz4'],
  ['4c5a4950', 'application/x-lzip'],
  ['1f9d', 'application/x-compress'],
  ['1fa0', 'application/x-compress'],
  ['78617221', 'application/x-xar'],
  ['303730373037', 'application/x-cpio'],
  ['4d5357494d', 'application/x-ms-wim'],
  ['636f6e6563746978', 'application/x-vhd'],
];
/** Magic that stands further in: two bytes for LHA, seven for ACE. */
const LHA = /^.{4}2d6c68[0-9a-f]{2}2d/;
const ACE = /^.{14}2a2a4143452a2a/;

/** Type of an archive from the first bytes of a file, given in hexadecimal; undefined when they are of no archive. */
export function archiveTypeOfHeader(hex: string): string | undefined {
  const head = hex
    .slice(0, 64)
    .replace(/[\s:-]/g, '')
    .toLowerCase();
  if (!/^[0-9a-f]+$/.test(head)) return undefined;
  const found = MAGIC.find(([magic]) => head.startsWith(magic));
  if (found) return found[1];
  if (LHA.test(head)) return 'application/x-lzh-compressed';
  return ACE.test(head) ? 'application/x-ace-compressed' : undefined;
}

/** Documents and packages that are zip files by design; the magic alone would call each of them an archive. */
const ZIP_BY_DESIGN =
  /\.(?:docx|docm|dotx|dotm|xlsx|xlsm|xlsb|xltx|pptx|pptm|potx|ppsx|vsdx|odt|ods|odp|odg|jar|war|ear|apk|aab|nupkg|vsix|epub|whl|msix|appx|msixbundle|appxbundle|xpi|crx|ipa|kmz|xps|oxps)$/i;

/** Type of the archive that a file is by its first bytes, unless its name says that it is a document made of a zip. */
export function archiveTypeOfFile(hex: string, path: string): string | undefined {
  const type = archiveTypeOfHeader(hex);
  return type === 'application/zip' && ZIP_BY_DESIGN.test(path) ? undefined : type;
}

/** Type by the word a vendor uses for it (`zip`, `SevenZip`, `7Z`, `RAR`, …). */
const WORDS = new Map([
  ['zip', 'application/zip'],
  ['7z', 'application/x-7z-compressed'],
  ['7zip', 'application/x-7z-compressed'],
  ['sevenzip', 'application/x-7z-compressed'],
  ['rar', 'application/vnd.rar'],
  ['cab', 'application/vnd.ms-cab-compressed'],
  ['gz', 'application/gzip'],
  ['gzip', 'application/gzip'],
  ['tar', 'application/x-tar'],
  ['bz2', 'application/x-bzip2'],
  ['bzip2', 'application/x-bzip2'],
  ['xz', 'application/x-xz'],
  ['zstd', 'application/zstd'],
  ['arj', 'application/x-arj'],
  ['arc', 'application/x-freearc'],
  ['ace', 'application/x-ace-compressed'],
  ['lzh', 'application/x-lzh-compressed'],
  ['lha', 'application/x-lzh-compressed'],
  ['iso', 'application/x-iso9660-image'],
  ['img', 'application/x-raw-disk-image'],
  ['wim', 'application/x-ms-wim'],
  ['vhd', 'application/x-vhd'],
]);

export const archiveTypeOfWord = (word: string): string | undefined =>
  WORDS.get(word.trim().toLowerCase().replace(/^\./, ''));
