import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedPool } from '../../sensor/base/shared-pool.ts';

describe('SharedPool', () => {
  it('gives equal texts one number, keeps them while they are held and forgets them after', () => {
    const step = fc.record({ text: fc.constantFrom('a', 'b', 'c', 'd', 'e'), give: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new SharedPool<string>();
        const held: { id: number; text: string }[] = [];
        for (const { text, give } of steps) {
          if (give) {
            const id = pool.hold(text);
            const same = held.find((h) => h.text === text);
            if (same) expect(id).toBe(same.id);
            held.push({ id, text });
          } else {
            const next = held.shift();
            if (next) pool.release(next.id);
          }
          for (const h of held) expect(pool.get(h.id)).toBe(h.text);
          expect(pool.size).toBe(new Set(held.map((h) => h.text)).size);
        }
      }),
    );
  });

  it('has 0 for what is undefined, and giving that back does nothing', () => {
    const pool = new SharedPool<string>();
    expect(pool.hold(undefined)).toBe(0);
    expect(pool.get(0)).toBeUndefined();
    pool.release(0);
    expect(pool.get(pool.hold('x'))).toBe('x');
  });
});
