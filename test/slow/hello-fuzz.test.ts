/**
 * p01: damaged hellos, a million of them when asked: WAYBILL_FUZZ_RUNS=1000000 npx vitest run test/slow/hello-fuzz.test.ts
 * Each begins as a valid hello of random structure; then one or a few things about it are made wrong.
 */
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../sensor/tls/certificate.ts';
import { type ClientHello, parseClientHello } from '../../sensor/tls/client-hello.ts';
import { DtlsHandshake } from '../../sensor/tls/dtls-handshake.ts';
import { HandshakeStream } from '../../sensor/tls/handshake-stream.ts';
import { ja3, ja3String, ja3s } from '../../sensor/tls/ja3.ts';
import { ja4 } from '../../sensor/tls/ja4.ts';
import { QuicHandshake } from '../../sensor/tls/quic-handshake.ts';
import { looksLikeQuicInitial } from '../../sensor/tls/quic-packet.ts';
import { parseServerHello } from '../../sensor/tls/server-hello.ts';
import { SshStream } from '../../sensor/tls/ssh.ts';
import { looksLikeTls } from '../../sensor/tls/tls-record.ts';
import { Random } from '../bench/random.ts';
import { certificate, generalName } from '../build/der.ts';
import { dtlsFragment, dtlsRecord } from '../build/dtls.ts';
import {
  clientHelloBody,
  concat,
  type Extension,
  extension,
  handshake,
  handshakeRecords,
  serverHelloBody,
} from '../build/hellos.ts';
import { frame, sealInitial } from '../build/quic.ts';
import { RecordingSink } from '../build/recording-sink.ts';

const RUNS = Number(process.env.WAYBILL_FUZZ_RUNS ?? 20_000);
const SEED = Number(process.env.WAYBILL_FUZZ_SEED ?? 0x5eed);

const numbers = (random: Random, most: number, limit: number): number[] =>
  Array.from({ length: random.below(most + 1) }, () => random.below(limit));
const anyList = (random: Random, most: number): number[] => numbers(random, most, 0x10000);
const anyBytes = (random: Random, most: number): number[] => numbers(random, most, 0x100);

/** A valid ClientHello body of random structure. */
function anyHello(random: Random, cookie: boolean): Uint8Array {
  const extensions = Array.from({ length: random.below(9) }, (): Extension => {
    switch (random.below(10)) {
      case 0:
        return extension.serverName('a.example'.slice(0, random.below(10)));
      case 1:
        return extension.groups(...anyList(random, 6));
      case 2:
        return extension.pointFormats(...anyBytes(random, 3));
      case 3:
        return extension.signatureAlgorithms(...anyList(random, 8));
      case 4:
        return extension.alpn('h2', 'http/1.1'.slice(0, random.below(9)));
      case 5:
        return extension.supportedVersions(...anyList(random, 4));
      case 6:
        return extension.encryptedClientHello(random.below(90));
      case 7:
        return extension.preSharedKey();
      default:
        return extension.of(random.below(0x10000), anyBytes(random, 12));
    }
  });
  return clientHelloBody({
    version: random.pick([0x0303, 0x0301, 0x0300, 0xfefd]),
    sessionId: anyBytes(random, 32),
    ...(cookie ? { cookie: anyBytes(random, 20) } : {}),
    suites: anyList(random, 20),
    compression: anyBytes(random, 2),
    extensions: random.below(8) === 0 ? null : extensions,
  });
}

/** Makes something about the bytes wrong: a value, a length, the end, a piece missing or twice. */
function damage(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const copy = bytes.slice();
  switch (random.below(6)) {
    case 0:
      copy[at] = random.below(256);
      return copy;
    case 1:
      copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xfe, 0xff]);
      return copy;
    case 2:
      copy[at] = ((copy[at] ?? 0) + random.pick([1, -1, 2, -2])) & 0xff;
      return copy;
    case 3:
      return copy.subarray(0, at);
    case 4:
      return concat([copy.subarray(0, at), Uint8Array.from(anyBytes(random, 6)), copy.subarray(at)]);
    default:
      return concat([copy.subarray(0, at), copy.subarray(Math.min(copy.length, at + random.below(6)))]);
  }
}

/** In the middle of other bytes, so that a read outside the window shows as another answer. */
function parseFramed(bytes: Uint8Array, fill: number, dtls: boolean): ReturnType<typeof parseClientHello> {
  const framed = concat([new Uint8Array(9).fill(fill), bytes, new Uint8Array(70).fill(fill)]);
  return parseClientHello(framed, 9, 9 + bytes.length, dtls ? 'dtls' : 'tls');
}

function checkHello(hello: ClientHello): void {
  const { ja4: fingerprint, raw } = ja4(hello, 't');
  if (!/^t(?:1[0-3]|s[23]|d[1-3]|00)[di]\d{4}[^_]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/.test(fingerprint))
    expect(fingerprint).toBe('a JA4');
  if (!/^\d+,[\d-]*,[\d-]*,[\d-]*,[\d-]*$/.test(ja3String(hello))) expect(ja3String(hello)).toBe('a JA3 string');
  if (!/^[0-9a-f]{32}$/.test(ja3(hello))) expect(ja3(hello)).toBe('a JA3');
  if (raw.length < 12) expect(raw).toBe('a JA4_r');
}

describe(`${RUNS} damaged inputs`, () => {
  const timeout = 60_000 + RUNS;

  it('make no ClientHello parser throw or look outside its window, and no fingerprint malformed', { timeout }, () => {
    const random = new Random(SEED);
    const seen = { ok: 0, bad: 0, more: 0 };
    for (let run = 0; run < RUNS; run++) {
      const dtls = random.below(8) === 0;
      let bytes = anyHello(random, dtls);
      for (let i = random.below(3); i >= 0; i--) bytes = damage(random, bytes);
      const outcome = parseFramed(bytes, 0, dtls);
      const again = parseFramed(bytes, 0xff, dtls);
      if (JSON.stringify(outcome) !== JSON.stringify(again)) expect(outcome).toEqual(again);
      if (outcome.kind === 'ok') checkHello(outcome.value);
      seen[outcome.kind]++;
    }
    // Proof that the damage is neither always nor never fatal.
    expect(seen.ok).toBeGreaterThan(RUNS / 20);
    expect(seen.bad).toBeGreaterThan(RUNS / 4);
    expect(seen.more).toBe(0);
  });

  it('give a reader of a stream the same events however they are cut', { timeout }, () => {
    const random = new Random(SEED + 1);
    const der = certificate({ alternativeNames: [generalName.dns('a.example')] });
    for (let run = 0; run < RUNS / 4; run++) {
      const messages = [
        handshake(1, anyHello(random, false)),
        handshake(2, serverHelloBody({ extensions: [extension.of(random.below(50), anyBytes(random, 5))] })),
        handshake(11, [0, 0, der.length + 3, 0, 0, der.length, ...der]),
        handshake(14, []),
      ];
      const stream = concat(messages.slice(random.below(2)));
      const bytes = damage(
        random,
        concat([
          handshakeRecords(stream, [random.below(stream.length), random.below(stream.length)]),
          Uint8Array.of(20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 3, 1, 2, 3),
        ]),
      );
      looksLikeTls(bytes, 0, bytes.length);
      const whole = new RecordingSink();
      new HandshakeStream(whole).push(bytes, 0, bytes.length);
      const pieces = new RecordingSink();
      const reader = new HandshakeStream(pieces);
      for (let at = 0; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + 1 + random.below(40));
        reader.push(bytes.slice(at, end), 0, end - at);
        at = end;
      }
      if (whole.order.join() !== pieces.order.join()) expect(pieces.order).toEqual(whole.order);
      if (JSON.stringify(whole.clientHellos) !== JSON.stringify(pieces.clientHellos)) expect(pieces).toEqual(whole);
    }
  });

  it('make no reader of ServerHellos, certificates, QUIC, DTLS or SSH throw', { timeout }, () => {
    const random = new Random(SEED + 2);
    const der = certificate({ alternativeNames: [generalName.dns('a.example'), generalName.address(1, 2, 3, 4)] });
    const dcid = [1, 2, 3, 4, 5, 6, 7, 8];
    let hellos = 0;
    for (let run = 0; run < RUNS / 8; run++) {
      const server = damage(
        random,
        serverHelloBody({
          sessionId: anyBytes(random, 32),
          extensions: [extension.alpn('h2'), extension.selectedVersion(random.below(0x10000))],
        }),
      );
      const parsed = parseServerHello(server, 0, server.length);
      if (parsed.kind === 'ok') ja3s(parsed.value);

      const cert = damage(random, damage(random, der));
      readCertificate(cert, 0, cert.length);

      const hello = handshake(1, anyHello(random, false));
      const payload = damage(
        random,
        Uint8Array.from([...frame.ack(true), ...frame.crypto(0, hello), ...frame.padding(30)]),
      );
      const packet = sealInitial({ dcid, payload: [...payload, ...frame.padding(20)] });
      const datagram = random.below(2) === 0 ? packet : damage(random, packet);
      looksLikeQuicInitial(datagram, 0, datagram.length);
      const sink = new RecordingSink();
      new QuicHandshake(sink).client(datagram, 0, datagram.length);
      hellos += sink.clientHellos.length;

      const body = anyHello(random, true);
      const cut = random.below(body.length);
      const dtls = new DtlsHandshake(sink);
      for (const [from, to] of [
        [0, cut],
        [cut, body.length],
      ] as const) {
        const bytes = damage(random, dtlsRecord(22, dtlsFragment({ type: 1, body, from, to })));
        dtls.client(bytes, 0, bytes.length);
      }

      const ssh = new SshStream('client');
      const opening = damage(
        random,
        Uint8Array.from([
          ...Buffer.from('SSH-2.0-a\r\n'),
          0,
          0,
          0,
          70,
          4,
          20,
          ...new Array(16).fill(1),
          ...anyBytes(random, 60),
        ]),
      );
      ssh.push(opening, 0, opening.length);
    }
    expect(hellos).toBeGreaterThan(RUNS / 80);
  });
});
