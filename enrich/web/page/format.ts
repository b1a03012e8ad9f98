export { formatBytes, formatSeconds } from '../../score/format.ts';

const MINUS = '−';

/** Decibels with their sign, one digit. */
export const formatDb = (db: number): string => `${db < 0 ? MINUS : '+'}${Math.abs(db).toFixed(1)}`;

/** A probability as analysts compare them: never quite 0 or 1. */
export function formatProbability(p: number): string {
  if (p >= 0.995) return '> 0.99';
  if (p > 0 && p < 0.005) return '< 0.01';
  return p.toFixed(2);
}

/** `2026-11-23 09:00:12` of an ISO time, in UTC as everything here. */
export const formatTime = (iso: string): string => iso.slice(0, 19).replace('T', ' ');

export const formatCount = (count: number): string => count.toLocaleString('en');

/** Last part of a Windows or Unix path. */
export const fileName = (path: string): string => path.split(/[\\/]/).at(-1) || path;

/** Milliseconds since 1970, of an ISO time; fractions keep the microseconds. */
export function millisOf(iso: string): number {
  const whole = Date.parse(`${iso.slice(0, 19)}Z`);
  const fraction = /\.(\d+)/.exec(iso)?.[1];
  return whole + (fraction === undefined ? 0 : Number(`0.${fraction}`) * 1000);
}
