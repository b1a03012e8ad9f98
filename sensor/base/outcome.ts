/**
 * Why a parser refused a byte sequence. A closed list, because each is also a metric label and an anomaly name:
 * it never carries bytes from the wire.
 */
export type Fault =
  | 'truncated'
  | 'trailing-bytes'
  | 'length-mismatch'
  | 'odd-length'
  | 'bad-version'
  | 'bad-type'
  | 'over-cap'
  | 'decrypt-failed'
  | 'unknown-version';

/**
 * What a parser says about a byte sequence. Parsers return one of these and never throw.
 * `more` is no error: the caller may come back with at least `need` further bytes.
 */
export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'more'; readonly need: number }
  | { readonly kind: 'bad'; readonly why: Fault; readonly at: number };

export const ok = <T>(value: T): Outcome<T> => ({ kind: 'ok', value });
export const more = (need: number): Outcome<never> => ({ kind: 'more', need });
export const bad = (why: Fault, at: number): Outcome<never> => ({ kind: 'bad', why, at });
