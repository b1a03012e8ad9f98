/** Builders of DER and certificates for tests. They write what they are told, sane or not. */
import { ascii } from './hellos.ts';

/** A DER value: identifier octet, length, content. */
export function der(tag: number, content: readonly number[]): number[] {
  return [tag, ...derLength(content.length), ...content];
}

export const sequence = (...values: readonly (readonly number[])[]): number[] => der(0x30, values.flat());
export const set = (...values: readonly (readonly number[])[]): number[] => der(0x31, values.flat());
export const utf8 = (text: string): number[] => der(0x0c, [...Buffer.from(text, 'utf8')]);
export const utcTime = (text: string): number[] => der(0x17, ascii(text));
export const generalizedTime = (text: string): number[] => der(0x18, ascii(text));
/** An object identifier from its content octets in hexadecimal. */
export const oid = (hex: string): number[] => der(0x06, [...Buffer.from(hex, 'hex')]);

export const COMMON_NAME = '550403';

/** A Name of one attribute per relative name. */
export const name = (...attributes: readonly (readonly [type: string, value: readonly number[]])[]): number[] =>
  sequence(...attributes.map(([type, value]) => set(sequence(oid(type), value))));

export interface CertificateParts {
  readonly serial?: readonly number[];
  readonly issuer?: readonly number[];
  readonly subject?: readonly number[];
  readonly notBefore?: readonly number[];
  readonly notAfter?: readonly number[];
  /** Content octets of the key algorithm's identifier, hexadecimal. */
  readonly keyAlgorithm?: string;
  /** GeneralNames of subjectAltName, each a DER value. */
  readonly alternativeNames?: readonly (readonly number[])[];
}

/** A certificate of the usual shape; its signature is a stub. */
export function certificate(parts: CertificateParts = {}): Uint8Array {
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const names = parts.alternativeNames;
  const extensions =
    names === undefined
      ? []
      : [der(0xa3, sequence(sequence(oid('551d11'), der(0x01, [0xff]), der(0x04, sequence(...names)))))];
  const tbs = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, parts.serial ?? [1]),
    algorithm,
    parts.issuer ?? name([COMMON_NAME, utf8('Issuing CA')]),
    sequence(parts.notBefore ?? utcTime('240101000000Z'), parts.notAfter ?? utcTime('250101000000Z')),
    parts.subject ?? name([COMMON_NAME, utf8('files.example')]),
    sequence(sequence(oid(parts.keyAlgorithm ?? '2a8648ce3d0201')), der(0x03, [0, 4, 1, 2, 3])),
    ...extensions,
  );
  return Uint8Array.from(sequence(tbs, algorithm, der(0x03, [0, 1, 2])));
}

/** GeneralNames (RFC 5280 §4.2.1.6). */
export const generalName = {
  mailbox: (text: string): number[] => der(0x81, ascii(text)),
  dns: (text: string): number[] => der(0x82, ascii(text)),
  uri: (text: string): number[] => der(0x86, ascii(text)),
  address: (...octets: number[]): number[] => der(0x87, octets),
  registeredId: (hex: string): number[] => der(0x88, [...Buffer.from(hex, 'hex')]),
} as const;

function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  return [0x80 | octets.length, ...octets];
}
