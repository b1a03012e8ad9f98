/** A recorded ClientHello taken apart, so that every generated flow can have one of its own. */
import { isGrease } from '../../sensor/tls/grease.ts';
import type { Random } from './random.ts';

const RECORD_HEADER = 5;
const HANDSHAKE_HEADER = 4;
const RANDOM_AT = RECORD_HEADER + HANDSHAKE_HEADER + 2;
const PRE_SHARED_KEY = 41;
const SERVER_NAME = 0;

export interface HelloRecord {
  /** The TLS record as it was sent. */
  readonly record: Uint8Array;
  /** Where the extensions begin in it; they reach to its end. */
  readonly extensionsAt: number;
  /** Each with its type and length. */
  readonly extensions: readonly Uint8Array[];
}

/** Takes a TLS record apart that holds one whole ClientHello and nothing else; undefined when it is none. */
export function readHelloRecord(bytes: Uint8Array): HelloRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 100 || bytes[0] !== 22 || bytes[5] !== 1) return undefined;
  if (view.getUint16(3) !== bytes.length - RECORD_HEADER) return undefined;
  let at = RANDOM_AT + 32;
  at += 1 + bytes[at]!;
  at += 2 + view.getUint16(at);
  at += 1 + bytes[at]!;
  if (view.getUint16(at) !== bytes.length - at - 2) return undefined;
  const extensionsAt = at + 2;
  const extensions: Uint8Array[] = [];
  for (at = extensionsAt; at < bytes.length; ) {
    const size = 4 + view.getUint16(at + 2);
    extensions.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { record: bytes, extensionsAt, extensions };
}

const typeOf = (extension: Uint8Array): number => (extension[0]! << 8) | extension[1]!;

/** Chromium orders its extensions anew in each connection; GREASE stays at the ends and a pre-shared key last. */
function shuffled(extensions: readonly Uint8Array[], random: Random): readonly Uint8Array[] {
  if (!isGrease(typeOf(extensions[0]!))) return extensions;
  const moves = (extension: Uint8Array) => !isGrease(typeOf(extension)) && typeOf(extension) !== PRE_SHARED_KEY;
  const order = [...extensions];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    if (moves(order[i]!) && moves(order[j]!)) [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The hello as another connection would have sent it: own random, order of extensions, and first label of the name. */
export function anotherHello(hello: HelloRecord, random: Random, rename: boolean): Uint8Array {
  const bytes = Uint8Array.from(hello.record); // slice() of a Buffer is no copy
  random.fill(bytes, RANDOM_AT, RANDOM_AT + 32);
  let at = hello.extensionsAt;
  for (const extension of shuffled(hello.extensions, random)) {
    bytes.set(extension, at);
    // type 2, length 2, list length 2, name type 1, name length 2
    if (rename && typeOf(extension) === SERVER_NAME) nameAnew(bytes, at + 9, random.below(NAMES));
    at += extension.length;
  }
  return bytes;
}

/** Different names that are asked for. */
const NAMES = 5_000;
const DOT = 0x2e;

function nameAnew(bytes: Uint8Array, start: number, number: number): void {
  const digits = number.toString(36).padStart(4, '0');
  for (let i = 0; i < digits.length && bytes[start + i] !== DOT; i++) bytes[start + i] = digits.charCodeAt(i);
}
