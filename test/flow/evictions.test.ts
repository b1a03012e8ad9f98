/** What outsiders can fill has a cap, and what is given up at it is counted by table and reason. */
import { describe, expect, it } from 'vitest';
import { AnsweredNames } from '../../sensor/dns/answered-names.ts';
import { DnsWatcher } from '../../sensor/dns/dns-watcher.ts';
import { evictions } from '../../sensor/flow/evictions.ts';
import { EvidenceKeeper } from '../../sensor/flow/evidence-keeper.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import { DEFAULT_LIMITS } from '../../sensor/flow/tracker.ts';
import { DATAGRAM_CAP, FragmentTable } from '../../sensor/wire/fragments.ts';
import { ethernet, fragmentIpv4, udp } from '../build/frames.ts';
import { observe } from '../build/observe.ts';
import { frames, START_MICROS, TcpConnection } from '../build/tcp-connection.ts';
import { helloFor, SERVER_NAME, tls13 } from '../build/tls-flights.ts';
import { datagrams } from '../build/udp-conversation.ts';

const half = helloFor(SERVER_NAME).subarray(0, 40);
const halfHellos = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    frames(new TcpConnection().open().send('client', half).packets, { clientPort: 10_000 + i }),
  ).flat();
const fragment = (id: number, tsMicros: number) => ({
  bytes: ethernet(fragmentIpv4(udp({ payload: new Uint8Array(900) }), 400, id)[0]!),
  tsMicros,
});

describe('what is given up', () => {
  it('is nothing in ordinary traffic', () => {
    const { evictions: given } = observe(frames(new TcpConnection().open().say(tls13()).close().packets));
    expect(given).toEqual(new Map());
  });

  it('is counted for flows and for handshakes', () => {
    expect(observe(halfHellos(20), { limits: { flows: 16 } }).evictions).toEqual(new Map([['flows-full', 4]]));
    expect(observe(halfHellos(20), { limits: { handshakes: 16 } }).evictions).toEqual(
      new Map([['handshakes-full', 4]]),
    );
  });

  it('is counted for fragments, by whether their time or their room was over', () => {
    const flood = Array.from({ length: DATAGRAM_CAP + 5 }, (_, i) => fragment(i, START_MICROS));
    const late = fragment(60_000, START_MICROS + 60_000_000);
    expect(observe([...flood, late]).evictions).toEqual(
      new Map([
        ['fragments-full', 5],
        ['fragments-expired', DATAGRAM_CAP],
      ]),
    );
  });

  it('is counted for names and connections of DNS', () => {
    const names = new AnsweredNames({ addresses: 1, lookups: 9, clients: 9, addressSeconds: 9, lookupSeconds: 9 });
    const dns = new DnsWatcher(names);
    for (const last of [1, 2]) {
      names.learn([0, 0, 0xffff, 9], { name: 'a.example', addresses: [[0, 0, 0xffff, last]] }, START_MICROS);
    }
    dns.counters.lostStreams = 3;
    const { counters: tracker } = observe([]);
    expect(evictions({ tracker, fragments: new FragmentTable(), dns, evidence: undefined })).toEqual(
      new Map([
        ['dns-names-full', 1],
        ['dns-streams-lost', 3],
      ]),
    );
  });

  it('is counted for kept evidence', () => {
    const keeper = new EvidenceKeeper(() => {}, 0, { flowBytes: 600, totalBytes: 1_500 });
    const options = { observer: 'x', communityIdSeed: 0, verbose: false };
    const sensor = buildPipeline(() => {}, options, { ...DEFAULT_LIMITS, flows: 64 }, keeper);
    for (const { bytes, tsMicros } of halfHellos(8)) sensor.packet(bytes, 0, bytes.length, tsMicros, bytes.length, 1);
    expect(sensor.evictions().get('evidence-flows-full')).toBeGreaterThan(0);
  });
});

describe('tunnels whose handshake tells nothing', () => {
  const filled = (bytes: number, first: readonly number[]): Uint8Array =>
    Uint8Array.from({ length: bytes }, (_, i) => first[i] ?? (i * 77) & 0xff);
  const ike = filled(200, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 33, 0x20]);
  it.each([
    ['wireguard', filled(148, [1, 0, 0, 0]), 51_820],
    ['openvpn-tls-crypt', filled(54, [0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1]), 1_194],
    ['openvpn-tls-crypt', filled(400, [0x50, 1, 2, 3, 4, 5, 6, 7, 8, 0x0f, 0, 0, 1]), 1_194],
    ['ipsec-nat-t', ike, 4_500],
  ])('are counted by name: %s', (name, first, serverPort) => {
    const answers = Array.from({ length: 9 }, (_, i) => ['server', filled(90 + i, [4, 0, 0, 0])] as const);
    const { records, unreadable } = observe(datagrams([['client', first], ...answers], { serverPort }));
    expect(records).toEqual([]);
    expect(unreadable).toEqual(new Map([[name, 1]]));
  });

  it('are not seen in other datagrams', () => {
    const others = [filled(147, [1, 0, 0, 0]), filled(148, [2, 0, 0, 0]), filled(54, [0x38]), ike.subarray(0, 31)];
    for (const [i, first] of others.entries()) {
      expect(observe(datagrams([['client', first]], { serverPort: 4_500 + (i % 2) })).unreadable.size).toBe(0);
    }
  });
});
