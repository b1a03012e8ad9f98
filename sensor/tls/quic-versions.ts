/** What the Initial packets of a QUIC version need to be read (RFC 9001 §5.2, RFC 9369 §3). */
export interface QuicVersion {
  /** As printed in messages: "1", "2", "draft-29", "mvfst-2", "T051". */
  readonly name: string;
  readonly salt: Buffer;
  /** In front of "key", "iv" and "hp". */
  readonly labelPrefix: 'quic ' | 'quicv2 ';
  /** Bits 4 and 5 of the first byte. */
  readonly types: PacketTypes;
  /** Google's own framing inside the Initial, RFC 9000's otherwise. */
  readonly googleFrames: boolean;
}

/** Numbers of the long header packet types of a version. */
export interface PacketTypes {
  readonly initial: number;
  readonly retry: number;
}

/** RFC 9000 §17.2, RFC 9369 §3.2. */
const V1_TYPES: PacketTypes = { initial: 0, retry: 3 };
const V2_TYPES: PacketTypes = { initial: 1, retry: 0 };

const SALT_V1 = '38762cf7f55934b34d179ae6a4c80cadccbb7f0a';
const SALT_V2 = '0dede3def700a6db819381be6e269dcbf9bd2ed9';
/** Drafts of version 2, until it got its number. */
const SALT_DRAFT_V2 = 'a707c203a59b47184a1d62ca570406ea7ae3e5d3';
const SALT_DRAFT_29 = 'afbfec289993d24c9e9786f19c6111e04390a899';
const SALT_DRAFT_23 = 'c3eef712c72ebb5a11a7d2432bb46365bef9f502';
const SALT_DRAFT_22 = '7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a';

const like1 = (name: string, salt: string, googleFrames = false): QuicVersion => ({
  name,
  salt: Buffer.from(salt, 'hex'),
  labelPrefix: 'quic ',
  types: V1_TYPES,
  googleFrames,
});

const draftSalt = (draft: number): string =>
  draft >= 33 ? SALT_V1 : draft >= 29 ? SALT_DRAFT_29 : draft >= 23 ? SALT_DRAFT_23 : SALT_DRAFT_22;

/** Before draft 22 the two connection id lengths shared one byte. */
const DRAFTS = { first: 22, last: 34 } as const;

const VERSIONS: ReadonlyMap<number, QuicVersion> = new Map([
  [0x00000001, like1('1', SALT_V1)],
  [0x6b3343cf, { ...like1('2', SALT_V2), labelPrefix: 'quicv2 ', types: V2_TYPES }],
  [0xff020000, { ...like1('2-draft-00', SALT_DRAFT_V2), labelPrefix: 'quicv2 ' }],
  [0x709a50c4, { ...like1('2-draft', SALT_DRAFT_V2), labelPrefix: 'quicv2 ', types: V2_TYPES }],
  [0xfaceb001, like1('mvfst-1', SALT_DRAFT_22)],
  // Facebook's names for version 1.
  [0xfaceb003, like1('mvfst-3', SALT_V1)],
  [0xfaceb004, like1('mvfst-4', SALT_V1)],
  // Those of its own version, and of experiments with it.
  ...[0x02, 0x0e, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15].map((n): [number, QuicVersion] => [
    0xfaceb000 + n,
    like1(`mvfst-${n.toString(16)}`, SALT_DRAFT_23),
  ]),
  [0x54303530, like1('T050', '7ff579e5acd072915580304c43a2367c60488310', true)],
  [0x54303531, like1('T051', '7a4edef4e7ccee5fa4506c19124fc8ccda6e033d', true)],
  ...Array.from({ length: DRAFTS.last - DRAFTS.first + 1 }, (_, i): [number, QuicVersion] => {
    const draft = DRAFTS.first + i;
    return [0xff000000 + draft, like1(`draft-${draft}`, draftSalt(draft))];
  }),
]);

/** Google's last version with a hello of its own in place of TLS; its Initials are encrypted like the others'. */
export const Q050 = 0x51303530;
export const Q050_VERSION: QuicVersion = like1('Q050', '504574efd066fe2f9d945cfcdbd3a7f0d3b56b45', true);

/** The version with TLS in its Initials that has this number, if we know one. */
export const quicVersion = (version: number): QuicVersion | undefined => VERSIONS.get(version);

/** 0x?a?a?a?a: reserved to make a server name the versions it has (RFC 9000 §15). */
export const forcesNegotiation = (version: number): boolean => (version & 0x0f0f0f0f) === 0x0a0a0a0a;
