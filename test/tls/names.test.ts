import { describe, expect, it } from 'vitest';
import { cipherSuiteName } from '../../sensor/tls/cipher-suites.ts';
import { isTls13, newerVersion, versionName } from '../../sensor/tls/tls-versions.ts';

describe('a version', () => {
  it.each([
    [0x0002, 'ssl2', 'ssl'],
    [0x0300, 'ssl3', 'ssl'],
    [0x0301, '1.0', 'tls'],
    [0x0302, '1.1', 'tls'],
    [0x0303, '1.2', 'tls'],
    [0x0304, '1.3', 'tls'],
    [0x7f12, '1.3-draft18', 'tls'],
    [0x7f17, '1.3-draft23', 'tls'],
    [0x7f1c, '1.3-draft28', 'tls'],
    [0x7f1d, '0x7f1d', 'tls'],
    [0xfb1a, '1.3-fb-draft26', 'tls'],
    [0xfeff, '1.0', 'dtls'],
    [0xfefd, '1.2', 'dtls'],
    [0xfefc, '1.3', 'dtls'],
    [0x1234, '0x1234', 'tls'],
  ] as const)('%i is %s of %s', (version, name, protocol) => {
    expect(versionName(version)).toEqual({ version: name, protocol });
  });

  it('hides certificates from 1.3 on, drafts included', () => {
    expect([0x0304, 0x7f12, 0xfb1a, 0xfefc].every(isTls13)).toBe(true);
    expect([0x0303, 0x0300, 0xfefd, 0xfeff].some(isTls13)).toBe(false);
  });

  it('is newer by number in TLS and the other way round in DTLS', () => {
    expect(newerVersion(0x0303, 0x0304)).toBe(0x0304);
    expect(newerVersion(0xfeff, 0xfefd)).toBe(0xfefd);
    expect(newerVersion(0xfefc, 0xfefd)).toBe(0xfefc);
    expect(newerVersion(0x0100, 0xfeff)).toBe(0xfeff);
  });
});

describe('a cipher suite', () => {
  it.each([
    [0x0000, 'TLS_NULL_WITH_NULL_NULL'],
    [0x002f, 'TLS_RSA_WITH_AES_128_CBC_SHA'],
    [0x00ff, 'TLS_EMPTY_RENEGOTIATION_INFO_SCSV'],
    [0x1301, 'TLS_AES_128_GCM_SHA256'],
    [0x1303, 'TLS_CHACHA20_POLY1305_SHA256'],
    [0x5600, 'TLS_FALLBACK_SCSV'],
    [0xc02f, 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
    [0xc0b4, 'TLS_SHA256_SHA256'],
    [0xc100, 'TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC'],
    [0xcca8, 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'],
    [0xd001, 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256'],
    [0xcc13, '0xcc13'],
    [0x0a0a, '0x0a0a'],
    [0xabcd, '0xabcd'],
  ])('%i is %s', (suite, name) => expect(cipherSuiteName(suite)).toBe(name));
});
