/** What the two sides of a TLS connection say, flight by flight. */
import { certificate, generalName } from './der.ts';
import {
  certificateBody,
  clientHelloBody,
  concat,
  type Extension,
  extension,
  type HelloParts,
  handshake,
  handshakeRecords,
  record,
  serverHelloBody,
} from './hellos.ts';

export type Who = 'client' | 'server';

/** One side's bytes until it waits for the other. */
export type Turn = readonly [who: Who, bytes: Uint8Array];

export const SERVER_NAME = 'files.example';

/** Extensions of an ordinary client; `names` in its server_name, no such extension when there are none. */
export function ordinaryExtensions(...names: readonly string[]): Extension[] {
  return [
    ...(names.length > 0 ? [extension.serverName(...names)] : []),
    extension.groups(0x001d, 0x0017),
    extension.pointFormats(0),
    extension.signatureAlgorithms(0x0403, 0x0804),
    extension.alpn('h2', 'http/1.1'),
    extension.supportedVersions(0x0304, 0x0303),
    extension.of(51, new Array<number>(40).fill(0x33)),
  ];
}

/** The handshake message of a ClientHello, without its record. */
export function helloMessage(parts: HelloParts = {}): Uint8Array {
  return handshake(
    1,
    clientHelloBody({
      suites: [0x1301, 0x1302, 0xc02f],
      sessionId: new Array<number>(32).fill(0x5e),
      extensions: ordinaryExtensions(SERVER_NAME),
      ...parts,
    }),
  );
}

/** A ClientHello for `name` in one record. */
export const helloFor = (name: string): Uint8Array =>
  handshakeRecords(helloMessage({ extensions: ordinaryExtensions(name) }));

/** One application data record of `bytes` bytes of payload, and 5 of header. */
export const applicationData = (bytes: number): Uint8Array => record(23, new Array<number>(bytes).fill(0xa7), 0x0303);

const changeCipherSpec = record(20, [1], 0x0303);

/** A TLS 1.3 handshake; the client's hello may be given. */
export function tls13(hello: Uint8Array = helloFor(SERVER_NAME)): Turn[] {
  const serverHello = serverHelloBody({
    suite: 0x1301,
    sessionId: new Array<number>(32).fill(0x5e),
    extensions: [extension.selectedVersion(0x0304), extension.of(51, new Array<number>(36).fill(0x44))],
  });
  return [
    ['client', hello],
    ['server', concat([handshakeRecords(handshake(2, serverHello)), changeCipherSpec, applicationData(1_800)])],
    ['client', concat([changeCipherSpec, applicationData(53)])],
  ];
}

/** The certificate that `tls12` shows. */
export const leaf: Uint8Array = certificate({
  alternativeNames: [generalName.dns(SERVER_NAME), generalName.dns('*.files.example')],
});

/** A full TLS 1.2 handshake. */
export function tls12(hello: Uint8Array = helloFor(SERVER_NAME)): Turn[] {
  const messages = concat([
    handshake(2, serverHelloBody({ suite: 0xc02f, sessionId: new Array<number>(32).fill(0x77) })),
    handshake(11, certificateBody(leaf)),
    handshake(12, new Array<number>(180).fill(0x12)),
    handshake(14, []),
  ]);
  const finished = record(22, new Array<number>(40).fill(0xf1), 0x0303);
  return [
    ['client', hello],
    ['server', handshakeRecords(messages)],
    ['client', concat([handshakeRecords(handshake(16, new Array<number>(66).fill(0x16))), changeCipherSpec, finished])],
    ['server', concat([changeCipherSpec, finished])],
  ];
}

/** Payload bytes of one side. */
export const bytesFrom = (who: Who, turns: readonly Turn[]): number =>
  turns.reduce((sum, [from, bytes]) => (from === who ? sum + bytes.length : sum), 0);
