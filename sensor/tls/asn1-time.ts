import { contentOf, type DerNode, DerTag, tagOf } from './der.ts';

/**
 * UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5; seconds may be missing and an offset may stand for Z, as X.680 allows)
 * as RFC 3339 in UTC with whole seconds. Undefined when it is no time. Years of UTCTime from 50 on are 19YY.
 */
export function asn1Time(node: DerNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  const tag = tagOf(node);
  if (tag !== DerTag.utcTime && tag !== DerTag.generalizedTime) return undefined;
  const content = contentOf(node);
  if (content.length > MAX_TIME_CHARACTERS) return undefined;
  const match = (tag === DerTag.utcTime ? UTC_TIME : GENERALIZED_TIME).exec(content);
  if (match === null) return undefined;

  const [, yearDigits, month, day, hour, minute, second = '0', zone] = match as string[] & RegExpExecArray;
  const year = tag === DerTag.generalizedTime ? Number(yearDigits) : century(Number(yearDigits));
  const date = new Date(0);
  date.setUTCFullYear(year, Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  // A field that was out of range has moved another one.
  if (date.getUTCDate() !== Number(day) || date.getUTCHours() !== Number(hour)) return undefined;
  if (date.getUTCMinutes() !== Number(minute) || date.getUTCMonth() !== Number(month) - 1) return undefined;
  date.setUTCMinutes(date.getUTCMinutes() - offsetMinutes(zone));
  const text = date.toISOString();
  return text.length === 24 ? text.replace('.000Z', 'Z') : undefined;
}

const MAX_TIME_CHARACTERS = 32;
const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?(Z|[+-]\d{4})?$/;

const century = (year: number): number => (year >= 50 ? 1900 + year : 2000 + year);

function offsetMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5));
  return zone.startsWith('-') ? -minutes : minutes;
}
