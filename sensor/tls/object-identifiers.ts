/** Characters of a dotted object identifier that are kept; the cut is marked. */
const MAX_OID_CHARACTERS = 64;

/** An OBJECT IDENTIFIER's content octets (one character per byte, X.690 §8.19) as `1.2.840.113549`. */
export function oidText(content: string): string {
  let text = '';
  let arc = 0;
  for (let i = 0; i < content.length; i++) {
    const octet = content.charCodeAt(i);
    // Beyond 2^53 an arc is not exact any more; no registered one comes near.
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    if (text === '') {
      const root = Math.min(2, Math.trunc(arc / 40));
      text = `${root}.${arc - 40 * root}`;
    } else text += `.${arc}`;
    arc = 0;
    if (text.length > MAX_OID_CHARACTERS) return `${text.slice(0, MAX_OID_CHARACTERS)}…`;
  }
  return text;
}

/** Names of public key algorithms by the hexadecimal content octets of their object identifiers. */
const PUBLIC_KEY_ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d010101', 'RSA'], // 1.2.840.113549.1.1.1, RFC 3279
  ['2a864886f70d01010a', 'RSASSA-PSS'], // 1.2.840.113549.1.1.10, RFC 4055
  ['2a8648ce380401', 'DSA'], // 1.2.840.10040.4.1, RFC 3279
  ['2a8648ce3d0201', 'EC'], // 1.2.840.10045.2.1, RFC 5480
  ['2b656e', 'X25519'], // 1.3.101.110, RFC 8410
  ['2b656f', 'X448'],
  ['2b6570', 'Ed25519'],
  ['2b6571', 'Ed448'],
  ['608648016503040311', 'ML-DSA-44'], // 2.16.840.1.101.3.4.3.17, RFC 9881
  ['608648016503040312', 'ML-DSA-65'],
  ['608648016503040313', 'ML-DSA-87'],
  ['2a850302020213', 'GOST R 34.10-2001'], // 1.2.643.2.2.19, RFC 4491
  ['2a85030701010101', 'GOST R 34.10-2012-256'], // 1.2.643.7.1.1.1.1, RFC 9215
  ['2a85030701010102', 'GOST R 34.10-2012-512'],
]);

/** A public key algorithm by its identifier's content octets: "RSA", "EC", "ML-DSA-65", else the dotted identifier. */
export const publicKeyAlgorithmName = (content: string): string =>
  PUBLIC_KEY_ALGORITHMS.get(Buffer.from(content, 'latin1').toString('hex')) ?? oidText(content);
