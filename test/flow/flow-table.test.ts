import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlowTable, Phase } from '../../sensor/flow/flow-table.ts';
import { Segment, TCP, UDP } from '../../sensor/wire/segment.ts';

type Words = readonly [number, number, number, number];

interface Tuple {
  readonly a: Words;
  readonly b: Words;
  readonly aPort: number;
  readonly bPort: number;
  readonly transport: number;
}

const ipv4 = (host: number): Words => [0, 0, 0xffff, host | 0];

/** The segment that endpoint a (or b, when `back`) of the tuple sends. */
function segmentOf(t: Tuple, back = false, tsMicros = 0): Segment {
  const [from, to] = back ? [t.b, t.a] : [t.a, t.b];
  const [srcPort, dstPort] = back ? [t.bPort, t.aPort] : [t.aPort, t.bPort];
  const segment = new Segment();
  [segment.src0, segment.src1, segment.src2, segment.src3] = from;
  [segment.dst0, segment.dst1, segment.dst2, segment.dst3] = to;
  return Object.assign(segment, { srcPort, dstPort, transport: t.transport, tsMicros });
}

/** What both directions of a conversation have in common, as the model's key. */
function keyOf(t: Tuple): string {
  const ends = [`${t.a}:${t.aPort}`, `${t.b}:${t.bPort}`].sort();
  return `${t.transport} ${ends.join(' ')}`;
}

// Few values, so that keys differ in one place only and come again.
const word = fc.constantFrom(0, 1, -1, 0x7fffffff, -0x80000000, 0xffff, 0x10000);
const address: fc.Arbitrary<Words> = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map(ipv4),
  fc.tuple(word, word, word, word),
);
const port = fc.constantFrom(0, 1, 443, 0x8000, 0xffff);
const tuple = fc.record({
  a: address,
  b: address,
  aPort: port,
  bPort: port,
  transport: fc.constantFrom(TCP, UDP),
});

type Step =
  | { readonly does: 'see'; readonly tuple: Tuple; readonly back: boolean }
  | { readonly does: 'remove'; readonly at: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('see' as const), tuple, back: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('remove' as const), at: fc.nat() }) },
);

const numbered = (n: number): Tuple => ({ a: ipv4(n), b: ipv4(~n), aPort: n & 0xffff, bPort: 443, transport: TCP });

/** Adds the flow and gives its slot. */
function insert(table: FlowTable, t: Tuple, tsMicros: number): number {
  const segment = segmentOf(t, false, tsMicros);
  table.find(segment);
  return table.add(segment);
}

describe('the table of flows', () => {
  it('agrees with a Map over any sequence of finding, adding and removing, in either direction', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = new FlowTable(1_000);
        const model = new Map<string, number>();
        for (const each of steps) {
          if (each.does === 'remove') {
            const [key, slot] = [...model][each.at % Math.max(1, model.size)] ?? [];
            if (key === undefined || slot === undefined) continue;
            table.remove(slot);
            model.delete(key);
          } else {
            const segment = segmentOf(each.tuple, each.back);
            const slot = table.find(segment);
            expect(slot).toBe(model.get(keyOf(each.tuple)) ?? -1);
            if (slot < 0) model.set(keyOf(each.tuple), table.add(segment));
          }
          expect(table.used).toBe(model.size);
        }
        for (const slot of model.values()) expect(table.phase[slot]).not.toBe(Phase.free);
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds a flow from both its ends, and says which end speaks', () => {
    fc.assert(
      fc.property(tuple, (t) => {
        fc.pre(`${t.a}:${t.aPort}` !== `${t.b}:${t.bPort}`);
        const table = new FlowTable(100);
        const slot = insert(table, t, 0);
        const said = table.direction;
        expect(table.find(segmentOf(t, true))).toBe(slot);
        expect(table.direction).toBe(1 - said);
        expect(table.port(slot, said)).toBe(t.aPort);
        expect([0, 1, 2, 3].map((i) => table.word(slot, said, i))).toEqual([...t.a]);
        expect(table.transport(slot)).toBe(t.transport);
      }),
    );
  });

  it('keeps every flow and its columns while it grows to its cap', () => {
    const table = new FlowTable(20_000);
    const slots = new Map<number, number>();
    for (let n = 0; n < 20_000; n++) {
      const slot = insert(table, numbered(n), n);
      slots.set(n, slot);
      table.bytes[slot * 2 + 1] = n;
    }
    expect(new Set(slots.values()).size).toBe(20_000);
    for (const [n, slot] of slots) {
      expect(table.find(segmentOf(numbered(n), true))).toBe(slot);
      expect(table.bytes[slot * 2 + 1]).toBe(n);
      expect(table.firstSeen[slot]).toBe(n);
    }
  });

  it('refuses one flow more than its cap, and has room again after a removal', () => {
    const table = new FlowTable(64);
    for (let n = 0; n < 64; n++) expect(insert(table, numbered(n), n)).toBeGreaterThanOrEqual(0);
    expect(insert(table, numbered(64), 64)).toBe(-1);
    table.remove(table.find(segmentOf(numbered(10))));
    expect(insert(table, numbered(64), 64)).toBeGreaterThanOrEqual(0);
    expect(table.find(segmentOf(numbered(10)))).toBe(-1);
    expect(table.used).toBe(64);
  });

  it('hands out a freed slot with nothing left in it', () => {
    const table = new FlowTable(16);
    const slot = insert(table, numbered(1), 5);
    for (const side of [0, 1]) {
      const d = slot * 2 + side;
      Object.assign(table.bytes, { [d]: 7 });
      Object.assign(table.packets, { [d]: 7 });
      Object.assign(table.missing, { [d]: 7 });
      Object.assign(table.ttl, { [d]: 7 });
    }
    table.signature.fill(7);
    table.bits[slot] = 0xffff;
    table.remove(slot);
    const again = insert(table, numbered(2), 9);
    expect(again).toBe(slot);
    expect(table.bits[again]).toBe(0);
    expect(table.firstSeen[again]).toBe(9);
    const columns = [table.bytes, table.packets, table.missing, table.ttl];
    expect(columns.flatMap((column) => [column[again * 2], column[again * 2 + 1]])).toEqual(new Array(8).fill(0));
    expect([...table.signature.subarray(again * 8, again * 8 + 8)]).toEqual(new Array(8).fill(0));
  });

  it('gives up plain flows first, then those without a handshake, and of equals one of the longest unseen', () => {
    const table = new FlowTable(16);
    const slots = Array.from({ length: 16 }, (_, n) => insert(table, numbered(n), n));
    for (const slot of slots) table.phase[slot] = Phase.counting;
    expect(table.victim()).toBe(slots[0]);
    table.phase[slots[9]!] = Phase.probing;
    expect(table.victim()).toBe(slots[9]);
    table.phase[slots[12]!] = Phase.plain;
    expect(table.victim()).toBe(slots[12]);
  });

  it('takes in turn every flow of a full table when none is seen again', () => {
    const table = new FlowTable(256);
    for (let n = 0; n < 256; n++) insert(table, numbered(n), n);
    const given = new Set<number>();
    for (let n = 256; n < 512; n++) {
      const victim = table.victim();
      given.add(table.firstSeen[victim]!);
      table.remove(victim);
      expect(insert(table, numbered(n), n)).toBe(victim);
    }
    // The newest of the old ones may outlive the oldest of the new.
    expect([...given].filter((firstSeen) => firstSeen < 128)).toHaveLength(128);
  });

  it.each([
    ['the exclusive or of their addresses', (n: number) => ({ ...numbered(0), a: ipv4(n), b: ipv4(n ^ 0x5a5a5a5a) })],
    ['the sum of their ports', (n: number) => ({ ...numbered(7), aPort: n & 0xffff, bPort: (0x10000 - n) & 0xffff })],
    ['all but their high bits', (n: number) => ({ ...numbered(0), a: ipv4(n << 19), b: ipv4((n >>> 13) << 19) })],
    ['the lower half of IPv6 addresses', (n: number): Tuple => ({ ...numbered(7), a: [0, n, 0, 1], b: [0, ~n, n, 2] })],
  ])('spreads flows that agree in %s over its buckets', (_, make) => {
    const table = new FlowTable(1 << 14);
    const chosen = Array.from({ length: 1 << 14 }, (_, n) => make(n));
    for (const [n, t] of chosen.entries()) insert(table, t, n);
    // 16,384 in one bucket would be the attack; the secrets are drawn anew each run, and a few leave chains of some dozens.
    expect(table.longestChain()).toBeLessThan(256);
  });
});
