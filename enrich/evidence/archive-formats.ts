import type { WindowsPath } from './windows-path.ts';

/**
 * What files are archives, by name and by content. Sources: the format authors' documentation (PKWARE APPNOTE, 7z, RAR5
 * and MS-CAB notes, RFC 1952), the IANA media-type registry with the names that libmagic prints, and the split-volume
 * names that 7-Zip, RAR and Info-ZIP write.
 */
export type ArchiveFamily =
  /** Made to hold many files. */
  | 'archive'
  /** Compresses one stream; often around a tar. */
  | 'compressed'
  /** Image of a disk or file system. */
  | 'image'
  /** A file format that happens to be an archive: jar, nupkg, docx. */
  | 'package'
  /** An encrypted container or message. */
  | 'encrypted';

export interface ArchiveFormat {
  readonly name: string;
  readonly family: ArchiveFamily;
  readonly extensions: readonly string[];
  readonly mimeTypes: readonly string[];
}

export const ARCHIVE_FORMATS: readonly ArchiveFormat[] = [
  {
    name: 'zip',
    family: 'archive',
    extensions: ['zip', 'zipx'],
    mimeTypes: ['application/zip', 'application/x-zip', 'application/x-zip-compressed'],
  },
  {
    name: '7z',
    family: 'archive',
    extensions: ['7z'],
    mimeTypes: ['application/x-7z-compressed', 'application/x-7z', 'application/7z'],
  },
  {
    name: 'rar',
    family: 'archive',
    extensions: ['rar', 'rev'],
    mimeTypes: ['application/vnd.rar', 'application/x-rar', 'application/x-rar-compressed', 'application/rar'],
  },
  {
    name: 'cab',
    family: 'archive',
    extensions: ['cab'],
    mimeTypes: ['application/vnd.ms-cab-compressed', 'application/x-cab', 'application/x-installshield-cab'],
  },
  { name: 'tar', family: 'archive', extensions: ['tar'], mimeTypes: ['application/x-tar', 'application/x-gtar'] },
  {
    name: 'gzip',
    family: 'compressed',
    extensions: ['gz', 'tgz', 'taz'],
    mimeTypes: ['application/gzip', 'application/x-gzip'],
  },
  {
    name: 'bzip2',
    family: 'compressed',
    extensions: ['bz2', 'bz', 'tbz', 'tbz2'],
    mimeTypes: ['application/x-bzip2', 'application/x-bzip', 'application/bzip2'],
  },
  {
    name: 'xz',
    family: 'compressed',
    extensions: ['xz', 'txz', 'lzma'],
    mimeTypes: ['application/x-xz', 'application/x-lzma'],
  },
  {
    name: 'zstd',
    family: 'compressed',
    extensions: ['zst', 'tzst'],
    mimeTypes: ['application/zstd', 'application/x-zstd'],
  },
  { name: 'lz4', family: 'compressed', extensions: ['lz4'], mimeTypes: ['application/x-lz4'] },
  { name: 'lzip', family: 'compressed', extensions: ['lz'], mimeTypes: ['application/x-lzip', 'application/lzip'] },
  { name: 'compress', family: 'compressed', extensions: [], mimeTypes: ['application/x-compress'] },
  {
    name: 'lzh',
    family: 'archive',
    extensions: ['lzh', 'lha'],
    mimeTypes: ['application/x-lzh', 'application/x-lha', 'application/x-lzh-compressed'],
  },
  { name: 'arj', family: 'archive', extensions: ['arj'], mimeTypes: ['application/x-arj'] },
  {
    name: 'ace',
    family: 'archive',
    extensions: ['ace'],
    mimeTypes: ['application/x-ace', 'application/x-ace-compressed'],
  },
  { name: 'cpio', family: 'archive', extensions: ['cpio'], mimeTypes: ['application/x-cpio'] },
  { name: 'xar', family: 'archive', extensions: ['xar'], mimeTypes: ['application/x-xar'] },
  {
    name: 'arc',
    family: 'archive',
    extensions: ['arc', 'alz', 'egg'],
    mimeTypes: ['application/x-alz-compressed', 'application/x-freearc'],
  },
  { name: 'wim', family: 'image', extensions: ['wim', 'swm', 'esd'], mimeTypes: ['application/x-ms-wim'] },
  {
    name: 'iso',
    family: 'image',
    extensions: ['iso'],
    mimeTypes: ['application/x-iso9660-image', 'application/vnd.efi.iso'],
  },
  {
    name: 'disk-image',
    family: 'image',
    extensions: ['img', 'vhd', 'vhdx'],
    mimeTypes: ['application/x-virtualbox-vhd', 'application/x-vhd', 'application/x-raw-disk-image'],
  },
  {
    name: 'openpgp',
    family: 'encrypted',
    extensions: ['gpg', 'pgp', 'aes', 'age'],
    mimeTypes: ['application/pgp-encrypted'],
  },
  {
    name: 'package',
    family: 'package',
    extensions: ['jar', 'war', 'ear', 'aar', 'apk', 'xpi', 'crx', 'nupkg', 'snupkg', 'vsix', 'whl', 'msix', 'appx'],
    mimeTypes: ['application/java-archive', 'application/x-java-archive', 'application/vnd.android.package-archive'],
  },
];

/** Document formats that are zip inside: with these names a zip content says nothing (ECMA-376, OpenDocument, EPUB). */
export const ZIP_DOCUMENTS: ReadonlySet<string> = new Set(
  'docx docm dotx dotm xlsx xlsm xltx xltm xlsb xlam pptx pptm potx potm ppsx ppsm vsdx vsdm thmx odt ods odp odg ott ots otp epub xps oxps 3mf kmz pbix twbx idml'.split(
    ' ',
  ),
);

/** Names that promise something else than an archive: content that is one there is a disguise. */
export const DISGUISES: ReadonlySet<string> = new Set(
  'jpg jpeg png gif bmp tif tiff ico webp heic svg mp3 mp4 m4a m4v avi wav wmv mov mkv flac ogg pdf txt log csv rtf doc xls ppt docx xlsx pptx htm html css js json xml eml msg ttf otf woff'.split(
    ' ',
  ),
);

const BY_EXTENSION = new Map(ARCHIVE_FORMATS.flatMap((format) => format.extensions.map((ext) => [ext, format])));
const BY_MIME = new Map(ARCHIVE_FORMATS.flatMap((format) => format.mimeTypes.map((mime) => [mime, format])));

export const formatOfExtension = (ext: string): ArchiveFormat | undefined => BY_EXTENSION.get(ext);

/** Parameters (`; charset=binary`) are ignored. */
export function formatOfMime(mime: string | undefined): ArchiveFormat | undefined {
  return mime === undefined ? undefined : BY_MIME.get((mime.split(';', 1)[0] ?? '').trim().toLowerCase());
}

/** What a file name says about being an archive. */
export interface ArchiveName {
  readonly format: ArchiveFormat;
  /** Key of the whole set: `c:\t\s.7z` for `c:\t\s.7z.003`, `c:\t\s.rar` for `c:\t\s.part2.rar`. */
  readonly setKey: string;
  /** Number of this volume; undefined when the name is not one of a split set. */
  readonly part?: number;
}

/**
 * Reads the last component of a path only: `C:\info.rar\jjs.exe` is no archive. A stream name counts before the file's.
 * `.001` needs an archive extension before it: `trace.etl.002` is how Windows rotates logs.
 */
export function archiveName(path: WindowsPath): ArchiveName | undefined {
  const name = path.stream ?? path.base;
  const folder = path.key.slice(0, path.key.length - name.length);
  const dots = name.split('.');
  const ext = dots.at(-1) ?? '';
  if (dots.length < 2) return undefined;
  const stem = name.slice(0, name.length - ext.length - 1);
  const whole = formatOfExtension(ext);
  const volume = /^part([0-9]{1,6})$/.exec(dots.at(-2) ?? '');
  if (whole?.name === 'rar' && volume !== null && dots.length > 2) {
    return part(whole, `${folder}${stem.slice(0, stem.lastIndexOf('.'))}.rar`, volume[1]);
  }
  if (whole !== undefined) return { format: whole, setKey: path.key };
  const inner = formatOfExtension(dots.at(-2) ?? '');
  if (/^[0-9]{3,5}$/.test(ext) && inner !== undefined && dots.length > 2) return part(inner, folder + stem, ext);
  const old = /^([rsz])([0-9]{2})$/.exec(ext);
  if (old === null) return undefined;
  const format = formatOfExtension(old[1] === 'z' ? 'zip' : 'rar');
  return format === undefined ? undefined : part(format, `${folder}${stem}.${format.name}`, old[2]);
}

const part = (format: ArchiveFormat, setKey: string, digits: string | undefined): ArchiveName => ({
  format,
  setKey,
  part: Number(digits ?? '0'),
});
