import { describe, expect, it } from 'vitest';
import { type IpWords, parseIp } from '../../sensor/base/ip.ts';
import { ANSWERED_LIMITS, AnsweredNames } from '../../sensor/dns/answered-names.ts';

const words = (text: string): IpWords => parseIp(text)!;
const CLIENT = words('192.0.2.10');
const OTHER = words('192.0.2.11');
const SERVER = words('198.51.100.20');
const T = 1_700_000_000_000_000;
const SECOND = 1_000_000;
const HOUR = 3_600 * SECOND;

const answer = (name: string, ...addresses: string[]) => ({ name, addresses: addresses.map(words) });

describe('the names clients were answered', () => {
  it('belong to the client that was answered, from then on', () => {
    const names = new AnsweredNames();
    names.learn(CLIENT, answer('files.example', '198.51.100.20'), T);
    expect(names.nameOf(CLIENT, SERVER, T)).toBe('files.example');
    expect(names.nameOf(CLIENT, SERVER, T - 1)).toBeUndefined();
    expect(names.nameOf(OTHER, SERVER, T)).toBeUndefined();
    expect(names.nameOf(CLIENT, words('198.51.100.21'), T)).toBeUndefined();
  });

  it('are the newest, but none that was learnt after the moment asked about', () => {
    const names = new AnsweredNames();
    names.learn(CLIENT, answer('a.example', '198.51.100.20'), T);
    names.learn(CLIENT, answer('b.example', '198.51.100.20'), T + 10 * SECOND);
    expect(names.nameOf(CLIENT, SERVER, T + 5 * SECOND)).toBe('a.example');
    expect(names.nameOf(CLIENT, SERVER, T + 10 * SECOND)).toBe('b.example');
  });

  it('stay known for the time between two look-ups of one name', () => {
    const names = new AnsweredNames();
    names.learn(CLIENT, answer('a.example', '198.51.100.20'), T);
    names.learn(CLIENT, answer('a.example', '198.51.100.20'), T + 60 * SECOND);
    expect(names.nameOf(CLIENT, SERVER, T + 30 * SECOND)).toBe('a.example');
  });

  it('are forgotten an hour later, and a long pause is not bridged', () => {
    const names = new AnsweredNames();
    names.learn(CLIENT, answer('a.example', '198.51.100.20'), T);
    expect(names.nameOf(CLIENT, SERVER, T + HOUR)).toBe('a.example');
    expect(names.nameOf(CLIENT, SERVER, T + HOUR + 1)).toBeUndefined();
    names.learn(CLIENT, answer('a.example', '198.51.100.20'), T + 5 * HOUR);
    expect(names.nameOf(CLIENT, SERVER, T + 2 * HOUR)).toBeUndefined();
  });

  it('tell a mapped IPv4 address from an IPv6 address that looks like it', () => {
    const names = new AnsweredNames();
    names.learn(CLIENT, answer('a.example', '::198.51.100.20'), T);
    expect(names.nameOf(CLIENT, SERVER, T)).toBeUndefined();
    expect(names.nameOf(CLIENT, words('::198.51.100.20'), T)).toBe('a.example');
  });
});

describe('whether a name was looked up', () => {
  it('is not known of a client whose answers are not seen', () => {
    const names = new AnsweredNames();
    names.learn(CLIENT, answer('a.example', '198.51.100.20'), T);
    expect(names.lookedUp(OTHER, 'a.example', T)).toBeUndefined();
    expect(names.lookedUp(CLIENT, 'a.example', T)).toBe(true);
    expect(names.lookedUp(CLIENT, 'b.example', T)).toBe(false);
    expect(names.lookedUp(CLIENT, 'b.example', T - 1)).toBeUndefined();
  });

  it('does not count answers without an address', () => {
    const names = new AnsweredNames();
    names.learn(CLIENT, answer('a.example'), T);
    expect(names.lookedUp(CLIENT, 'b.example', T)).toBeUndefined();
    expect(names.size).toBe(0);
  });

  it('is no longer claimed when a look-up may have been forgotten', () => {
    const names = new AnsweredNames({ ...ANSWERED_LIMITS, lookups: 2 });
    names.learn(CLIENT, answer('a.example', '198.51.100.20'), T);
    names.learn(CLIENT, answer('b.example', '198.51.100.21'), T + 1);
    expect(names.lookedUp(CLIENT, 'c.example', T + 2)).toBe(false);
    names.learn(CLIENT, answer('d.example', '198.51.100.22'), T + 3);
    expect(names.counters.evicted).toBe(1);
    expect(names.lookedUp(CLIENT, 'a.example', T + 4)).toBeUndefined();
    expect(names.lookedUp(CLIENT, 'd.example', T + 4)).toBe(true);
    expect(names.lookedUp(CLIENT, 'c.example', T + 25 * HOUR)).toBe(false);
  });
});

describe('the tables', () => {
  it('hold no more than their caps and count what they drop', () => {
    const limits = { ...ANSWERED_LIMITS, addresses: 10, lookups: 20, clients: 5 };
    const names = new AnsweredNames(limits);
    for (let i = 0; i < 100; i++) {
      names.learn([0, 0, 0xffff, i], answer(`n${i}.example`, `198.51.100.${i}`), T + i);
    }
    expect(names.size).toBe(35);
    expect(names.counters).toEqual({ answers: 100, evicted: 90 + 80 + 95 });
  });

  it('give up what is old without counting it', () => {
    const names = new AnsweredNames();
    for (let i = 0; i < 50; i++) names.learn(CLIENT, answer(`n${i}.example`, `198.51.100.${i}`), T + i);
    const full = names.size;
    for (let i = 50; i < 100; i++) names.learn(CLIENT, answer(`n${i}.example`, `198.51.100.${i}`), T + 48 * HOUR + i);
    expect(names.size).toBe(full);
    expect(names.counters.evicted).toBe(0);
  });
});
