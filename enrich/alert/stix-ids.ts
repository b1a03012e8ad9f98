import { createHash } from 'node:crypto';

/** Namespace of STIX 2.1 for the ids of cyber-observable objects (§2.9). */
const OBSERVABLES = '00abedb4-aa42-466c-9c01-fed23315a9b7';
/** Our own, for objects whose ids that section does not make. */
const WAYBILL = '5d2e6f0c-6c5b-5d6f-9d53-6f2c0a4be1a7';

/** Name-based UUID, version 5 (RFC 9562 §5.5): the same name gives the same id wherever it is made. */
export function uuid5(namespace: string, name: string): string {
  const digest = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Id of an observable by the properties that contribute to it, keys in their order (RFC 8785). */
export function observableId(type: string, contributing: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(contributing).filter((key) => contributing[key] !== undefined);
  const canonical = Object.fromEntries(keys.sort().map((key) => [key, contributing[key]]));
  return `${type}--${uuid5(OBSERVABLES, JSON.stringify(canonical))}`;
}

/** Id of anything else, by what it is about. */
export const objectId = (type: string, ...about: readonly string[]): string =>
  `${type}--${uuid5(WAYBILL, JSON.stringify([type, ...about]))}`;
