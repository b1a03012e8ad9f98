import { describe, expect, it } from 'vitest';
import { Digester } from '../../enrich/store/digest.ts';
import { DEFAULT_SHAPE, RedisKeys, WIDE_TAGS } from '../../enrich/store/keys.ts';

const keysOf = (salt: number) => new RedisKeys('waybill', DEFAULT_SHAPE, new Digester(Buffer.alloc(16, salt)));
const keys = keysOf(1);
const HOSTILE = 'host:{0}:\r\nFLUSHALL *\u0000';
const names = Array.from({ length: 5_000 }, (_, i) => `domain:${i}.example`);

describe('the keys of the Redis store', () => {
  it('of one shard have one hash tag, and nothing that the shard is called', () => {
    const tag = keys.tagOf(HOSTILE);
    for (const key of [keys.registry(tag), keys.facts(tag, 'flow', HOSTILE), keys.index(tag, 'flow', HOSTILE)]) {
      expect(key).toMatch(new RegExp(`^waybill:\\{${tag}\\}:[\\w:-]+$`));
    }
  });

  it('of a scope have one hash tag, and its destinations go round the hashes of that tag', () => {
    const places = names.map((name) => keys.entry('host:a', name));
    expect(new Set(places.map(({ tag }) => tag))).toEqual(new Set(keys.tagsOf('host:a')));
    expect(new Set(places.map(({ key }) => key)).size).toBe(DEFAULT_SHAPE.buckets);
    expect(new Set(places.map(({ field }) => field.toString('hex'))).size).toBe(names.length);
  });

  it('of the organisation go round as many hash tags as novelty asks', () => {
    const tags = new Set(names.map((name) => keys.entry('org', name).tag));
    expect(tags.size).toBe(WIDE_TAGS);
    expect(new Set(keys.tagsOf('org'))).toEqual(tags);
  });

  it('tell scopes and destinations apart where they join', () => {
    expect(keys.entry('a', 'bc').field).not.toEqual(keys.entry('ab', 'c').field);
  });

  it('depend on the salt, so that nobody outside can make two names meet', () => {
    expect(keysOf(2).entry('host:a', 'd').field).not.toEqual(keys.entry('host:a', 'd').field);
  });
});
