/**
 * The encrypted_client_hello extension of a ClientHello (draft-ietf-tls-esni §5).
 *
 *     struct {
 *         ECHClientHelloType type;          1    outer(0), inner(1)
 *         HpkeSymmetricCipherSuite suite;   4    KDF, AEAD
 *         uint8 config_id;                  1
 *         opaque enc<0..2^16-1>;        2 + n
 *         opaque payload<1..2^16-1>;    2 + n
 *     } ECHClientHello;                          of type outer
 */
import type { ByteCursor } from '../base/cursor.ts';
import { isGrease } from './grease.ts';

/**
 * `outer`: an encrypted hello may be inside, so the server name may be a public one in front of the real one. Browsers send
 * a look-alike to every server ("GREASE ECH", §6.2), so it need not be. `grease`: the bytes cannot hold an encrypted hello.
 * `esni`: the older extension that hid the name alone.
 */
export type EchKind = 'outer' | 'grease' | 'esni';

const OUTER = 0;
/** Every AEAD of HPKE appends a 16-byte tag (RFC 9180 §7.3), and a ClientHello cannot be shorter than 41 bytes. */
const MIN_PAYLOAD_BYTES = 41 + 16;

/** Reads the body of extension 0xfe0d. A body of another shape than the draft's cannot carry a hello. */
export function readEch(body: ByteCursor): EchKind {
  const type = body.u8();
  const kdf = body.u16();
  const aead = body.u16();
  body.u8(); // config_id
  body.vector16(); // enc
  const payload = body.vector16();
  const possible = !body.short && body.left === 0 && type === OUTER && payload.left >= MIN_PAYLOAD_BYTES;
  return possible && !isGrease(kdf) && !isGrease(aead) ? 'outer' : 'grease';
}
