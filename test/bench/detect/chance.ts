/** Seeded chance for the simulator: streams that do not disturb each other, and the distributions that work follows. */
import { createHash } from 'node:crypto';
import { Random } from '../random.ts';

/** A stream of its own for every name: what one host does never shifts what another one does. */
export function streamOf(...parts: readonly (string | number)[]): Random {
  return new Random(numberOf(...parts));
}

/** 32 bits that are a function of the parts. */
export function numberOf(...parts: readonly (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(parts)).digest().readUInt32LE(0);
}

/** Hexadecimal text that is a function of the parts. */
export const hexOf = (digits: number, ...parts: readonly (string | number)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, digits);

/** In [0, 1). */
export const uniform = (random: Random): number => random.next() / 2 ** 32;

export const between = (random: Random, from: number, to: number): number => from + uniform(random) * (to - from);

/** Exponential with this mean. */
export const exponential = (random: Random, mean: number): number => -Math.log(1 - uniform(random)) * mean;

/** Heavy-tailed: e^(ln median + sigma·normal). */
export function lognormal(random: Random, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
  return median * Math.exp(sigma * normal);
}

/** How often something happens that happens `mean` times on average; Knuth's method, for small means. */
export function poisson(random: Random, mean: number): number {
  const floor = Math.exp(-Math.min(mean, 500));
  let product = uniform(random);
  let count = 0;
  for (; product > floor; count++) product *= uniform(random);
  return count;
}

/** A place in a list of which the first are much the most used (Zipf with exponent 1). */
export const zipf = (random: Random, length: number): number =>
  Math.min(length - 1, Math.floor(Math.exp(uniform(random) * Math.log(length + 1)) - 1));

const SYLLABLES =
  'ba be bo da de do fa fi ga go ha ka ki la le lo ma me mi na ne no pa pe ra re ri sa se so ta te ti va ve vo za zo'.split(
    ' ',
  );
const ENDS = ['com', 'com', 'com', 'net', 'io', 'de', 'org', 'co.uk', 'eu', 'app'];

export function inventedWord(random: Random, syllables = 3): string {
  return Array.from({ length: syllables }, () => random.pick(SYLLABLES)).join('');
}

export const inventedDomain = (random: Random): string =>
  `${inventedWord(random, 2 + random.below(3))}.${random.pick(ENDS)}`;
