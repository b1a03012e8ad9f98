/** Builders of DTLS records for tests (RFC 6347 §4.1, §4.2.2). */
import { u16, u24 } from './hellos.ts';

export interface DtlsFragmentParts {
  readonly type: number;
  readonly messageSeq?: number;
  readonly body: Uint8Array;
  /** Part of the body that this fragment carries; all of it when not said. */
  readonly from?: number;
  readonly to?: number;
}

/** One handshake fragment with its header. */
export function dtlsFragment({ type, messageSeq = 0, body, from = 0, to = body.length }: DtlsFragmentParts): number[] {
  return [type, ...u24(body.length), ...u16(messageSeq), ...u24(from), ...u24(to - from), ...body.subarray(from, to)];
}

/** One DTLS record. */
export const dtlsRecord = (type: number, content: readonly number[], epoch = 0, version = 0xfefd): Uint8Array =>
  Uint8Array.from([type, ...u16(version, epoch), 0, 0, 0, 0, 0, 1, ...u16(content.length), ...content]);
