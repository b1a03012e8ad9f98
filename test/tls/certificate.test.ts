import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CertificateFacts,
  type CertificateReading,
  readCertificate,
  readCertificateMessage,
} from '../../sensor/tls/certificate.ts';
import { MAX_ALTERNATIVE_NAMES, nameMatches } from '../../sensor/tls/certificate-names.ts';
import {
  type CertificateParts,
  COMMON_NAME,
  certificate,
  der,
  generalizedTime,
  generalName,
  name,
  sequence,
  utcTime,
  utf8,
} from '../build/der.ts';
import { ascii, certificateBody } from '../build/hellos.ts';

const read = (bytes: Uint8Array): CertificateReading => readCertificate(bytes, 0, bytes.length);

function facts(parts: CertificateParts | Uint8Array): CertificateFacts {
  const reading = read(parts instanceof Uint8Array ? parts : certificate(parts));
  if (reading.kind !== 'facts') throw new Error(JSON.stringify(reading));
  return reading.facts;
}

const why = (bytes: readonly number[] | Uint8Array): string => {
  const reading = read(Uint8Array.from(bytes));
  return reading.kind === 'bad' ? reading.why : reading.kind;
};

// Made with OpenSSL 3.0: req -x509 -newkey ed25519, and with a P-256 key and 36,500 days.
const ED25519 = `MIIByjCCAXygAwIBAgIIAPHi08S1ppcwBQYDK2VwMEIxCzAJBgNVBAYTAkRFMRswGQYDVQQKDBJXYXliaWxsIFRlc3QsIEluYy4xFjAUBgNVBAMMDWZpbGVzLmV4
YW1wbGUwHhcNMjYxMTIzMDg1ODAyWhcNMjYxMTI0MDg1ODAyWjBCMQswCQYDVQQGEwJERTEbMBkGA1UECgwSV2F5YmlsbCBUZXN0LCBJbmMuMRYwFAYDVQQDDA1maWxl
cy5leGFtcGxlMCowBQYDK2VwAyEA9Q22LTcakjEhqi/ib9bu3iZ4o4MaLXvEbNX41vDDRFOjgY8wgYwwawYDVR0RBGQwYoINZmlsZXMuZXhhbXBsZYINKi5jZG4uZXhh
bXBsZYcEwAACB4cQIAENuAAAAAAAAAAAAAAAB4ERb3BzQGZpbGVzLmV4YW1wbGWGF2h0dHBzOi8vZmlsZXMuZXhhbXBsZS94MB0GA1UdDgQWBBQwVjm3ctUdtYI+4Jr+
UykluEu48zAFBgMrZXADQQA8GoDtULxRaM8rncKfP0HzmlUqxqZfbnE1Xe3ZjxeF69eFjcRF3Ng4qmhdabYdgjgFWlSY62Qv6R8q7d9nebsL`;
const P256 = `MIICBDCCAaugAwIBAgIBBzAKBggqhkjOPQQDAjBCMQswCQYDVQQGEwJERTEbMBkGA1UECgwSV2F5YmlsbCBUZXN0LCBJbmMuMRYwFAYDVQQDDA1maWxlcy5leGFt
cGxlMCAXDTI2MTEyMzA4NTgwMloYDzIxMjYxMDMwMDg1ODAyWjBCMQswCQYDVQQGEwJERTEbMBkGA1UECgwSV2F5YmlsbCBUZXN0LCBJbmMuMRYwFAYDVQQDDA1maWxl
cy5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGcTvuOVVbdi2uwY4TR5QATWiX9eH72DgB1NMYfinKFaSnjGjMjEFCON0MxKQEmyDkoAEV1QrgN96aD+G
x7bWqaOBjzCBjDBrBgNVHREEZDBigg1maWxlcy5leGFtcGxlgg0qLmNkbi5leGFtcGxlhwTAAAIHhxAgAQ24AAAAAAAAAAAAAAAHgRFvcHNAZmlsZXMuZXhhbXBsZYYX
aHR0cHM6Ly9maWxlcy5leGFtcGxlL3gwHQYDVR0OBBYEFJjDB1HRA/tGZYCZnqdsECG5vb2+MAoGCCqGSM49BAMCA0cAMEQCIDuRX1Th/DEKHmelbceUfXHPfXQyEUsX
kowNcwn0qEIIAiBfjyiVaJEK6WmcXOtQqnCQJHcR+vf++sFhtmBGYyQUCw==`;
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

describe('a certificate', () => {
  it('gives all that OpenSSL put into it', () => {
    const bytes = fromBase64(ED25519);
    expect(facts(bytes)).toEqual({
      sha256: createHash('sha256').update(bytes).digest('hex'),
      subject: 'CN=files.example,O=Waybill Test\\, Inc.,C=DE',
      issuer: 'CN=files.example,O=Waybill Test\\, Inc.,C=DE',
      serialNumber: 'F1E2D3C4B5A697',
      alternativeNames: [
        'files.example',
        '*.cdn.example',
        '192.0.2.7',
        '2001:db8::7',
        'ops@files.example',
        'https://files.example/x',
      ],
      alternativeNameCount: 6,
      notBefore: '2026-11-23T08:58:02Z',
      notAfter: '2026-11-24T08:58:02Z',
      publicKeyAlgorithm: 'Ed25519',
      selfSigned: true,
    });
    expect(facts(fromBase64(P256))).toMatchObject({
      publicKeyAlgorithm: 'EC',
      serialNumber: '07',
      notAfter: '2126-10-30T08:58:02Z',
    });
  });

  it('is the first of its message', () => {
    const leaf = certificate();
    const body = certificateBody(leaf, certificate({ serial: [2] }));
    expect(readCertificateMessage(body, 0, body.length)).toEqual(read(leaf));
  });

  it('is none in an empty list, and truncated when the list’s lengths do not fit', () => {
    expect(readCertificateMessage(Uint8Array.of(0, 0, 0), 0, 3)).toEqual({ kind: 'none' });
    for (const bytes of [[], [0, 0], [0, 0, 9], [0, 0, 3, 0, 0, 9], [0, 0, 2, 0, 0]]) {
      expect(readCertificateMessage(Uint8Array.from(bytes), 0, bytes.length)).toMatchObject({ why: 'truncated' });
    }
  });

  it('gives the same reading when it is met again', () => {
    const bytes = certificate({ serial: [42] });
    expect(read(bytes)).toBe(read(bytes.slice()));
  });

  it.each([
    ['2a864886f70d010101', 'RSA'],
    ['2a8648ce3d0201', 'EC'],
    ['2b6570', 'Ed25519'],
    ['608648016503040311', 'ML-DSA-44'],
    ['608648016503040312', 'ML-DSA-65'],
    ['608648016503040313', 'ML-DSA-87'],
    ['2a03040506', '1.2.3.4.5.6'],
    ['883703', '2.999.3'],
    ['', ''],
  ])('names the key algorithm %s %s', (keyAlgorithm, text) => {
    expect(facts({ keyAlgorithm }).publicKeyAlgorithm).toBe(text);
  });

  it('is self-signed when issuer and subject are the same name', () => {
    const same = name([COMMON_NAME, utf8('a')]);
    expect(facts({ issuer: same, subject: same }).selfSigned).toBe(true);
    expect(facts({ issuer: same, subject: name([COMMON_NAME, utf8('b')]) }).selfSigned).toBe(false);
    expect(facts({ issuer: same, subject: name([COMMON_NAME, der(0x13, ascii('a'))]) }).selfSigned).toBe(false);
  });

  it.each([
    [[0x00, 0x80], '80'],
    [[0x00], '00'],
    [[0x01, 0x02], '0102'],
    [[], ''],
  ])('writes serial %j as %s', (serial, text) => {
    expect(facts({ serial }).serialNumber).toBe(text);
  });
});

describe('a validity time', () => {
  it.each([
    [utcTime('491231235959Z'), '2049-12-31T23:59:59Z'],
    [utcTime('500101000000Z'), '1950-01-01T00:00:00Z'],
    [utcTime('6901010000Z'), '1969-01-01T00:00:00Z'],
    [utcTime('240229120000+0130'), '2024-02-29T10:30:00Z'],
    [generalizedTime('19500101000000Z'), '1950-01-01T00:00:00Z'],
    [generalizedTime('99991231235959Z'), '9999-12-31T23:59:59Z'],
    [generalizedTime('00500101000000Z'), '0050-01-01T00:00:00Z'],
    [generalizedTime('20240101000000.5Z'), '2024-01-01T00:00:00Z'],
    [utcTime('240231000000Z'), undefined],
    [utcTime('241301000000Z'), undefined],
    [utcTime('240101250000Z'), undefined],
    [utcTime('240101006100Z'), undefined],
    [utcTime('240101000000'), undefined],
    [utcTime('x40101000000Z'), undefined],
    [utcTime(`${'1'.repeat(5_000)}Z`), undefined],
    [der(0x0c, ascii('240101000000Z')), undefined],
    [generalizedTime('99991231235959-0100'), undefined],
  ])('%# is RFC 3339 or nothing', (notBefore, text) => {
    expect(facts({ notBefore }).notBefore).toBe(text);
  });
});

describe('a distinguished name', () => {
  const cn = (value: readonly number[]): string => facts({ subject: name([COMMON_NAME, value]) }).subject;

  it('is last relative name first, several attributes joined by +', () => {
    const attribute = (type: string, text: string): number[] =>
      sequence(der(0x06, [...Buffer.from(type, 'hex')]), utf8(text));
    const subject = sequence(
      der(0x31, attribute('550406', 'DE')),
      der(0x31, [...attribute('55040a', 'O'), ...attribute('2a864886f70d010901', 'a@b.example')]),
      der(0x31, attribute('2a030405', 'odd')),
    );
    expect(facts({ subject }).subject).toBe('1.2.3.4.5=odd,O=O+emailAddress=a@b.example,C=DE');
  });

  it.each([
    ['plain', utf8('files.example'), 'files.example'],
    ['UTF-8', utf8('Société Générale'), 'Société Générale'],
    ['specials', utf8('a,b+c"d\\e<f>g;h'), 'a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h'],
    ['edge spaces and #', utf8(' # x '), '\\ # x\\ '],
    ['a leading #', utf8('#x'), '\\#x'],
    ['NUL and escapes', utf8('a\0b\x1b[0m\n'), 'a\\00b\\1b[0m\\0a'],
    ['right-to-left override', utf8('a\u202eb'), 'a\\e2\\80\\aeb'],
    ['Latin-1 in a TeletexString', der(0x14, [0x63, 0x61, 0x66, 0xe9]), 'café'],
    ['UTF-16 in a BMPString', der(0x1e, [0x67, 0x71, 0x4e, 0xac]), '東京'],
    ['what is no UTF-8', der(0x0c, [0x61, 0xff, 0x62]), 'aÿb'],
    ['half a BMPString character', der(0x1e, [0x67]), undefined],
  ])('writes %s safely', (_, value, text) => {
    const reading = read(certificate({ subject: name([COMMON_NAME, value]) }));
    if (text === undefined) expect(['facts', 'bad']).toContain(reading.kind);
    else expect(cn(value)).toBe(`CN=${text}`);
  });

  it('is cut after 256 characters of a value and 32 attributes', () => {
    expect(cn(utf8('a'.repeat(300)))).toBe(`CN=${'a'.repeat(256)}…`);
    const many = Array.from({ length: 40 }, (_, i) => [COMMON_NAME, utf8(`${i}`)] as const);
    const text = facts({ subject: name(...many) }).subject;
    expect(text).toMatch(/^…,CN=31,/);
    expect(text.split(',')).toHaveLength(33);
  });

  it('may be empty', () => {
    expect(facts({ subject: sequence() }).subject).toBe('');
  });
});

describe('alternative names', () => {
  const names = (...values: number[][]): readonly string[] => facts({ alternativeNames: values }).alternativeNames;

  it('are text that is safe: NUL, line breaks and escapes show', () => {
    expect(names(generalName.dns('bank.example\0.evil.example'), generalName.dns('a\n\x1b'))).toEqual([
      'bank.example\\x00.evil.example',
      'a\\x0a\\x1b',
    ]);
  });

  it('leave out kinds that name no host, and count them', () => {
    const read = facts({ alternativeNames: [generalName.registeredId('2a03'), generalName.dns('a.example')] });
    expect([read.alternativeNames, read.alternativeNameCount]).toEqual([['a.example'], 2]);
  });

  it('write addresses of odd length in hexadecimal', () => {
    expect(names(generalName.address(1, 2, 3))).toEqual(['010203']);
  });

  it('end where they are damaged', () => {
    expect(names(generalName.dns('a.example'), [0x82, 0x7f, 0x61])).toEqual(['a.example']);
    expect(names([0x82, 0x84, 0xff, 0xff, 0xff, 0xff])).toEqual([]);
    expect(names([0x82])).toEqual([]);
  });

  it('are kept up to a cap, and all counted', () => {
    const many = Array.from({ length: 3_000 }, (_, i) => generalName.dns(`h${i}.example`));
    const read = facts({ alternativeNames: many });
    expect(read.alternativeNames).toHaveLength(MAX_ALTERNATIVE_NAMES);
    expect(read.alternativeNameCount).toBe(3_000);
  });
});

describe('a server name', () => {
  const covered = (serverName: string, ...names: number[][]): boolean | undefined =>
    nameMatches(serverName, facts({ alternativeNames: names }));
  const { dns, address } = generalName;

  it.each([
    ['files.example', 'files.example', true],
    ['FILES.example.', 'files.Example', true],
    ['a.files.example', '*.files.example', true],
    ['a.b.files.example', '*.files.example', false],
    ['files.example', '*.files.example', false],
    ['a.files.example', 'a*.files.example', false],
    ['afiles.example', '*files.example', false],
    ['example', '*', false],
    ['other.example', 'files.example', false],
    ['bank.example', 'bank.example\0.evil.example', false],
  ])('%s under %j is covered: %s', (wanted, pattern, expected) => {
    expect(covered(wanted, dns(pattern))).toBe(expected);
  });

  it('that is an address is covered by that address, not by a name that looks like it', () => {
    expect(covered('192.0.2.7', address(192, 0, 2, 7))).toBe(true);
    expect(covered('[2001:DB8:0:0::1]', address(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))).toBe(true);
    expect(covered('192.0.2.8', address(192, 0, 2, 7))).toBe(false);
    expect(covered('10.0.0.1', dns('*.0.0.1'))).toBe(false);
  });

  it('is compared with the common name only when there are no alternative names', () => {
    const subject = name([COMMON_NAME, utf8('files.example')]);
    expect(nameMatches('files.example', facts({ subject }))).toBe(true);
    expect(nameMatches('files.example', facts({ subject, alternativeNames: [dns('other.example')] }))).toBe(false);
    expect(nameMatches('other.example', facts({ subject }))).toBe(false);
  });

  it('that is empty, or not among the kept ones of too many, cannot be told', () => {
    expect(covered('', dns('files.example'))).toBeUndefined();
    const many = Array.from({ length: MAX_ALTERNATIVE_NAMES + 1 }, (_, i) => dns(`h${i}.example`));
    expect(covered('h0.example', ...many)).toBe(true);
    expect(covered('other.example', ...many)).toBeUndefined();
  });
});

describe('DER that was written to hurt', () => {
  const nested = (levels: number): number[] => {
    let value: number[] = der(0x05, []);
    for (let i = 0; i < levels; i++) value = der(0x30, value);
    return value;
  };

  it('is refused 300 levels deep, in the open and in the subject', () => {
    expect(why(nested(300))).toBe('over-cap');
    expect(why(certificate({ subject: nested(300) }))).toBe('over-cap');
  });

  it('is refused with more values than any certificate has', () => {
    expect(why(sequence(...Array.from({ length: 20_000 }, () => der(0x05, []))))).toBe('over-cap');
  });

  it('is refused over 64 KiB', () => {
    expect(why(der(0x30, new Array(70_000).fill(0)))).toBe('over-cap');
  });

  it.each([
    ['indefinite lengths', [0x30, 0x80, 0x05, 0, 0, 0], 'length-mismatch'],
    ['five length octets', [0x30, 0x85, 0, 0, 0, 0, 0], 'length-mismatch'],
    ['a value longer than the one around it', [0x30, 0x03, 0x04, 0x09, 0x00], 'truncated'],
    ['long tags', [0x30, 0x03, 0x1f, 0x01, 0x00], 'bad-type'],
    ['half a header', [0x30, 0x01, 0x05], 'truncated'],
    ['bytes behind it', [...certificate(), 1], 'trailing-bytes'],
    ['nothing inside', sequence(), 'truncated'],
    ['a text', ascii('-----BEGIN CERTIFICATE-----'), 'truncated'],
  ])('is refused with %s', (_, bytes, fault) => {
    expect(why(bytes)).toBe(fault);
  });

  it('never throws, whatever byte is changed', () => {
    const good = certificate({ alternativeNames: [generalName.dns('a.example'), generalName.address(1, 2, 3, 4)] });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = good.slice();
          for (const [at, value] of changes) bytes[at] = value;
          expect(['facts', 'bad']).toContain(read(bytes).kind);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
