/**
 * JA3 and JA3S: MD5 over what a TLS client offers and a server chooses.
 * The method is salesforce/ja3's (BSD-3-Clause, Copyright (c) 2017 Salesforce.com, Inc.); this code is our own.
 *
 *     JA3   version,cipher suites,extensions,groups,point formats      numbers in decimal, `-` between them, wire order
 *     JA3S  version,cipher suite,extensions
 *
 * The versions are the hellos' legacy_version fields. GREASE is left out of JA3's suites, extensions and groups.
 */
import { hash } from 'node:crypto';
import type { ClientHello } from './client-hello.ts';
import { DigestCache, FingerprintText } from './fingerprint-text.ts';
import type { ServerHello } from './server-hello.ts';

/** The text that JA3 hashes. It always has four commas. */
export function ja3String(hello: ClientHello): string {
  const { cipherSuites, extensionTypes, groups, pointFormats } = hello;
  text.begin(cipherSuites.length + extensionTypes.length + groups.length + pointFormats.length);
  text.decimal(hello.legacyVersion);
  text.put(COMMA);
  text.decimals(cipherSuites);
  text.put(COMMA);
  text.decimals(extensionTypes);
  text.put(COMMA);
  text.decimals(groups);
  text.put(COMMA);
  text.decimals(pointFormats, true);
  return text.take();
}

/** The text that JA3S hashes. GREASE stays in: a server does not send any. */
export function ja3sString(hello: ServerHello): string {
  text.begin(hello.extensionTypes.length);
  text.decimal(hello.legacyVersion);
  text.put(COMMA);
  text.decimal(hello.cipherSuite);
  text.put(COMMA);
  text.decimals(hello.extensionTypes, true);
  return text.take();
}

/** JA3 of a client: 32 lower-case hexadecimal digits. */
export const ja3 = (hello: ClientHello): string => digests.of(ja3String(hello));

/** JA3S of a server: 32 lower-case hexadecimal digits. */
export const ja3s = (hello: ServerHello): string => digests.of(ja3sString(hello));

/** JA3 or JA3S of a text that was made before. */
export const ja3Digest = (ja3Text: string): string => digests.of(ja3Text);

const COMMA = 0x2c;
const text = new FingerprintText();
const digests = new DigestCache((unhashed) => hash('md5', unhashed));
