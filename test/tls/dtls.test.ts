import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DtlsHandshake } from '../../sensor/tls/dtls-handshake.ts';
import { looksLikeDtls } from '../../sensor/tls/dtls-record.ts';
import { ja3String } from '../../sensor/tls/ja3.ts';
import { certificate } from '../build/der.ts';
import { type DtlsFragmentParts, dtlsFragment, dtlsRecord } from '../build/dtls.ts';
import {
  certificateBody,
  clientHelloBody,
  concat,
  extension,
  RETRY_REQUEST_RANDOM,
  record,
  serverHelloBody,
} from '../build/hellos.ts';
import { RecordingSink } from '../build/recording-sink.ts';

const hello = clientHelloBody({
  version: 0xfefd,
  cookie: [],
  suites: [0xc02b],
  extensions: [extension.serverName('turn.example'), extension.groups(29)],
});
const helloWithCookie = clientHelloBody({
  version: 0xfefd,
  cookie: [1, 2, 3, 4],
  suites: [0xc02b],
  extensions: [extension.groups(29)],
});
const serverHello = serverHelloBody({ version: 0xfefd, suite: 0xc02b });
const certificates = certificateBody(certificate());

const fragment = (parts: DtlsFragmentParts): Uint8Array => dtlsRecord(22, dtlsFragment(parts));
const whole = (type: number, body: Uint8Array, messageSeq = 0): Uint8Array => fragment({ type, body, messageSeq });

function events(side: 'client' | 'server', ...datagrams: Uint8Array[]): string[] {
  return follow(side, ...datagrams).sink.order.map((event) => event.replace(/^(client-hello) .*/, '$1'));
}
function follow(side: 'client' | 'server', ...datagrams: Uint8Array[]): { sink: RecordingSink; dtls: DtlsHandshake } {
  const sink = new RecordingSink();
  const dtls = new DtlsHandshake(sink);
  for (const bytes of datagrams) {
    const framed = concat([Uint8Array.of(7), bytes, Uint8Array.of(22)]);
    dtls[side](framed, 1, 1 + bytes.length);
  }
  return { sink, dtls };
}

describe('a DTLS handshake', () => {
  it('gives the client’s hello, cookie apart', () => {
    const { sink } = follow('client', whole(1, helloWithCookie));
    expect(sink.clientHellos.map(ja3String)).toEqual(['65277,49195,10,29,']);
    expect(sink.clientHellos[0]?.cookieLength).toBe(4);
  });

  it('gives both hellos around a HelloVerifyRequest, which says nothing', () => {
    expect(events('client', whole(1, hello), whole(1, helloWithCookie, 1))).toEqual(['client-hello', 'client-hello']);
    expect(events('server', whole(3, Uint8Array.of(0xfe, 0xff, 1, 9)), whole(2, serverHello, 1))).toEqual([
      'server-hello',
    ]);
  });

  it('gives the server’s certificate from records of one datagram and messages of one record', () => {
    const datagram = concat([
      whole(2, serverHello),
      dtlsRecord(22, [
        ...dtlsFragment({ type: 11, messageSeq: 1, body: certificates }),
        ...dtlsFragment({ type: 14, messageSeq: 2, body: new Uint8Array(0) }),
      ]),
    ]);
    expect(events('server', datagram)).toEqual(['server-hello', 'certificate facts']);
  });

  it('knows the retry request of DTLS 1.3', () => {
    const retry = serverHelloBody({ version: 0xfefd, random: RETRY_REQUEST_RANDOM });
    expect(events('server', whole(2, retry))).toEqual(['hello-retry-request']);
  });

  it('reports a retransmitted message once', () => {
    expect(events('client', whole(1, hello), whole(1, hello), whole(1, hello))).toEqual(['client-hello']);
  });

  it('is the same however two hellos are cut into fragments that come in any order and twice', () => {
    const cuts = fc.array(fc.nat(hello.length), { maxLength: 6 });
    const pieces = (body: Uint8Array, messageSeq: number, at: number[]): Uint8Array[] => {
      const ends = [...new Set([...at.filter((cut) => cut > 0 && cut < body.length), body.length])].sort(
        (a, b) => a - b,
      );
      return ends.map((to, i) => fragment({ type: 1, body, messageSeq, from: ends[i - 1] ?? 0, to }));
    };
    fc.assert(
      fc.property(cuts, cuts, fc.array(fc.nat(20), { maxLength: 40 }), (first, second, order) => {
        const all = [...pieces(hello, 0, first), ...pieces(helloWithCookie, 1, second)];
        const shuffled = [...order.flatMap((i) => all[i % all.length] ?? []), ...all.reverse()];
        const { sink, dtls } = follow('client', ...shuffled);
        expect(sink.clientHellos.map((found) => found.cookieLength).sort()).toEqual([0, 4]);
        expect(dtls.heldBytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('reports key change, Finished, data and alerts once each', () => {
    const datagrams = [
      dtlsRecord(20, [1]),
      dtlsRecord(22, new Array(40).fill(0xab), 1),
      dtlsRecord(22, new Array(40).fill(0xab), 1),
      dtlsRecord(23, new Array(40).fill(0xab), 1),
      dtlsRecord(23, new Array(40).fill(0xab), 1),
    ];
    expect(events('client', ...datagrams)).toEqual(['change-cipher-spec', 'finished', 'application-data']);
    expect(events('server', dtlsRecord(21, [2, 40]), dtlsRecord(21, new Array(30).fill(1), 1))).toEqual(['alert 2 40']);
  });

  it('knows the encrypted records of DTLS 1.3 by their first byte', () => {
    const unified = (epochBits: number): Uint8Array =>
      Uint8Array.from([0x2c | epochBits, 0, 1, 0, 20, ...new Array(20).fill(9)]);
    expect(events('client', unified(2), unified(2), unified(3), unified(3))).toEqual(['finished', 'application-data']);
  });

  it('is over when both sides send data', () => {
    const { dtls } = follow('client', dtlsRecord(23, [1], 1));
    expect(dtls.done).toBe(false);
    const data = dtlsRecord(23, [1], 1);
    dtls.server(data, 0, data.length);
    expect(dtls.done).toBe(true);
  });
});

describe('damaged DTLS', () => {
  it('gives no hello for any proper prefix of its datagram', () => {
    const datagram = whole(1, hello);
    for (let length = 0; length < datagram.length; length++) {
      expect(follow('client', datagram.subarray(0, length)).sink.clientHellos).toEqual([]);
    }
  });

  it('names fragments that do not fit their message or their record', () => {
    const beyond = dtlsFragment({ type: 1, body: hello, from: 10, to: 30 });
    beyond[8] = 0xff; // low byte of fragment_offset
    beyond[7] = 0xff;
    expect(events('client', dtlsRecord(22, beyond))).toEqual(['bad stream length-mismatch']);
    expect(events('client', dtlsRecord(22, [1, 0, 0, 9]))).toEqual(['bad stream length-mismatch']);
  });

  it('leaves fragments that contradict the first ones of their message', () => {
    const first = fragment({ type: 1, body: hello, from: 0, to: 40 });
    const other = fragment({ type: 1, body: new Uint8Array(90), from: 0, to: 40 });
    const rest = fragment({ type: 1, body: hello, from: 40 });
    expect(events('client', first, other, rest)).toEqual(['client-hello']);
  });

  it('names a hello over the cap once, and passes over messages that nobody reads', () => {
    const large = new Uint8Array(70_000);
    const part = (from: number): Uint8Array => fragment({ type: 1, body: large, from, to: from + 100 });
    expect(events('client', part(0), part(100))).toEqual(['bad client-hello over-cap']);
    expect(events('client', fragment({ type: 16, body: large, from: 0, to: 100 }))).toEqual([]);
  });

  it('holds a bounded number of incomplete messages, and none far ahead', () => {
    const { dtls } = follow(
      'client',
      ...Array.from({ length: 31 }, (_, messageSeq) =>
        fragment({ type: 1, body: new Uint8Array(60_000), messageSeq, from: 0, to: 1_000 }),
      ),
    );
    expect(dtls.heldBytes).toBeLessThanOrEqual(4 * 16 * 1024);
    expect(dtls.heldBytes).toBeGreaterThan(0);
    const far = follow('client', fragment({ type: 1, body: new Uint8Array(60_000), from: 50_000, to: 51_000 }));
    expect(far.dtls.heldBytes).toBe(0);
  });

  it('looks at a bounded number of records of a datagram', () => {
    const records = Array.from({ length: 200 }, () => dtlsRecord(20, [1]));
    expect(events('client', concat(records)).length).toBeLessThanOrEqual(32);
  });
});

describe('the DTLS probe', () => {
  const probe = (bytes: Uint8Array): boolean => looksLikeDtls(bytes, 0, bytes.length);

  it('knows a hello of either side, whole or not, and a HelloVerifyRequest', () => {
    expect(probe(whole(1, hello))).toBe(true);
    expect(probe(fragment({ type: 1, body: hello, from: 0, to: 20 }))).toBe(true);
    expect(probe(whole(2, serverHello))).toBe(true);
    expect(probe(whole(3, new Uint8Array(20)))).toBe(true);
    expect(probe(dtlsRecord(22, dtlsFragment({ type: 1, body: hello }), 0, 0x0100))).toBe(true);
  });

  it.each([
    ['a TLS record', record(22, [1, 0, 0, 40, ...new Array(40).fill(3)])],
    ['another message', whole(14, new Uint8Array(20))],
    ['an encrypted message', dtlsRecord(22, dtlsFragment({ type: 1, body: hello }), 1)],
    ['STUN', Uint8Array.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...new Array(30).fill(0)])],
    ['a cut record', whole(1, hello).subarray(0, 40)],
    ['ones', new Uint8Array(60).fill(0xff)],
    ['nothing', new Uint8Array(0)],
  ])('does not know %s', (_, bytes) => expect(probe(bytes)).toBe(false));
});
