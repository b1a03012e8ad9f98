import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FilterOptions, kernelFilter, looksIntoTags, parseShard } from '../../sensor/capture/filter.ts';
import type { Profile } from '../../sensor/capture/filter-profile.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { madeUpAuthority } from '../build/certificates.ts';
import { type ConversationOptions, conversation } from '../build/conversation.ts';
import { emptyExtension, ethernet, fragmentIpv4, hex, ip, tcp, udp } from '../build/frames.ts';
import { describeWithTcpdump, filtered } from '../build/kernel-filter.ts';
import { gre, ppp, pppoe, vxlan } from '../build/tunnels.ts';

const bulk = (bytes = 1_448): Uint8Array => new Uint8Array(bytes).fill(0xa7);
/** A sequence number that no sample period starts at. */
const MID_PERIOD = 100_000;

const options = (o: Partial<FilterOptions>): FilterOptions => ({ profile: 'handshake', ethernet: true, ...o });

function passes(frame: Uint8Array, o: Partial<FilterOptions> = {}, linkType = 1): boolean {
  return filtered([frame], kernelFilter(options(o)), linkType).length === 1;
}

const V4 = { src: '192.0.2.10', dst: '198.51.100.20' };
const V6 = { src: '2001:db8::10', dst: '2001:db8:1::20' };
const VLANS = [[], [7], [100, 7]];
/** A further tag, the outermost, does not stand in the frame when it comes from a Linux interface; see test/live. */
const LOOKED_BEHIND = [[], [7]];

describe('shares of the hosts', () => {
  it('reads I/N counted from one', () => {
    expect(parseShard('1/4')).toEqual({ index: 0, count: 4 });
    expect(parseShard('64/64')).toEqual({ index: 63, count: 64 });
  });
  it.each(['0/4', '5/4', '1/65', '1', 'a/b', '-1/4', '1/4 or tcp', ''])('refuses %j', (text) => {
    expect(parseShard(text)).toBeUndefined();
  });
});

describe('the kernel filter as text', () => {
  it('is the user’s own expression, unchanged, when nothing is left out', () => {
    expect(kernelFilter({ profile: 'full', user: 'vlan 5 and port 443', ethernet: true })).toBe('vlan 5 and port 443');
    expect(kernelFilter({ profile: 'full', ethernet: true })).toBe('');
  });
  it('never says vlan where the link type has none', () => {
    expect(kernelFilter(options({ ethernet: false }))).not.toContain('vlan');
  });
  it('knows the words that shift offsets, and does not take names for them', () => {
    expect(looksIntoTags('vlan and tcp')).toBe(true);
    expect(looksIntoTags('host vlanhost.example')).toBe(false);
  });
});

describeWithTcpdump('profile handshake', () => {
  for (const ends of [V4, V6]) {
    for (const vlans of LOOKED_BEHIND) {
      const family = `${ends === V4 ? 'IPv4' : 'IPv6'}, ${vlans.length} VLAN tags`;
      const frame = (o: Parameters<typeof tcp>[0]): Uint8Array =>
        ethernet(tcp({ ...ends, seq: MID_PERIOD, ...o }), { vlans });

      it(`leaves out full segments of both sides (${family})`, () => {
        expect(passes(frame({ payload: bulk() }))).toBe(false);
        expect(passes(frame({ payload: bulk(), srcPort: 443, dstPort: 50_000 }))).toBe(false);
        expect(passes(frame({ payload: bulk(9_000) }))).toBe(false);
      });
      it(`keeps SYN, FIN, RST and bare acknowledgements (${family})`, () => {
        for (const flags of [0x02, 0x12, 0x11, 0x04, 0x14])
          expect(passes(frame({ flags, payload: bulk() }))).toBe(true);
        expect(passes(frame({ flags: 0x10 }))).toBe(true);
      });
      it(`keeps what begins with a handshake record, an alert or a change of ciphers (${family})`, () => {
        for (const type of [0x14, 0x15, 0x16]) {
          expect(passes(frame({ payload: Uint8Array.of(type, 3, 1, ...bulk()) }))).toBe(true);
        }
        expect(passes(frame({ payload: Uint8Array.of(0x17, 3, 3, ...bulk()) }))).toBe(false);
        expect(passes(frame({ payload: Uint8Array.of(0x16, 9, 1, ...bulk()) }))).toBe(false);
      });
      it(`keeps every segment that is not full (${family})`, () => {
        expect(passes(frame({ payload: bulk(1_199) }))).toBe(true);
        expect(passes(frame({ payload: bulk(1_200) }))).toBe(false);
      });
      it(`keeps one full segment in each 256 KiB of sequence space (${family})`, () => {
        const frames = Array.from({ length: 724 }, (_, i) => frame({ payload: bulk(), seq: MID_PERIOD + i * 1_448 }));
        const kept = filtered(frames, kernelFilter(options({}))).length;
        expect(kept).toBeGreaterThanOrEqual(4);
        expect(kept).toBeLessThanOrEqual(5);
      });
      it(`keeps QUIC and DTLS handshakes and all that clients send (${family})`, () => {
        const datagram = (first: number[], fromServer: boolean): Uint8Array =>
          ethernet(
            udp({
              ...ends,
              ...(fromServer ? { srcPort: 443, dstPort: 50_000 } : { srcPort: 50_000, dstPort: 443 }),
              payload: Uint8Array.of(...first, ...bulk(1_300)),
            }),
            { vlans },
          );
        expect(passes(datagram([0xc3], true))).toBe(true);
        expect(passes(datagram([0x16, 0xfe, 0xfd], true))).toBe(true);
        expect(passes(datagram([0x43], false))).toBe(true);
        expect(passes(datagram([0x43], true))).toBe(false);
      });
      it(`keeps large answers of name servers (${family})`, () => {
        const answer = udp({ ...ends, srcPort: 53, dstPort: 50_000, payload: bulk(1_300) });
        expect(passes(ethernet(answer, { vlans }))).toBe(true);
      });
      it(`keeps the key exchange of SSH (${family})`, () => {
        const kexinit = Uint8Array.of(0, 0, 0x05, 0xdc, 4, 20, ...bulk());
        expect(passes(frame({ payload: kexinit, dstPort: 22 }))).toBe(true);
      });
    }
  }

  it('keeps what it cannot look into: other protocols, tunnels, later fragments, extension headers', () => {
    const inner = tcp({ ...V4, seq: MID_PERIOD, payload: bulk() });
    const frames = [
      ethernet(hex('0001080006040001'), { type: 0x0806 }),
      ethernet(ip({ ...V4, protocol: 47, payload: gre(inner) })),
      ethernet(udp({ ...V4, srcPort: 54_000, dstPort: 4_789, payload: vxlan(ethernet(inner)) })),
      ethernet(pppoe(ppp(inner)), { type: 0x8864 }),
      ethernet(tcp({ ...V6, seq: MID_PERIOD, payload: bulk(), extensions: [emptyExtension(0)] })),
      ...fragmentIpv4(inner, 1_208)
        .slice(1)
        .map((fragment) => ethernet(fragment)),
    ];
    expect(filtered(frames, kernelFilter(options({})))).toHaveLength(frames.length);
  });

  it('works on link types without Ethernet header', () => {
    expect(passes(tcp({ ...V4, seq: MID_PERIOD, payload: bulk() }), { ethernet: false }, 101)).toBe(false);
    expect(passes(tcp({ ...V6, seq: MID_PERIOD, flags: 0x10 }), { ethernet: false }, 101)).toBe(true);
  });
});

describeWithTcpdump('profile client', () => {
  it('leaves out full segments of the server and keeps all of the client', () => {
    for (const ends of [V4, V6]) {
      expect(passes(ethernet(tcp({ ...ends, payload: bulk() })), { profile: 'client' })).toBe(true);
      expect(
        passes(ethernet(tcp({ ...ends, payload: bulk(), srcPort: 443, dstPort: 50_000 })), { profile: 'client' }),
      ).toBe(false);
    }
  });
});

describeWithTcpdump('hellos of three segments', () => {
  const frames = conversation({ serverName: 'long.example', keyShareBytes: 3_200 }).frames.slice(3);
  const kept = (profile: Profile): number => filtered(frames, kernelFilter({ profile, ethernet: true })).length;

  it('are whole in profile client; profile handshake cannot tell their second segment from bulk', () => {
    expect(kept('client')).toBe(frames.length);
    expect(kept('handshake')).toBe(frames.length - 1);
  });
});

describeWithTcpdump('a user’s filter beside a profile', () => {
  it('must match too, behind VLAN tags as well', () => {
    const user = 'host 192.0.2.10 or port 8443';
    for (const vlans of VLANS) {
      expect(passes(ethernet(tcp({ ...V4 }), { vlans }), { user })).toBe(true);
      expect(passes(ethernet(tcp({ src: '192.0.2.11', dst: '198.51.100.20' }), { vlans }), { user })).toBe(false);
    }
  });
  it('does not bring bulk back', () => {
    for (const vlans of LOOKED_BEHIND) {
      const segment = ethernet(tcp({ ...V4, payload: bulk(), seq: MID_PERIOD }), { vlans });
      expect(passes(segment, { user: 'host 192.0.2.10' })).toBe(false);
    }
  });
});

describeWithTcpdump('certificates of several segments', () => {
  const names = Array.from({ length: 60 }, (_, i) => `host-${i}.department.organisation.example`);
  const chain = Buffer.from(madeUpAuthority(...names).server.cert.replace(/-----.*-----|\s/g, ''), 'base64');
  const segment = (ends: typeof V4, payload: Uint8Array): Uint8Array =>
    ethernet(tcp({ ...ends, srcPort: 443, dstPort: 50_000, seq: MID_PERIOD, payload }));
  const noise = (seed: number): Uint8Array => {
    const blocks = Array.from({ length: 46 }, (_, i) => createHash('sha256').update(`${seed} ${i}`).digest());
    return Buffer.concat(blocks).subarray(0, 1_448);
  };

  for (const profile of ['client', 'handshake'] as const) {
    for (const ends of [V4, V6]) {
      it(`pass in the middle too, where keys and names meet (${profile}, ${ends.src})`, () => {
        expect(chain.length).toBeGreaterThan(1_500);
        expect(passes(segment(ends, chain.subarray(0, 1_448)), { profile })).toBe(true);
      });
      it(`are told from what is encrypted (${profile}, ${ends.src})`, () => {
        const frames = Array.from({ length: 200 }, (_, i) => segment(ends, noise(i)));
        expect(filtered(frames, kernelFilter(options({ profile }))).length).toBeLessThanOrEqual(4);
      });
      it(`are told from plain text (${profile}, ${ends.src})`, () => {
        const text = Buffer.from('{"name":"value"}, '.repeat(100).slice(0, 1_448));
        expect(passes(segment(ends, text), { profile })).toBe(false);
      });
    }
  }
});

describeWithTcpdump('the size of a filter', () => {
  it('fits what kernels before 6.8 allow a socket', () => {
    const instructions = (o: Partial<FilterOptions>): number => {
      const run = spawnSync('tcpdump', ['-y', 'EN10MB', '-ddd', '--', kernelFilter(options(o))], { encoding: 'utf8' });
      return Number(run.stdout.split('\n')[0]);
    };
    for (const o of [{}, { profile: 'client' as const }, { shard: { index: 0, count: 64 } }]) {
      expect(instructions(o)).toBeGreaterThan(100);
      expect(instructions(o)).toBeLessThan(480);
    }
  });
});

describeWithTcpdump('shards', () => {
  const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map(([a, b, c]) => `10.${a}.${b}.${c}`);
  const address6 = fc
    .tuple(fc.nat(0xffff), fc.nat(0xffff))
    .map(([a, b]) => `2001:db8::${a.toString(16)}:${b.toString(16)}`);
  const pair = fc.oneof(fc.tuple(address, address), fc.tuple(address6, address6));

  it('give each conversation to exactly one sensor, both directions to the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(pair, fc.constantFrom(...VLANS)), { minLength: 20, maxLength: 40 }),
        fc.integer({ min: 2, max: 7 }),
        (pairs, count) => {
          const frames = pairs.flatMap(([[src, dst], vlans]) => [
            ethernet(tcp({ src, dst, srcPort: 50_000, dstPort: 443 }), { vlans }),
            ethernet(tcp({ src: dst, dst: src, srcPort: 443, dstPort: 50_000 }), { vlans }),
          ]);
          const shares = Array.from({ length: count }, (_, index) =>
            filtered(frames, kernelFilter({ profile: 'full', shard: { index, count }, ethernet: true })),
          );
          expect(shares.reduce((n, share) => n + share.length, 0)).toBe(frames.length);
          for (const share of shares) expect(share.length % 2).toBe(0);
        },
      ),
      { numRuns: 6 },
    );
  });
  it('spread neighbours evenly', () => {
    const frames = Array.from({ length: 240 }, (_, i) =>
      ethernet(tcp({ src: `10.0.0.${i + 1}`, dst: '198.51.100.20' })),
    );
    for (let index = 0; index < 4; index++) {
      const share = filtered(frames, kernelFilter({ profile: 'full', shard: { index, count: 4 }, ethernet: true }));
      expect(share).toHaveLength(60);
    }
  });
  it('leave what is not IP to the first', () => {
    const arp = ethernet(hex('0001080006040001'), { type: 0x0806 });
    const first = kernelFilter({ profile: 'full', shard: { index: 0, count: 2 }, ethernet: true });
    const second = kernelFilter({ profile: 'full', shard: { index: 1, count: 2 }, ethernet: true });
    expect([filtered([arp], first).length, filtered([arp], second).length]).toEqual([1, 0]);
  });
});

describeWithTcpdump('records of a filtered capture', () => {
  /** The last record of the only flow, of what the profile lets through. */
  function record(profile: Profile, o: ConversationOptions): FlowRecord {
    const records: FlowRecord[] = [];
    const options = { observer: 't', communityIdSeed: 0, verbose: false };
    const limits = { ...DEFAULT_LIMITS, filtered: profile !== 'full' };
    const pipeline = buildPipeline((r) => records.push(r), options, limits);
    const expression = kernelFilter({ profile, ethernet: true });
    const frames = conversation(o).frames;
    const kept = expression === '' ? frames : filtered(frames, expression);
    for (const [i, frame] of kept.entries())
      pipeline.packet(frame, 0, frame.length, 1.7e15 + i * 1000, frame.length, 1);
    pipeline.drain();
    return records.at(-1)!;
  }
  const postQuantum = { serverName: 'upload.example', keyShareBytes: 1_216, upload: 900_000 };

  for (const vlans of LOOKED_BEHIND) {
    for (const ends of [{}, { client: V6.src, server: V6.dst }]) {
      it(`name and fingerprint a two-segment hello as an unfiltered one does (${vlans.length} tags, ${ends.client ?? 'IPv4'})`, () => {
        const o = { ...postQuantum, ...ends, vlans, upload: 20_000 };
        expect(record('handshake', o).tls).toEqual(record('full', o).tls);
        expect(record('handshake', o).tls?.client?.server_name).toBe('upload.example');
      });
    }
  }
  it('count every upstream byte of a flow that ends in order, and tell of no loss', () => {
    const { clientBytes, serverBytes } = conversation(postQuantum);
    const { source, destination, waybill } = record('handshake', postQuantum);
    expect([source.bytes, destination.bytes]).toEqual([clientBytes, serverBytes]);
    expect(waybill.bytes_exact).toBe(false);
    expect(waybill.missed_bytes).toBeUndefined();
    expect(waybill.anomalies ?? []).not.toContain('missed_bytes');
  });
  it('count every acknowledged byte of a flow that just stops', () => {
    const o = { ...postQuantum, ends: false };
    expect(record('handshake', o).source.bytes).toBe(conversation(o).clientBytes);
  });
});
