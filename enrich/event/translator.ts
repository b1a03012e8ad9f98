import { isIP } from 'node:net';

/** Gateways of a configuration, and networks behind one of them. */
export const MAX_TRANSLATORS = 64;
export const MAX_INSIDE = 64;

/** A gateway that translates addresses, and the networks whose hosts are seen with its address. */
export interface Translator {
  readonly address: string;
  /** `ADDRESS/BITS`. */
  readonly inside: readonly string[];
}

/** Whether this is `ADDRESS/BITS` of either family. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const family = isIP(address);
  return more.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}
