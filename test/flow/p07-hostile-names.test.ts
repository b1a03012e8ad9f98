/** p07: names that are written to do harm where they are printed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascii, extension, type HelloParts, handshakeRecords, u16, vector16 } from '../build/hellos.ts';
import { observeLines, observeOne } from '../build/observe.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import { helloMessage, ordinaryExtensions, tls13 } from '../build/tls-flights.ts';

const connection = (parts: HelloParts) =>
  frames(
    new TcpConnection()
      .open()
      .say(tls13(handshakeRecords(helloMessage(parts), [16_000, 32_000, 48_000])))
      .close().packets,
  );
const named = (...names: readonly string[]): HelloParts => ({ extensions: ordinaryExtensions(...names) });

const NAMES: readonly (readonly [what: string, sent: string, kept: string])[] = [
  ['an escape sequence', '\x1b[2J\x1b]0;x\x07a.example', '\\x1b[2J\\x1b]0;x\\x07a.example'],
  ['a NUL', 'good.example\0.evil.example', 'good.example\\x00.evil.example'],
  ['line ends', 'a.example\r\n{"forged":1}\n', 'a.example\\x0d\\x0a{"forged":1}\\x0a'],
  ['UTF-8 that turns text around', 'a\xe2\x80\xae.example', 'a\\xe2\\x80\\xae.example'],
  ['a line separator', 'a\xe2\x80\xa8b', 'a\\xe2\\x80\\xa8b'],
  ['markup', '<script>alert(1)</script>', '<script>alert(1)</script>'],
  ['a formula', '=HYPERLINK("http://x")', '=HYPERLINK("http://x")'],
  ['quotes and a backslash', '"\\"}', '"\\x5c"}'],
  ['an IPv4 address', '203.0.113.7', '203.0.113.7'],
  ['an IPv6 address', '[2001:db8::1]', '[2001:db8::1]'],
  ['nothing', '', ''],
  ['a dot', '.', '.'],
  ['blanks', '  ', '  '],
  ['invalid UTF-8', '\xff\xfe\x80', '\\xff\\xfe\\x80'],
  ['a delete character', 'a\x7fb', 'a\\x7fb'],
  ['65,000 bytes', 'a'.repeat(65_000), `${'a'.repeat(255)}…`],
  ['255 control characters', '\x01'.repeat(255), '\\x01'.repeat(255)],
];

describe('a server name (p07)', () => {
  it.each(NAMES)('of %s is kept as safe text and flagged, and is no domain', (_, sent, kept) => {
    const { tls, destination, waybill } = observeOne(connection(named(sent)));
    expect(tls?.client?.server_name).toBe(kept);
    expect(destination.domain).toBeUndefined();
    expect(waybill.anomalies).toContain('sni_not_hostname');
  });

  it('of any bytes leaves one line of printable ASCII, which is JSON', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b).toString('latin1'));
    fc.assert(
      fc.property(bytes, bytes, (name, alpn) => {
        const extensions = [extension.serverName(name), extension.alpn(alpn.slice(0, 255))];
        for (const line of observeLines(connection({ extensions }))) {
          expect(line).toMatch(/^[\x20-\x7e…]+\n$/);
          expect(() => JSON.parse(line)).not.toThrow();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('that is a prototype’s property changes no object', () => {
    const [proto, constructed] = ['__proto__', 'constructor'].map((name) => observeOne(connection(named(name))));
    expect(proto!.tls?.client?.server_name).toBe('__proto__');
    expect(constructed!.destination.domain).toBe('constructor');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('is the first of several, and that there were several is told', () => {
    const { tls, waybill } = observeOne(connection(named('first.example', 'second.example')));
    expect(tls?.client?.server_name).toBe('first.example');
    expect(waybill.anomalies).toContain('sni_many');
  });

  it('that was not sent is told', () => {
    const { tls, waybill } = observeOne(connection({ extensions: ordinaryExtensions() }));
    expect(tls?.client).not.toHaveProperty('server_name');
    expect(waybill.anomalies).toContain('no_sni');
  });

  it('in front of an encrypted hello may be an outer one, and that is told', () => {
    const extensions = [...ordinaryExtensions('outer.example'), extension.encryptedClientHello(180)];
    const { tls, waybill } = observeOne(connection({ extensions }));
    expect(tls?.client).toMatchObject({ server_name: 'outer.example', ech: 'outer' });
    expect(waybill.anomalies).toContain('ech_outer');
  });

  it('whose lengths contradict each other makes no fingerprint', () => {
    const body = [...u16(0xffff), 0, ...vector16(ascii('a.example'))];
    const { tls, waybill } = observeOne(connection({ extensions: [extension.of(0, body)] }));
    expect(tls?.client?.ja3).toBeUndefined();
    expect(waybill.anomalies).toContain('hello_malformed');
  });

  it('with a last dot and capitals is the same destination', () => {
    const { tls, destination } = observeOne(connection(named('WWW.Files.Example.')));
    expect(tls?.client?.server_name).toBe('WWW.Files.Example.');
    expect(destination.domain).toBe('www.files.example');
  });
});
