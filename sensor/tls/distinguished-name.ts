/**
 * Names of certificates as text, after RFC 4514: the last relative name first, `,` between relative names, `+` inside one.
 * Where the RFC writes unknown types in hexadecimal, this writes their text, because an analyst reads it.
 */

import { escapeUnsafeUnicode } from '../base/text.ts';
import { childrenOf, contentOf, type DerNode, DerTag, tagOf } from './der.ts';
import { oidText } from './object-identifiers.ts';

/** Attributes read of one name. Real ones have fewer than 12. */
const MAX_ATTRIBUTES = 32;
/** Characters kept of one attribute value (RFC 5280 allows 64 to 128 of most). */
const MAX_VALUE_CHARACTERS = 256;

/** The text of a Name (RFC 5280 §4.1.2.4): `CN=example.com,O=Example,C=US`. */
export function distinguishedName(name: DerNode | undefined): string {
  const relativeNames: string[] = [];
  let attributes = 0;
  for (const relativeName of childrenOf(name)) {
    const parts: string[] = [];
    for (const attribute of childrenOf(relativeName)) {
      if (++attributes > MAX_ATTRIBUTES) return relativeNames.concat('…').reverse().join(',');
      const [type, value] = childrenOf(attribute);
      parts.push(`${attributeType(contentOf(type))}=${attributeValue(value)}`);
    }
    relativeNames.push(parts.join('+'));
  }
  return relativeNames.reverse().join(',');
}

/** The short names of RFC 4514 §3, and those in common use beside them. Keys are the identifiers' content octets in hex. */
const ATTRIBUTE_TYPES: ReadonlyMap<string, string> = new Map([
  ['550403', 'CN'],
  ['550404', 'SN'],
  ['550405', 'serialNumber'],
  ['550406', 'C'],
  ['550407', 'L'],
  ['550408', 'ST'],
  ['550409', 'STREET'],
  ['55040a', 'O'],
  ['55040b', 'OU'],
  ['55040c', 'title'],
  ['55040d', 'description'],
  ['55040f', 'businessCategory'],
  ['550411', 'postalCode'],
  ['55042a', 'GN'],
  ['55042e', 'dnQualifier'],
  ['550461', 'organizationIdentifier'],
  ['2a864886f70d010901', 'emailAddress'],
  ['0992268993f22c640119', 'DC'],
  ['0992268993f22c640101', 'UID'],
  ['2b0601040182373c020101', 'jurisdictionL'],
  ['2b0601040182373c020102', 'jurisdictionST'],
  ['2b0601040182373c020103', 'jurisdictionC'],
]);

const attributeType = (content: string): string =>
  ATTRIBUTE_TYPES.get(Buffer.from(content, 'latin1').toString('hex')) ?? oidText(content);

function attributeValue(value: DerNode | undefined): string {
  if (value === undefined) return '';
  const text = decodeString(value);
  const cut = text.length > MAX_VALUE_CHARACTERS;
  const kept = cut ? text.slice(0, MAX_VALUE_CHARACTERS) : text;
  const safe = escapeUnsafeUnicode(escapeSpecials(kept), (byte) => `\\${byte.toString(16).padStart(2, '0')}`);
  return cut ? `${safe}…` : safe;
}

/** A string of any of the ASN.1 types that names use (RFC 5280 §4.1.2.4). forge has decoded BMPString already. */
function decodeString(value: DerNode): string {
  const content = contentOf(value);
  if (tagOf(value) !== DerTag.utf8String) return content;
  const text = Buffer.from(content, 'latin1').toString('utf8');
  // Bytes that are no UTF-8 are shown one by one rather than as replacement characters.
  return text.includes('\ufffd') ? content : text;
}

/** RFC 4514 §2.4: specials anywhere, `#` and space at the start, space at the end. */
function escapeSpecials(text: string): string {
  const body = text.length > 1 && text.endsWith(' ') ? text.slice(0, -1) : text;
  const escaped = body.replace(/["+,;<>\\]/g, '\\$&').replace(/^[ #]/, '\\$&');
  return body === text ? escaped : `${escaped}\\ `;
}
