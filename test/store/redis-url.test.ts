import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../enrich/store/redis-url.ts';
import { StoreError } from '../../enrich/store/store-error.ts';

describe('a Redis URL', () => {
  it('may name one server, with TLS, credentials and a database', () => {
    expect(parseRedisUrl('rediss://joe:p%40ss:word@db.example:6380/3')).toEqual({
      mode: 'standalone',
      tls: true,
      nodes: [{ host: 'db.example', port: 6380 }],
      username: 'joe',
      password: 'p@ss:word',
      database: 3,
      master: undefined,
      name: 'db.example:6380',
    });
  });

  it('may name an IPv6 address and leave the rest to the defaults', () => {
    expect(parseRedisUrl('redis://[::1]')).toMatchObject({
      nodes: [{ host: '::1', port: 6379 }],
      tls: false,
      database: 0,
    });
    expect(parseRedisUrl('redis://:secret@[fe80::1]:7/').name).toBe('[fe80::1]:7');
  });

  it('may name nodes of a cluster', () => {
    const nodes = [
      { host: 'a', port: 1 },
      { host: 'b', port: 6379 },
    ];
    expect(parseRedisUrl('redis+cluster://:x@a:1,b')).toMatchObject({ mode: 'cluster', nodes, password: 'x' });
  });

  it('may name sentinels, their master and a database', () => {
    const read = parseRedisUrl('rediss+sentinel://s1,s2:7/main/2');
    expect(read).toMatchObject({ mode: 'sentinel', master: 'main', database: 2, tls: true });
    expect(read.nodes.map((node) => node.port)).toEqual([26_379, 7]);
    expect(read.name).toBe('s1:26379,s2:7 (master main)');
  });

  const wrong = [
    'http://a',
    'redis://',
    'redis://a,b',
    'redis://a:0',
    'redis://a:65536',
    'redis://a/x',
    'redis://a/1/2',
    'redis+cluster://a/1',
    'redis+sentinel://a',
    'redis://%zz:secret@a',
    'redis://:secret@a b:c',
    'redis://:secret@[::1',
  ];
  it.each(wrong)('is refused in one line, without its secrets, when it is %s', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(StoreError);
    expect(() => parseRedisUrl(url)).toThrow(/^the Redis URL cannot be read: (?!.*secret)[^\n]*$/);
  });

  it('is read or refused, whatever it is', () => {
    const piece = fc.constantFrom(
      'redis',
      's',
      '+cluster',
      '+sentinel',
      '://',
      ':',
      '@',
      '/',
      ',',
      '[',
      ']',
      '%',
      'a',
      '1',
      '',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
        ),
        (url) => {
          try {
            expect(parseRedisUrl(url).nodes.length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toMatchObject({ code: 'bad-url' });
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
