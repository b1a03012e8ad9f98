import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClientHello, type HelloFraming, parseClientHello } from '../../sensor/tls/client-hello.ts';
import { clientHelloBody, type Extension, extension, type HelloParts } from '../build/hellos.ts';

/** Sent in front of the suites it keeps a hello from being remembered, and from being made from another. */
const GREASE = 0x3a3a;

function parse(parts: HelloParts, framing: HelloFraming = 'tls'): ClientHello {
  const body = clientHelloBody(parts);
  const outcome = parseClientHello(body, 0, body.length, framing);
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

/** The same read from the bytes alone. */
function parseAlone(parts: HelloParts, framing: HelloFraming): Omit<ClientHello, 'likeness'> {
  const { likeness, ...hello } = parse({ ...parts, suites: [GREASE, ...(parts.suites ?? [])] }, framing);
  expect(likeness).toBeUndefined();
  return { ...hello, cipherSuites: hello.cipherSuites.slice(1) };
}

const word = fc.constantFrom(0, 1, 10, 0x0403, 0x1301, 0x7a7a, 0xfe0d, 0xffff);
const words = fc.array(word, { maxLength: 4 });
const name = fc.constantFrom('', 'a', 'h2', 'files.example', 'a'.repeat(300));

const common: fc.Arbitrary<Extension> = fc.oneof(
  words.map((list) => extension.groups(...list)),
  words.map((list) => extension.signatureAlgorithms(...list)),
  words.map((list) => extension.supportedVersions(...list)),
  fc.array(fc.nat(255), { maxLength: 3 }).map((list) => extension.pointFormats(...list)),
  fc.array(name, { maxLength: 3 }).map((list) => extension.alpn(...list.map((text) => text.slice(0, 200)))),
  fc.constantFrom<Extension>([42, []], [0xffce, [1]], [23, []], [41, [1, 2]]),
);
/** What differs from connection to connection. */
const own: fc.Arbitrary<Extension> = fc.oneof(
  fc.array(name, { maxLength: 2 }).map((list) => extension.serverName(...list)),
  fc.constantFrom(extension.of(0), extension.sessionTicket(0), extension.sessionTicket(9)),
  fc.constantFrom(extension.encryptedClientHello(8), extension.encryptedClientHello(176)),
  fc.array(fc.nat(255), { maxLength: 9 }).map((body) => extension.of(51, body)),
);
const bytes = (length: number) => fc.array(fc.nat(255), { minLength: length, maxLength: length });
const hello = fc.record({
  version: fc.constantFrom(0x0303, 0x0301),
  suites: words.filter(([first]) => first !== 0x7a7a),
  random: bytes(32),
  sessionId: fc.oneof(bytes(0), bytes(32)),
  cookie: bytes(3),
  extensions: fc.array(fc.oneof(common, own), { maxLength: 6 }),
});

describe('hellos of one program', () => {
  const firefox = (host: string): HelloParts => ({
    random: Array.from({ length: 32 }, (_, i) => (host.length * i) & 255),
    extensions: [extension.serverName(host), extension.groups(29, 23), extension.alpn('h2')],
  });

  it('are alike whatever they connect to, and have their own names', () => {
    const [one, two] = [parse(firefox('a.example')), parse(firefox('other.example'))];
    expect(two.likeness).toBe(one.likeness);
    expect([one.serverName, two.serverName]).toEqual(['a.example', 'other.example']);
  });

  it('are not alike when one list differs', () => {
    const one = parse(firefox('a.example'));
    const two = parse({ ...firefox('a.example'), extensions: [extension.groups(29, 24)] });
    expect(two.likeness).not.toBe(one.likeness);
    expect(two.groups).toEqual([29, 24]);
  });

  it('are read as each would be alone', () => {
    fc.assert(
      fc.property(
        hello,
        fc.array(hello, { maxLength: 4 }),
        fc.constantFrom<HelloFraming>('tls', 'dtls'),
        (a, others, framing) => {
          // The others have the extensions of the first by turns, so that some agree in all that is compared.
          for (const parts of [
            a,
            ...others,
            ...others.map((b) => ({ ...b, suites: a.suites, extensions: a.extensions })),
          ]) {
            const { cookie, ...rest } = { ...parts, version: a.version };
            const sent = framing === 'dtls' ? { ...rest, cookie } : rest;
            const { likeness: _, ...read } = parse(sent, framing);
            expect(read).toEqual(parseAlone(sent, framing));
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
