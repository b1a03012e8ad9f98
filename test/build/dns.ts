/** DNS messages for tests (RFC 1035 §4), sane or not as they are told. */
import { addressBytes, be16, be32, concat } from './frames.ts';

export interface DnsRecord {
  /** Owner; bytes are written as they are, e.g. a compression pointer. */
  readonly owner?: string | Uint8Array;
  readonly type: number;
  readonly class?: number;
  readonly data: Uint8Array;
}

export interface DnsParts {
  readonly flags?: number;
  /** Bytes are written as they are. */
  readonly question?: string | Uint8Array;
  readonly questionClass?: number;
  readonly questions?: number;
  readonly answers?: readonly DnsRecord[];
  /** Written instead of the number of answers. */
  readonly answerCount?: number;
}

/** QR, RD, RA. */
export const ANSWER = 0x8180;
/** Points at the question's name. */
export const TO_QUESTION = Uint8Array.of(0xc0, 12);

/** A name as labels. */
export function nameBytes(name: string): Uint8Array {
  const labels =
    name === '' ? [] : name.split('.').map((label) => concat([label.length], Buffer.from(label, 'latin1')));
  return concat(...labels, [0]);
}

export const address = (text: string, owner: string | Uint8Array = TO_QUESTION): DnsRecord => ({
  owner,
  type: text.includes(':') ? 28 : 1,
  data: addressBytes(text),
});

export const alias = (to: string, owner: string | Uint8Array = TO_QUESTION): DnsRecord => ({
  owner,
  type: 5,
  data: nameBytes(to),
});

const written = (name: string | Uint8Array): Uint8Array => (typeof name === 'string' ? nameBytes(name) : name);

/** One message: header, question, answers. */
export function dnsMessage(parts: DnsParts = {}): Uint8Array {
  const answers = parts.answers ?? [];
  return concat(
    be16(0x1d1d),
    be16(parts.flags ?? ANSWER),
    be16(parts.questions ?? 1),
    be16(parts.answerCount ?? answers.length),
    be32(0),
    written(parts.question ?? 'files.example'),
    be16(1),
    be16(parts.questionClass ?? 1),
    ...answers.map((record) =>
      concat(
        written(record.owner ?? TO_QUESTION),
        be16(record.type),
        be16(record.class ?? 1),
        be32(300),
        be16(record.data.length),
        record.data,
      ),
    ),
  );
}

/** An answer that gives `addresses` for `name`. */
export const answerFor = (name: string, ...addresses: readonly string[]): Uint8Array =>
  dnsMessage({ question: name, answers: addresses.map((text) => address(text)) });
