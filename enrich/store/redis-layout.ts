import { newSalt, SALT_BYTES } from './digest.ts';
import { layoutKey, type RedisShape } from './keys.ts';
import { pairs } from './redis-calls.ts';
import type { RedisLink } from './redis-link.ts';
import { StoreError } from './store-error.ts';

/** Version of keys and records. Raise it with a change that older programs would misread. */
export const SCHEMA = 1;

export interface RedisLayout {
  readonly salt: Buffer;
  readonly shape: RedisShape;
}

/**
 * Reads how the store under a prefix is laid out, and lays it out when it is new. Each field is set once, by whoever comes
 * first, so any number of workers may start together. Throws StoreError `newer-schema` or `corrupt`.
 */
export async function settleLayout(link: RedisLink, prefix: string, wanted: RedisShape): Promise<RedisLayout> {
  const key = layoutKey(prefix);
  const fields: [string, string | Buffer][] = [
    ['schema', String(SCHEMA)],
    ['salt', newSalt()],
    ['tags', String(wanted.tags)],
    ['buckets', String(wanted.buckets)],
  ];
  for (const [field, value] of fields) await link.send(key, ['HSETNX', key, field, value]);
  const stored = new Map(
    pairs(await link.send(key, ['HGETALL', key])).map(([field, value]) => [field.toString(), value]),
  );

  const schema = Number(stored.get('schema'));
  if (schema > SCHEMA) {
    const message = `Redis at ${link.name} has schema ${schema}, written by a later waybill; this one knows ${SCHEMA}.`;
    throw new StoreError('newer-schema', `${message} Update waybill.`);
  }
  const [salt, tags, buckets] = [stored.get('salt'), Number(stored.get('tags')), Number(stored.get('buckets'))];
  if (schema !== SCHEMA || salt?.length !== SALT_BYTES || !isSize(tags) || !isSize(buckets)) {
    throw new StoreError(
      'corrupt',
      `${key} in Redis at ${link.name} is not the layout of a store. Choose another prefix.`,
    );
  }
  return { salt, shape: { tags, buckets } };
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_536;
}
