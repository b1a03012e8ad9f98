import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IpWords, parseIp } from '../../sensor/base/ip.ts';
import { communityId, communityIdOfText } from '../../sensor/record/community-id.ts';

const word = fc.oneof(fc.constantFrom(0, -1, 1), fc.integer());
const v6: fc.Arbitrary<IpWords> = fc.tuple(word, word, word, word);
const v4: fc.Arbitrary<IpWords> = word.map((w): IpWords => [0, 0, 0xffff, w]);
const port = fc.integer({ min: 0, max: 65_535 });

describe('communityId', () => {
  // Published by the specification's baseline and by suricata-verify.
  it.each([
    [6, '1.2.3.4', 1122, '5.6.7.8', 3344, 0, '1:wCb3OG7yAFWelaUydu0D+125CLM='],
    [6, '1.2.3.4', 1122, '5.6.7.8', 3344, 1, '1:HhA1B+6CoLbiKPEs5nhNYN4XWfk='],
    [17, '1.2.3.4', 1122, '5.6.7.8', 3344, 0, '1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg='],
    [6, '172.26.0.39', 35958, '172.217.14.206', 443, 7, '1:IwiTNfuO7aCaamMijl+7/X9uLx0='],
    [6, '::1', 37386, '::1', 389, 0, '1:5b1Be9WZf8hMVgpK4tesH+DiZxc='],
  ])('of protocol %i, %s %i to %s %i with seed %i is %s', (protocol, src, srcPort, dst, dstPort, seed, expected) => {
    expect(communityIdOfText(protocol, [src, srcPort], [dst, dstPort], seed)).toBe(expected);
    expect(communityIdOfText(protocol, [dst, dstPort], [src, srcPort], seed)).toBe(expected);
  });

  it('is the same in both directions, for any endpoints', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6)), port, port, ([src, dst], srcPort, dstPort) => {
        const there = communityId({ protocol: 6, src, dst, srcPort, dstPort });
        expect(communityId({ protocol: 6, src: dst, dst: src, srcPort: dstPort, dstPort: srcPort })).toBe(there);
      }),
    );
  });

  it('compares the ports of equal addresses as numbers', () => {
    const at = parseIp('127.0.0.1')!;
    const one = communityId({ protocol: 6, src: at, dst: at, srcPort: 256, dstPort: 1 });
    expect(communityId({ protocol: 6, src: at, dst: at, srcPort: 1, dstPort: 256 })).toBe(one);
  });

  it('treats a mapped IPv4 address as IPv4', () => {
    const mapped = communityIdOfText(6, ['::ffff:1.2.3.4', 1122], ['::ffff:5.6.7.8', 3344]);
    expect(mapped).toBe('1:wCb3OG7yAFWelaUydu0D+125CLM=');
  });

  it('gives an echo request and its reply one id', () => {
    const request = communityIdOfText(1, ['192.168.0.89', 8], ['192.168.0.1', 0]);
    expect(request).toBe('1:X0snYXpgwiv9TZtqg64sgzUn6Dk=');
    expect(communityIdOfText(1, ['192.168.0.1', 0], ['192.168.0.89', 8])).toBe(request);
  });

  it('keeps the order of one-way ICMP messages', () => {
    const there = communityIdOfText(1, ['192.168.0.89', 3], ['192.168.0.1', 1]);
    expect(communityIdOfText(1, ['192.168.0.1', 3], ['192.168.0.89', 1])).not.toBe(there);
  });

  it('ignores ports where the protocol has none', () => {
    const gre = communityIdOfText(47, ['10.0.0.1', 5], ['10.0.0.2', 6]);
    expect(communityIdOfText(47, ['10.0.0.2'], ['10.0.0.1'])).toBe(gre);
  });

  it('is undefined when an address is none', () => {
    expect(communityIdOfText(6, ['1.2.3.4', 1], ['example.org', 2])).toBeUndefined();
  });
});
