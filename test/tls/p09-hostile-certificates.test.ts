/** p09: of any certificate the record says subject and issuer, or that it could not be read; the handshake is told all the same. */
import { describe, expect, it } from 'vitest';
import { MAX_ALTERNATIVE_NAMES } from '../../sensor/tls/certificate-names.ts';
import { cipherSuiteName } from '../../sensor/tls/cipher-suites.ts';
import { certificate, der, generalName, sequence } from '../build/der.ts';
import { certificateBody, concat, handshake, handshakeRecords, record, serverHelloBody } from '../build/hellos.ts';
import { observeOne } from '../build/observe.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import { helloFor, SERVER_NAME, type Turn } from '../build/tls-flights.ts';

const SUITE = 0xc02b;

/** A TLS 1.2 handshake whose server shows these certificates. */
function recordOf(...chain: readonly Uint8Array[]) {
  const messages = concat([
    handshake(2, serverHelloBody({ suite: SUITE })),
    handshake(11, certificateBody(...chain)),
    handshake(14, []),
  ]);
  const turns: Turn[] = [
    ['client', helloFor(SERVER_NAME)],
    [
      'server',
      handshakeRecords(
        messages,
        Array.from({ length: 16 }, (_, i) => (i + 1) * 16_000),
      ),
    ],
    ['client', concat([record(20, [1], 0x0303), record(22, new Array<number>(40).fill(1), 0x0303)])],
    ['server', concat([record(20, [1], 0x0303), record(22, new Array<number>(40).fill(1), 0x0303)])],
  ];
  return observeOne(frames(new TcpConnection().open().say(turns).close().packets));
}

const deep = (levels: number): number[] => {
  let value: number[] = der(0x05, []);
  for (let i = 0; i < levels; i++) value = der(0x30, value);
  return value;
};
const names = (count: number) => Array.from({ length: count }, (_, i) => generalName.dns(`h${i % 10}`));

describe('a handshake with a certificate that was written to hurt (p09)', () => {
  it.each([
    ['300 levels deep', certificate({ subject: deep(300) })],
    ['nothing but 1,000 levels', Uint8Array.from(deep(1_000))],
    ['broken DER', Uint8Array.from([0x30, 0x80, 0, 0])],
    ['cut short', certificate().subarray(0, 60)],
    ['more than 64 KiB', certificate({ alternativeNames: names(20_000) })],
    ['20,000 values', Uint8Array.from(sequence(...Array.from({ length: 20_000 }, () => der(5, []))))],
    ['no certificate', Uint8Array.from(Buffer.from('not a certificate'))],
  ])('is told without it: %s', (_, hostile) => {
    const { tls, waybill } = recordOf(hostile);
    expect(waybill.anomalies).toContain('certificate_malformed');
    expect(tls).toMatchObject({ cipher: cipherSuiteName(SUITE), client: { server_name: SERVER_NAME } });
    expect(tls?.server?.subject).toBeUndefined();
  });

  it.each([
    ['10,000 names', certificate({ alternativeNames: names(10_000) })],
    ['a key that nobody knows', certificate({ keyAlgorithm: '2a0304' })],
    ['dates that are none', certificate({ notBefore: der(0x17, []), notAfter: der(0x18, [0x39]) })],
    ['a serial of 60,000 octets', certificate({ serial: new Array<number>(60_000).fill(0x7f) })],
  ])('says who it is for in spite of %s', (_, odd) => {
    const { server } = recordOf(odd).tls ?? {};
    expect([server?.subject, server?.issuer]).toEqual(['CN=files.example', 'CN=Issuing CA']);
    expect(server?.hash?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(server?.x509?.alternative_names?.length ?? 0).toBeLessThanOrEqual(MAX_ALTERNATIVE_NAMES);
  });

  it('says who it is for whatever the rest of the chain is', () => {
    const { tls, waybill } = recordOf(certificate(), Uint8Array.from(deep(300)), Uint8Array.of(1), new Uint8Array(0));
    expect(tls?.server?.subject).toBe('CN=files.example');
    expect(waybill.anomalies).toBeUndefined();
  });
});
