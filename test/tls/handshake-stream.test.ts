import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandshakeStream } from '../../sensor/tls/handshake-stream.ts';
import {
  certificateBody,
  clientHelloBody,
  concat,
  extension,
  handshake,
  handshakeRecords,
  RETRY_REQUEST_RANDOM,
  record,
  serverHelloBody,
  sslV2Hello,
} from '../build/hellos.ts';
import { RecordingSink } from '../build/recording-sink.ts';

const hello = handshake(
  1,
  clientHelloBody({
    suites: [0x0a0a, 0x1301, 0xc02b],
    extensions: [extension.serverName('files.example'), extension.groups(0x2a2a, 29), extension.alpn('h2')],
  }),
);
const serverHello = handshake(2, serverHelloBody({ extensions: [extension.of(0xff01, [0])] }));
const certificate = handshake(11, certificateBody(Uint8Array.of(0x30, 0)));
const changeCipherSpec = record(20, [1]);
const finished = record(22, new Array(40).fill(0x80));
const applicationData = record(23, new Array(64).fill(9));

/** What the stream reports when the bytes come cut at these offsets. */
function read(bytes: Uint8Array, cuts: readonly number[] = []): string[] {
  const sink = new RecordingSink();
  const stream = new HandshakeStream(sink);
  const ends = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    stream.push(bytes, start, end);
    start = end;
  }
  return sink.order;
}

const everyOffset = (bytes: Uint8Array): number[] => Array.from(bytes, (_, i) => i);

describe('a TLS stream', () => {
  it('reports hello, key change, Finished and data of a TLS 1.2 client', () => {
    const bytes = concat([record(22, hello), changeCipherSpec, finished, applicationData]);
    expect(read(bytes)).toEqual([
      expect.stringMatching(/^client-hello /),
      'change-cipher-spec',
      'finished',
      'application-data',
    ]);
  });

  it('reports hello and certificate of a TLS 1.2 server from one record', () => {
    const bytes = concat([record(22, concat([serverHello, certificate, handshake(14, [])]))]);
    expect(read(bytes)).toEqual(['server-hello', 'certificate bad']);
  });

  it('takes a certificate without a ServerHello before it for the client’s, and leaves it', () => {
    expect(read(record(22, concat([hello, certificate])))).toEqual([expect.stringMatching(/^client-hello /)]);
  });

  it('takes nothing that follows a TLS 1.3 ServerHello for a certificate', () => {
    const hello13 = handshake(2, serverHelloBody({ extensions: [extension.selectedVersion(0x0304)] }));
    expect(read(record(22, concat([hello13, certificate])))).toEqual(['server-hello']);
  });

  it('reads the second hello after a HelloRetryRequest and a meaningless ChangeCipherSpec', () => {
    const bytes = concat([record(22, hello), changeCipherSpec, record(22, hello), applicationData]);
    expect(read(bytes).filter((event) => event.startsWith('client-hello'))).toHaveLength(2);
    const retry = handshake(2, serverHelloBody({ random: RETRY_REQUEST_RANDOM }));
    const answer = handshake(2, serverHelloBody({ extensions: [extension.selectedVersion(0x0304)] }));
    const server = concat([record(22, retry), changeCipherSpec, record(22, answer), applicationData]);
    for (const cuts of [[], everyOffset(server)]) {
      expect(read(server, cuts)).toEqual([
        'hello-retry-request',
        'change-cipher-spec',
        'server-hello',
        'application-data',
      ]);
    }
  });

  it('reads a second hello that is split over records, and one behind an encrypted record', () => {
    const split = concat([record(22, hello), changeCipherSpec, handshakeRecords(hello, [6, 7, 30])]);
    expect(read(split).filter((event) => event.startsWith('client-hello'))).toHaveLength(2);
    const behind = concat([changeCipherSpec, finished, record(22, hello)]);
    expect(read(behind)).toEqual(['change-cipher-spec', 'finished', expect.stringMatching(/^client-hello /)]);
  });

  it('allocates for a split message as often as its size doubles, not as often as it is cut', () => {
    const stream = new HandshakeStream(new RecordingSink());
    const bytes = handshakeRecords(handshake(1, new Uint8Array(60_000)), [15_000, 30_000, 45_000]);
    const sizes = new Set<number>();
    for (let at = 0; at + 1 < bytes.length; at++) {
      stream.push(bytes, at, at + 1);
      sizes.add(stream.heldBytes);
    }
    expect(sizes.size).toBeLessThanOrEqual(8);
  });

  it('reports an alert in the clear and none that is encrypted', () => {
    expect(read(record(21, [2, 40]))).toEqual(['alert 2 40']);
    expect(read(record(21, [2, 40]), [1, 5, 6])).toEqual(['alert 2 40']);
    expect(read(concat([changeCipherSpec, record(21, new Array(26).fill(1))]))).toEqual(['change-cipher-spec']);
  });

  it('stops at what is no record, and says why', () => {
    expect(read(concat([record(22, hello), Uint8Array.from([0x47, 0x45, 0x54, 0x20, 0x2f])]))[1]).toBe(
      'bad stream bad-type',
    );
    expect(read(Uint8Array.from([22, 3, 9, 0, 4]))).toEqual(['bad stream bad-version']);
    expect(read(Uint8Array.from([22, 3, 1, 0xff, 0xff]))).toEqual(['bad stream over-cap']);
  });

  it('names a hello that is over the cap and goes on after it', () => {
    const large = handshake(1, new Uint8Array(70_000));
    const cuts = [16_384, 32_768, 49_152, 65_536];
    expect(read(concat([handshakeRecords(large, cuts), record(22, hello)]))).toEqual([
      'bad client-hello over-cap',
      expect.stringMatching(/^client-hello /),
    ]);
  });

  it('names a certificate message that is over the cap', () => {
    const large = handshake(11, new Uint8Array(70_000));
    const cuts = [16_384, 32_768, 49_152, 65_536];
    expect(read(concat([record(22, serverHello), handshakeRecords(large, cuts)]))).toEqual([
      'server-hello',
      'certificate bad',
    ]);
  });

  it('reads an SSLv2-format hello, then TLS records', () => {
    const bytes = concat([sslV2Hello(0x0301, [0x04, 0x05, 0x010080]), changeCipherSpec]);
    for (const cuts of [[], [5], [bytes.length - 3], everyOffset(bytes)]) {
      expect(read(bytes, cuts)).toEqual(['sslv2-hello', 'change-cipher-spec']);
    }
  });

  it('holds no memory for a message that is whole, little for one that is not, and none after it', () => {
    const stream = new HandshakeStream(new RecordingSink());
    const bytes = record(22, handshake(1, new Uint8Array(60_000)).subarray(0, 16_000));
    stream.push(bytes, 0, bytes.length);
    expect(stream.inMessage).toBe(true);
    expect(stream.heldBytes).toBeLessThanOrEqual(2 * 16_000);
    stream.reset();
    expect(stream.heldBytes).toBe(0);
    expect(stream.inMessage).toBe(false);
  });

  it('is the same reader again after a reset', () => {
    const sink = new RecordingSink();
    const stream = new HandshakeStream(sink);
    const half = record(22, hello).subarray(0, 40);
    stream.push(half, 0, half.length);
    stream.reset();
    const whole = concat([record(22, hello), changeCipherSpec, finished]);
    stream.push(whole, 0, whole.length);
    expect(sink.order).toEqual(read(whole));
  });

  it('gives the same events for every cut of the stream into segments and of the messages into records', () => {
    const messages = concat([serverHello, certificate, handshake(22, new Uint8Array(90)), hello, handshake(14, [])]);
    const expected = read(concat([record(22, messages), changeCipherSpec, finished, applicationData]));
    const offset = fc.nat({ max: 1_000 });
    fc.assert(
      fc.property(fc.array(offset, { maxLength: 12 }), fc.array(offset, { maxLength: 20 }), (recordCuts, cuts) => {
        const bytes = concat([handshakeRecords(messages, recordCuts), changeCipherSpec, finished, applicationData]);
        expect(read(bytes, cuts)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
    const bytewise = handshakeRecords(messages, everyOffset(messages));
    expect(read(bytewise, everyOffset(bytewise))).toEqual(expected.slice(0, -3));
  });
});
