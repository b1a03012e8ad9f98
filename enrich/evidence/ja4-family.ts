import { JA4_FAMILIES, type TlsFamily } from './ja4-table.ts';

/**
 * The library behind a JA4, from our own recordings; undefined for most. Other programs may use the same library, so an
 * agreement says nothing; that a browser shows another library than its own says something.
 */
export function ja4Family(
  ja4: string | undefined,
  table: ReadonlyMap<string, TlsFamily> = JA4_FAMILIES,
): TlsFamily | undefined {
  return ja4 === undefined ? undefined : table.get(ja4Core(ja4));
}

/** JA4 without its first part, which depends on the name and protocol asked for and not on the library. */
export const ja4Core = (ja4: string): string => ja4.slice(ja4.indexOf('_') + 1);
