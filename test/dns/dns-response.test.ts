import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipText } from '../../sensor/base/ip.ts';
import { parseDnsResponse } from '../../sensor/dns/dns-response.ts';
import { ANSWER, address, alias, answerFor, type DnsParts, dnsMessage, nameBytes } from '../build/dns.ts';
import { be16, concat } from '../build/frames.ts';

const parse = (bytes: Uint8Array) => parseDnsResponse(bytes, 0, bytes.length);

function told(bytes: Uint8Array): { name: string; addresses: string[] } | string {
  const parsed = parse(bytes);
  if (parsed.kind !== 'ok') return parsed.kind === 'bad' ? parsed.why : parsed.kind;
  return { name: parsed.value.name, addresses: parsed.value.addresses.map((words) => ipText(...words)) };
}

const pointer = (to: number): Uint8Array => be16(0xc000 | to);

describe('a DNS response', () => {
  it('says which name was asked for and which addresses it has', () => {
    expect(told(answerFor('Files.Example', '198.51.100.20', '2001:db8::20'))).toEqual({
      name: 'files.example',
      addresses: ['198.51.100.20', '2001:db8::20'],
    });
  });

  it('keeps the name asked for over a chain of aliases, in whatever order the records come', () => {
    const chain = [
      alias('edge.cdn.example'),
      alias('pop7.cdn.example', 'edge.cdn.example'),
      address('192.0.2.1', 'pop7.cdn.example'),
    ];
    for (const answers of [chain, chain.toReversed()]) {
      expect(told(dnsMessage({ question: 'shop.example', answers }))).toEqual({
        name: 'shop.example',
        addresses: ['192.0.2.1'],
      });
    }
  });

  it('has no addresses when the name has none', () => {
    expect(told(dnsMessage({ flags: ANSWER | 3 }))).toEqual({ name: 'files.example', addresses: [] });
  });

  it('takes the class bit of multicast DNS for what it is', () => {
    const printer = { ...address('192.0.2.9'), class: 0x8001 };
    expect(told(dnsMessage({ question: 'printer.local', answers: [printer] }))).toMatchObject({
      addresses: ['192.0.2.9'],
    });
  });

  it('leaves out records of another class and of wrong length', () => {
    const answers = [
      { ...address('192.0.2.1'), class: 3 },
      { type: 1, data: Uint8Array.of(1, 2, 3) },
      { type: 28, data: new Uint8Array(4) },
    ];
    expect(told(dnsMessage({ answers }))).toMatchObject({ addresses: [] });
  });

  it.each<[string, DnsParts]>([
    ['a query', { flags: 0x0100 }],
    ['a response to another operation', { flags: ANSWER | 0x2800 }],
    ['two questions', { questions: 2 }],
    ['no question', { questions: 0 }],
    ['a question of another class', { questionClass: 3 }],
    ['the root as name', { question: '' }],
    ['a name that is no host name', { question: 'a b.example' }],
    ['an address as name', { question: '192.0.2.1' }],
    ['a dot inside a label', { question: concat([5], Buffer.from('a.b.c'), [0]) }],
    ['a label type that is not in use', { question: concat([0x41, 0x61], new Uint8Array(70)) }],
    ['a pointer to itself', { question: pointer(12) }],
    ['a pointer forward', { question: concat(pointer(20), nameBytes('later.example')) }],
    ['a pointer back into its own labels', { question: concat([1, 0x61], pointer(12)) }],
  ])('is not read from %s', (_, parts) => {
    expect(told(dnsMessage({ answers: [address('192.0.2.1', nameBytes('x'))], ...parts }))).toBe('bad-type');
  });

  it('follows a pointer to bytes before it, and no more than 255 octets of name', () => {
    // The header's last eight bytes, read as a name: 0 ends it.
    expect(told(dnsMessage({ question: concat([1, 0x61], pointer(8)) }))).toMatchObject({ name: 'a' });
    const long = Array.from({ length: 8 }, () => 'x'.repeat(31)).join('.');
    expect(told(dnsMessage({ question: long }))).toBe('bad-type');
    expect(told(dnsMessage({ question: long.slice(2) }))).toMatchObject({ name: long.slice(2) });
  });

  it('is truncated in every proper prefix, and never gives addresses that are not whole', () => {
    const whole = answerFor('files.example', '192.0.2.1', '192.0.2.2');
    for (let size = 0; size < whole.length; size++) {
      expect(['truncated', 'bad-type']).toContain(told(whole.subarray(0, size)));
    }
  });

  it('keeps 64 addresses of one answer', () => {
    const many = Array.from({ length: 300 }, (_, i) => `192.0.${i >> 8}.${i & 255}`);
    const parsed = parse(answerFor('files.example', ...many));
    expect(parsed.kind === 'ok' && parsed.value.addresses.length).toBe(64);
  });

  it('never throws and never reads beyond its window, whatever is damaged', () => {
    const damage = fc.record({ at: fc.nat(400), with: fc.integer({ min: 0, max: 255 }) });
    const messages = fc.constantFrom(
      answerFor('files.example', '192.0.2.1', '2001:db8::1'),
      dnsMessage({ answers: [alias('edge.cdn.example'), address('192.0.2.7', 'edge.cdn.example')] }),
      dnsMessage({ question: concat([3], Buffer.from('www'), pointer(8)), answers: [address('192.0.2.1')] }),
    );
    fc.assert(
      fc.property(messages, fc.array(damage, { maxLength: 6 }), fc.nat(8), (message, hits, shift) => {
        const bytes = message.slice();
        for (const hit of hits) bytes[hit.at % bytes.length] = hit.with;
        const alone = parse(bytes);
        // The same bytes inside a larger buffer say the same, and what is behind them changes nothing.
        const around = concat(new Uint8Array(shift).fill(0xff), bytes, new Uint8Array(600).fill(0x41));
        const inside = parseDnsResponse(around, shift, shift + bytes.length);
        const relative = inside.kind === 'bad' ? { ...inside, at: inside.at - shift } : inside;
        expect(relative).toEqual(alone);
        if (alone.kind === 'ok') expect(alone.value.name).toMatch(/^[a-z0-9._-]{1,253}$/);
      }),
      { numRuns: 2000 },
    );
  });
});
