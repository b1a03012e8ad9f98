import { describe, expect, it } from 'vitest';
import { SYN } from '../../sensor/wire/segment.ts';
import { answerFor } from '../build/dns.ts';
import { be16, concat, ethernet, fragmentIpv4, SRC, tcp, udp } from '../build/frames.ts';
import { extension, handshakeRecords } from '../build/hellos.ts';
import { type ObserveOptions, observe, observeOne, type TimedFrame } from '../build/observe.ts';
import { frames, START_MICROS, TcpConnection } from '../build/tcp-connection.ts';
import { helloFor, helloMessage, ordinaryExtensions, SERVER_NAME, type Turn, tls13 } from '../build/tls-flights.ts';

const RESOLVER = '192.0.2.53';
const NAMELESS = handshakeRecords(helloMessage({ extensions: ordinaryExtensions() }));
const TUNNEL: Turn[] = [
  ['client', Buffer.from(`CONNECT ${SERVER_NAME}:443 HTTP/1.1\r\n\r\n`)],
  ['server', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
];

const at = (seconds: number): number => START_MICROS + seconds * 1e6;

const answered = (message: Uint8Array, tsMicros: number, client = SRC, srcPort = 53): TimedFrame => ({
  bytes: ethernet(udp({ src: RESOLVER, dst: client, srcPort, dstPort: 40_000, payload: message })),
  tsMicros,
});

const flow = (turns: readonly Turn[] = tls13(), startMicros = START_MICROS): TimedFrame[] =>
  frames(new TcpConnection().open().say(turns).close().packets, { startMicros });

/** What is said of the destination of the only encrypted flow. */
function destination(packets: readonly TimedFrame[], o: ObserveOptions = {}) {
  const { destination, waybill } = observeOne(packets, o);
  return { domain: destination.domain, source: waybill.domain_source, seen: waybill.dns_seen };
}

describe('a flow whose hello names no server', () => {
  it('gets the name that its client looked up for the address', () => {
    const frames = [answered(answerFor('files.example', '198.51.100.20'), at(-1)), ...flow(tls13(NAMELESS))];
    expect(destination(frames)).toEqual({ domain: 'files.example', source: 'dns', seen: undefined });
  });

  it('gets none that was answered after it began, nor what another client looked up', () => {
    const late = answered(answerFor('late.example', '198.51.100.20'), at(0.002));
    const other = answered(answerFor('other.example', '198.51.100.20'), at(-1), '192.0.2.99');
    const [syn, ...rest] = flow(tls13(NAMELESS));
    expect(destination([other, syn!, late, ...rest])).toEqual({});
  });

  it('keeps its name through all of its records, though other answers come', () => {
    const before = answered(answerFor('first.example', '198.51.100.20'), at(-1));
    const [syn, ...rest] = flow(tls13(NAMELESS));
    const later = answered(answerFor('second.example', '198.51.100.20'), at(0.0015));
    const { records } = observe([before, syn!, later, ...rest]);
    expect(records.map((record) => record.destination.domain)).toEqual(records.map(() => 'first.example'));
    expect(records.length).toBeGreaterThan(1);
  });

  it('keeps its name when the look-up is long forgotten', () => {
    const hours = (n: number): number => n * 3_600;
    const before = answered(answerFor('first.example', '198.51.100.20'), at(-1));
    const open = frames(new TcpConnection().open().say(tls13(NAMELESS)).pause(hours(3)).close().packets);
    const forget = [1, 2].map((i) => answered(answerFor(`n${i}.example`, `203.0.113.${i}`), at(hours(2) + i)));
    const { records } = observe([before, ...open.slice(0, -3), ...forget, ...open.slice(-3)], {
      limits: { idleSeconds: hours(9) },
    });
    expect(new Set(records.map((record) => record.destination.domain))).toEqual(new Set(['first.example']));
  });

  it('gets it from answers in fragments, and from a resolver on the port of multicast DNS', () => {
    const packet = udp({ src: RESOLVER, dst: SRC, srcPort: 53, payload: answerFor('files.example', '198.51.100.20') });
    const pieces = fragmentIpv4(packet, 24).map((bytes) => ({ bytes: ethernet(bytes), tsMicros: at(-1) }));
    expect(destination([...pieces, ...flow(tls13(NAMELESS))]).domain).toBe('files.example');
    const multicast = answered(answerFor('tv.local', '198.51.100.20'), at(-1), SRC, 5353);
    expect(destination([multicast, ...flow(tls13(NAMELESS))]).domain).toBe('tv.local');
  });

  it('gets none from announcements to a multicast group, nor from messages on other ports', () => {
    const announced = answered(answerFor('tv.local', '198.51.100.20'), at(-1), '224.0.0.251', 5353);
    const elsewhere = answered(answerFor('x.example', '198.51.100.20'), at(-1), SRC, 5300);
    expect(destination([announced, elsewhere, ...flow(tls13(NAMELESS))])).toEqual({});
  });

  it('gets none from damaged answers', () => {
    const message = answerFor('files.example', '198.51.100.20');
    for (let size = 0; size < message.length; size += 3) {
      expect(destination([answered(message.subarray(0, size), at(-1)), ...flow(tls13(NAMELESS))])).toEqual({});
    }
  });
});

describe('a flow whose hello names its server', () => {
  it('says that the name was looked up', () => {
    const frames = [answered(answerFor(SERVER_NAME, '203.0.113.5'), at(-1)), ...flow()];
    expect(destination(frames)).toEqual({ domain: SERVER_NAME, source: undefined, seen: true });
  });

  it('says that it was not, when the client’s other look-ups are seen', () => {
    const frames = [answered(answerFor('other.example', '198.51.100.20'), at(-1)), ...flow()];
    expect(destination(frames)).toEqual({ domain: SERVER_NAME, source: undefined, seen: false });
  });

  it('says nothing when no look-up of the client was seen before', () => {
    expect(destination(flow()).seen).toBeUndefined();
    const others = answered(answerFor('other.example', '198.51.100.20'), at(-1), '192.0.2.99');
    expect(destination([others, ...flow()]).seen).toBeUndefined();
    const [syn, ...rest] = flow();
    expect(
      destination([syn!, answered(answerFor(SERVER_NAME, '198.51.100.20'), at(0.002)), ...rest]).seen,
    ).toBeUndefined();
  });

  it('says nothing of a single label, which the search list completes', () => {
    const frames = [
      answered(answerFor('wiki.corp.example', '198.51.100.20'), at(-1)),
      ...flow(tls13(helloFor('wiki'))),
    ];
    expect(destination(frames).seen).toBeUndefined();
  });

  it('says nothing behind an explicit proxy, which looks the name up itself', () => {
    const proxy = answered(answerFor('proxy.corp.example', '198.51.100.20'), at(-1));
    expect(destination([proxy, ...flow([...TUNNEL, ...tls13()])]).seen).toBeUndefined();
    expect(destination([proxy, ...flow([...TUNNEL, ...tls13(NAMELESS)])])).toMatchObject({ source: 'connect' });
  });

  it('takes any name for the address when the visible name may be an outer one', () => {
    const extensions = [...ordinaryExtensions(SERVER_NAME), extension.encryptedClientHello(200)];
    const hello = handshakeRecords(helloMessage({ extensions }));
    const real = answered(answerFor('hidden.example', '198.51.100.20'), at(-1));
    expect(destination([real, ...flow(tls13(hello))])).toMatchObject({ domain: SERVER_NAME, seen: true });
    const elsewhere = answered(answerFor('hidden.example', '203.0.113.5'), at(-1));
    expect(destination([elsewhere, ...flow(tls13(hello))]).seen).toBe(false);
  });
});

describe('DNS over TCP', () => {
  const messages = [
    answerFor('a.example', '203.0.113.1'),
    answerFor('files.example', '198.51.100.20'),
    answerFor('b.example', '203.0.113.2'),
  ];
  const stream = concat(...messages.flatMap((message) => [be16(message.length), message]));

  const overTcp = (sizes: number, skip: readonly number[] = []): TimedFrame[] => {
    const answers = new TcpConnection({ mss: sizes }).open().send('server', stream).packets;
    const kept = answers.filter((_, i) => !skip.includes(i));
    return frames(kept, { server: RESOLVER, serverPort: 53, clientPort: 41_000, startMicros: at(-10) });
  };

  it.each([1, 2, 7, 60, 1_400])('is read from segments of %i bytes', (size) => {
    expect(destination([...overTcp(size), ...flow(tls13(NAMELESS))]).domain).toBe('files.example');
  });

  it('is read when the connection was opened before the capture', () => {
    expect(destination([...overTcp(1_400, [0, 1, 2]), ...flow(tls13(NAMELESS))]).domain).toBe('files.example');
  });

  it('says nothing more after a hole, even when a message seems to begin behind it', () => {
    const [a, files, b] = messages.map((message) => concat(be16(message.length), message)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const cuts = [a.length, a.length + b.length];
    const cut = new TcpConnection().open().sendCut('server', concat(a, b, files), cuts).packets;
    const lost = cut.filter((_, i) => i !== 4);
    const options = { server: RESOLVER, serverPort: 53, clientPort: 41_000, startMicros: at(-10) };
    expect(destination([...frames(lost, options), ...flow(tls13(NAMELESS))])).toEqual({});
    expect(destination([...frames(cut, options), ...flow(tls13(NAMELESS))]).domain).toBe('files.example');
  });

  it('reads copies of segments once and data on a SYN-ACK', () => {
    const packets = overTcp(30).flatMap((frame) => [frame, frame]);
    expect(destination([...packets, ...flow(tls13(NAMELESS))]).domain).toBe('files.example');
    const ends = { src: RESOLVER, dst: SRC, srcPort: 53, dstPort: 41_000 };
    const bytes = ethernet(tcp({ ...ends, seq: 77, flags: SYN | 0x10, payload: stream }));
    expect(destination([{ bytes, tsMicros: at(-10) }, ...flow(tls13(NAMELESS))]).domain).toBe('files.example');
  });

  it('gives up a message that is longer than any answer of use', () => {
    const bytes = ethernet(
      tcp({ src: RESOLVER, dst: SRC, srcPort: 53, dstPort: 41_000, payload: concat(be16(60_000), stream) }),
    );
    expect(destination([{ bytes, tsMicros: at(-10) }, ...flow(tls13(NAMELESS))])).toEqual({});
  });
});
