/** What stands before TLS: the upgrades and tunnels of TLS.md's table, each as its protocol has it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { be16, be32, concat, hex } from '../build/frames.ts';
import { observe, observeOne } from '../build/observe.ts';
import { frames, TcpConnection } from '../build/tcp-connection.ts';
import {
  applicationData,
  bytesFrom,
  helloFor,
  SERVER_NAME,
  type Turn,
  tls12,
  tls13,
  type Who,
} from '../build/tls-flights.ts';

const TARGET = 'files.example';
const say = (who: Who, text: string): Turn => [who, Buffer.from(text, 'latin1')];
const send = (who: Who, bytes: Uint8Array): Turn => [who, bytes];
const connect = (target: string, more = ''): Turn =>
  say('client', `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${more}\r\n`);
const tunnelOpen = say('server', 'HTTP/1.1 200 Connection established\r\nProxy-Agent: gate\r\n\r\n');
const refusedFor = (bytes: number): Turn =>
  say(
    'server',
    `HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: ${bytes}\r\n\r\n${'<p>sorry</p>'.repeat(bytes / 12)}`,
  );

const socks5Greeting = [send('client', hex('05 01 00')), send('server', hex('05 00'))];
const socks5Login = [
  send('client', hex('05 02 00 02')),
  send('server', hex('05 02')),
  send('client', concat([1, 4], Buffer.from('user'), [6], Buffer.from('secret'))),
  send('server', hex('01 00')),
];
const byName = (name: string) => concat([3, name.length], Buffer.from(name));
const socks5Request = (address: Uint8Array): Turn => send('client', concat([5, 1, 0], address, be16(443)));
const socks5Granted = send('server', hex('05 00 00 01 00000000 0000'));
const socks4Granted = send('server', hex('00 5a 0000 00000000'));

const proxy2 = (family: number, addresses: Uint8Array, tlvs: Uint8Array = new Uint8Array(0)): Uint8Array =>
  concat(hex('0d0a0d0a000d0a515549540a 21'), [family], be16(addresses.length + tlvs.length), addresses, tlvs);
const ADDRESSES4 = concat([192, 0, 2, 9], [203, 0, 113, 7], be16(50_123), be16(443));
const authority = concat([2], be16(TARGET.length), Buffer.from(TARGET));

const mysqlGreeting = concat([74, 0, 0, 0, 10], Buffer.from('8.0.36\0'), new Uint8Array(66).fill(0x41));
const mysqlSslRequest = concat([32, 0, 0, 1], hex('85ae ff01 00000001 21'), new Uint8Array(23));

interface Case {
  readonly name: string;
  readonly turns: readonly Turn[];
  readonly via: string;
  readonly target?: string;
}

const UPGRADES: readonly Case[] = [
  {
    name: 'SMTP STARTTLS',
    turns: [
      say('server', '220 mx.example ESMTP\r\n'),
      say('client', 'EHLO host\r\n'),
      say('server', '250-mx.example\r\n250 STARTTLS\r\n'),
      say('client', 'STARTTLS\r\n'),
      say('server', '220 2.0.0 ready\r\n'),
    ],
    via: 'smtp',
  },
  {
    name: 'IMAP STARTTLS',
    turns: [say('server', '* OK ready\r\n'), say('client', 'a001 STARTTLS\r\n'), say('server', 'a001 OK begin\r\n')],
    via: 'imap',
  },
  {
    name: 'POP3 STLS',
    turns: [say('server', '+OK\r\n'), say('client', 'STLS\r\n'), say('server', '+OK\r\n')],
    via: 'pop3',
  },
  {
    name: 'NNTP STARTTLS',
    turns: [
      say('server', '200 news.example ready\r\n'),
      say('client', 'CAPABILITIES\r\n'),
      say('server', '101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n'),
      say('client', 'STARTTLS\r\n'),
      say('server', '382 go on\r\n'),
    ],
    via: 'nntp',
  },
  {
    name: 'ManageSieve STARTTLS',
    turns: [
      say('server', '"IMPLEMENTATION" "x"\r\n"SIEVE" "fileinto"\r\n"STARTTLS"\r\nOK\r\n'),
      say('client', 'STARTTLS\r\n'),
      say('server', 'OK "go on"\r\n'),
    ],
    via: 'sieve',
  },
  {
    name: 'IRC STARTTLS',
    turns: [
      say('client', 'CAP LS 302\r\n'),
      say('server', ':irc.example CAP * LS :tls\r\n'),
      say('client', 'STARTTLS\r\n'),
      say('server', ':irc.example 670 * :STARTTLS successful\r\n'),
    ],
    via: 'irc',
  },
  {
    name: 'an HTTP upgrade',
    turns: [
      say('client', 'OPTIONS * HTTP/1.1\r\nHost: print.example\r\nUpgrade: TLS/1.2\r\nConnection: Upgrade\r\n\r\n'),
      say('server', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.2, HTTP/1.1\r\nConnection: Upgrade\r\n\r\n'),
    ],
    via: 'http',
  },
  {
    name: 'VeNCrypt',
    turns: [
      say('server', 'RFB 003.008\n'),
      say('client', 'RFB 003.008\n'),
      send('server', hex('01 13')),
      send('client', hex('13')),
      send('server', hex('00 02')),
      send('client', hex('00 02')),
      send('server', hex('00 01 00000105')),
      send('client', hex('00000105')),
      send('server', hex('01')),
    ],
    via: 'vnc',
  },
  {
    name: 'AMQP over TLS',
    turns: [send('client', hex('414d5150 02 010000')), send('server', hex('414d5150 02 010000'))],
    via: 'amqp',
  },
  {
    name: 'FTP AUTH TLS',
    turns: [say('server', '220 ftp\r\n'), say('client', 'AUTH TLS\r\n'), say('server', '234 go on\r\n')],
    via: 'ftp',
  },
  {
    name: 'LDAP StartTLS',
    turns: [
      send('client', concat(hex('30 1d 02 01 01 77 18 80 16'), Buffer.from('1.3.6.1.4.1.1466.20037'))),
      send('server', hex('30 0c 02 01 01 78 07 0a 01 00 04 00 04 00')),
    ],
    via: 'ldap',
  },
  {
    name: 'XMPP starttls',
    turns: [
      say('client', "<?xml version='1.0'?><stream:stream to='chat.example' xmlns='jabber:client'>"),
      say(
        'server',
        "<stream:stream><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
      ),
      say('client', "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
      say('server', "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    ],
    via: 'xmpp',
  },
  {
    name: 'PostgreSQL',
    turns: [send('client', concat(be32(8), hex('04d2162f'))), say('server', 'S')],
    via: 'postgresql',
  },
  {
    name: 'PostgreSQL after refused GSSAPI',
    turns: [
      send('client', concat(be32(8), hex('04d21630'))),
      say('server', 'N'),
      send('client', concat(be32(8), hex('04d2162f'))),
      say('server', 'S'),
    ],
    via: 'postgresql',
  },
  { name: 'MySQL', turns: [send('server', mysqlGreeting), send('client', mysqlSslRequest)], via: 'mysql' },
  {
    name: 'RDP',
    turns: [
      send('client', hex('0300 0013 0e e0 0000 0000 00 01 00 0800 03000000')),
      send('server', hex('0300 0013 0e d0 0000 1234 00 02 00 0800 01000000')),
    ],
    via: 'rdp',
  },
];

const TUNNELS: readonly Case[] = [
  { name: 'CONNECT', turns: [connect(`${TARGET}:443`), tunnelOpen], via: 'connect', target: `${TARGET}:443` },
  {
    name: 'CONNECT after being asked to log in',
    turns: [
      connect(`${TARGET}:443`),
      refusedFor(48),
      connect(`${TARGET}:443`, 'Proxy-Authorization: x\r\n'),
      tunnelOpen,
    ],
    via: 'connect',
    target: `${TARGET}:443`,
  },
  {
    name: 'CONNECT after two long refusals',
    turns: [
      connect(`${TARGET}:443`),
      refusedFor(36_000),
      connect(`${TARGET}:443`, 'Proxy-Authorization: Negotiate TlRM\r\n'),
      refusedFor(36_000),
      connect(`${TARGET}:443`, 'Proxy-Authorization: Negotiate U1NQ\r\n'),
      tunnelOpen,
    ],
    via: 'connect',
    target: `${TARGET}:443`,
  },
  {
    name: 'SOCKS4',
    turns: [send('client', concat([4, 1], be16(443), [203, 0, 113, 7], Buffer.from('me\0'))), socks4Granted],
    via: 'socks4',
    target: '203.0.113.7:443',
  },
  {
    name: 'SOCKS4a',
    turns: [send('client', concat([4, 1], be16(443), [0, 0, 0, 1], Buffer.from(`me\0${TARGET}\0`))), socks4Granted],
    via: 'socks4',
    target: `${TARGET}:443`,
  },
  {
    name: 'SOCKS5 by name',
    turns: [...socks5Greeting, socks5Request(byName(TARGET)), socks5Granted],
    via: 'socks5',
    target: `${TARGET}:443`,
  },
  {
    name: 'SOCKS5 with a password',
    turns: [...socks5Login, socks5Request(byName(TARGET)), socks5Granted],
    via: 'socks5',
    target: `${TARGET}:443`,
  },
  {
    name: 'SOCKS5 by IPv4 address',
    turns: [...socks5Greeting, socks5Request(hex('01 cb007107')), socks5Granted],
    via: 'socks5',
    target: '203.0.113.7:443',
  },
  {
    name: 'SOCKS5 by IPv6 address',
    turns: [...socks5Greeting, socks5Request(hex('04 20010db8 00000000 00000000 00000007')), socks5Granted],
    via: 'socks5',
    target: '[2001:0db8:0000:0000:0000:0000:0000:0007]:443',
  },
  {
    name: 'PROXY version 1',
    turns: [say('client', 'PROXY TCP4 192.0.2.9 203.0.113.7 50123 443\r\n')],
    via: 'proxy',
    target: '203.0.113.7:443',
  },
  {
    name: 'PROXY version 1 over IPv6',
    turns: [say('client', 'PROXY TCP6 2001:db8::9 2001:db8::7 50123 443\r\n')],
    via: 'proxy',
    target: '[2001:db8::7]:443',
  },
  { name: 'PROXY version 1, unknown', turns: [say('client', 'PROXY UNKNOWN\r\n')], via: 'proxy' },
  {
    name: 'PROXY version 2',
    turns: [send('client', proxy2(0x11, ADDRESSES4))],
    via: 'proxy',
    target: '203.0.113.7:443',
  },
  {
    name: 'PROXY version 2 with a host name',
    turns: [send('client', proxy2(0x11, ADDRESSES4, concat([4], be16(2), [0, 0], authority)))],
    via: 'proxy',
    target: `${TARGET}:443`,
  },
  { name: 'PROXY version 2, local', turns: [send('client', proxy2(0, new Uint8Array(0)))], via: 'proxy' },
];
const ALL = [...UPGRADES, ...TUNNELS];
/** Those whose client need not wait for an answer. */
const UNWAITED = [...TUNNELS, ...UPGRADES.filter(({ via }) => via === 'mysql')];

/** The hello sent with the last words of the client, without waiting for an answer. */
function optimistic(turns: readonly Turn[], rest: readonly Turn[]): Turn[] {
  const last = turns.findLastIndex(([who]) => who === 'client');
  const [[, hello], ...more] = rest as [Turn, ...Turn[]];
  return [...turns.slice(0, last), send('client', concat(turns[last]![1], hello)), ...turns.slice(last + 1), ...more];
}

describe('TLS behind a prelude', () => {
  it.each(ALL)('$name is read, and the prelude named', ({ turns, via, target }) => {
    const whole = [...turns, ...tls12()];
    const record = observeOne(frames(new TcpConnection().open().say(whole).close().packets));
    expect(record.tls).toMatchObject({ client: { server_name: SERVER_NAME }, server: { subject: 'CN=files.example' } });
    expect(record.waybill.via).toBe(via);
    expect(record.waybill.via_target).toBe(target);
    expect(record.waybill.anomalies).toBeUndefined();
    expect(record.source.bytes).toBe(bytesFrom('client', whole));
  });

  it('is read behind a greeting of sixty lines, a segment each', () => {
    const banner = Array.from({ length: 60 }, (_, i) => say('server', `220-line ${i} of what nobody reads\r\n`));
    const turns = [
      ...banner,
      say('server', '220 ftp\r\n'),
      say('client', 'AUTH TLS\r\n'),
      say('server', '234 go on\r\n'),
    ];
    const record = observeOne(
      frames(
        new TcpConnection()
          .open()
          .say([...turns, ...tls12()])
          .close().packets,
      ),
    );
    expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
    expect(record.waybill.via).toBe('ftp');
  });

  it.each(UNWAITED)('$name is read when nobody waits for answers', ({ turns, via, target }) => {
    const record = observeOne(frames(new TcpConnection().open().say(optimistic(turns, tls12())).close().packets));
    expect(record.tls).toMatchObject({ client: { server_name: SERVER_NAME }, server: { subject: 'CN=files.example' } });
    expect([record.waybill.via, record.waybill.via_target]).toEqual([via, target]);
  });

  it('is read however prelude and hello are cut into segments', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALL),
        fc.boolean(),
        fc.array(fc.nat(400), { maxLength: 9 }),
        (prelude, waits, cuts) => {
          const joins = !waits && UNWAITED.includes(prelude);
          const whole = joins ? optimistic(prelude.turns, tls13()) : [...prelude.turns, ...tls13()];
          const c = new TcpConnection().open();
          for (const [who, bytes] of whole) c.sendCut(who, bytes, who === 'client' ? cuts : []);
          const record = observeOne(frames(c.close().packets));
          expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
          expect(record.waybill.via).toBe(prelude.via);
          expect(record.waybill.via_target).toBe(prelude.target);
        },
      ),
      { numRuns: 150 },
    );
  }, 30_000);

  it('is read from one-byte segments', () => {
    for (const { turns, via, target } of [TUNNELS[0]!, TUNNELS[6]!, UPGRADES[0]!]) {
      const c = new TcpConnection({ mss: 1 }).open();
      for (const [who, bytes] of [...turns, ...tls12()]) c.send(who, bytes);
      const record = observeOne(frames(c.close().packets));
      expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
      expect([record.waybill.via, record.waybill.via_target]).toEqual([via, target]);
    }
  });

  it.each(ALL)('$name is read from the client’s side alone', ({ turns, target }) => {
    const c = new TcpConnection()
      .open()
      .say([...turns, ...tls13()])
      .close();
    const record = observeOne(frames(c.packets.filter(({ who }) => who === 'client')));
    expect(record.tls?.client?.server_name).toBe(SERVER_NAME);
    expect(record.waybill.via_target).toBe(target);
  });

  it('has the tunnel’s target for its destination when the hello names none', () => {
    const { destination, waybill } = observeOne(
      frames(
        new TcpConnection()
          .open()
          .say([connect('Vault.Files.example.:8443'), tunnelOpen, ...tls13(helloFor('203.0.113.7'))]).packets,
      ),
    );
    expect(destination.domain).toBe('vault.files.example');
    expect(waybill.domain_source).toBe('connect');
  });

  it('says when tunnel and hello name different hosts, and not when they agree but for case and a last dot', () => {
    for (const [target, differs] of [
      ['other.example:443', true],
      ['FILES.example.:443', false],
      ['203.0.113.7:443', false],
    ] as const) {
      const record = observeOne(
        frames(new TcpConnection().open().say([connect(target), tunnelOpen, ...tls13()]).packets),
      );
      expect(record.waybill.anomalies?.includes('via_name_differs') === true).toBe(differs);
      expect(record.destination.domain).toBe(SERVER_NAME);
    }
  });

  it('keeps a hostile target as safe text', () => {
    const record = observeOne(
      frames(new TcpConnection().open().say([connect('evil\x1b[2J"\xff:443'), tunnelOpen, ...tls13()]).packets),
    );
    expect(record.waybill.via_target).toBe('evil\\x1b[2J"\\xff:443');
  });
});

describe('a prelude without TLS behind it', () => {
  const opening = (prelude: string): Turn => ALL.find(({ name }) => name === prelude)!.turns[0]!;
  const page = say('server', `HTTP/1.1 403 Forbidden\r\n\r\n${'no'.repeat(900)}`);
  const http = say('client', `GET / HTTP/1.1\r\nHost: ${TARGET}\r\n\r\n`);
  it.each([
    ['a refused CONNECT', [connect(`${TARGET}:443`), page]],
    ['HTTP in a CONNECT tunnel', [connect(`${TARGET}:80`), tunnelOpen, http, page]],
    ['HTTP through SOCKS5', [...socks5Greeting, socks5Request(byName(TARGET)), socks5Granted, http, page]],
    ['HTTP through SOCKS4', [opening('SOCKS4'), socks4Granted, http, page]],
    [
      'a refused SOCKS5 request',
      [...socks5Greeting, socks5Request(byName(TARGET)), send('server', hex('0502000100000000 0000'))],
    ],
    ['HTTP behind a PROXY header', [say('client', `PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n`), page]],
    [
      'refused STARTTLS',
      [
        ...ALL.find(({ name }) => name === 'SMTP STARTTLS')!.turns.slice(0, 4),
        say('server', '454 not now\r\n'),
        say('client', 'MAIL FROM:<a@b>\r\n'),
      ],
    ],
    [
      'PostgreSQL without TLS',
      [
        opening('PostgreSQL'),
        say('server', 'N'),
        send('client', concat(be32(41), hex('00030000'), new Uint8Array(33))),
      ],
    ],
    [
      'MySQL without TLS',
      [send('server', mysqlGreeting), send('client', concat([90, 0, 0, 1], hex('85a6'), new Uint8Array(88)))],
    ],
    ['standard RDP security', [opening('RDP'), send('server', hex('0300 000b 06 d0 0000 1234 00'))]],
    [
      'a hello in the middle of a page',
      [http, send('server', concat(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), helloFor(TARGET)))],
    ],
  ] as [string, Turn[]][])('%s makes no record', (_, turns) => {
    expect(observe(frames(new TcpConnection().open().say(turns).close().packets)).records).toEqual([]);
  });

  it('of any bytes on both sides makes no record, unless they are a hello', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 }).filter((b) => b[0] !== 22 && b[0]! < 0x80);
    const turn = fc.tuple(fc.constantFrom('client' as const, 'server' as const), bytes);
    fc.assert(
      fc.property(
        fc.constantFrom([], ...ALL.map(({ turns }) => turns)),
        fc.array(turn, { maxLength: 6 }),
        (prelude, turns) => {
          fc.pre(turns.every(([, b]) => b[0] !== 0 && b[0] !== 1 && b[0] !== 2 && b[0] !== 3));
          expect(observe(frames(new TcpConnection().open().say([...prelude, ...turns]).packets)).records).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  }, 30_000);
});

describe('a connection that never turns to TLS', () => {
  it('is taken as plain after some talk, so that it holds no place', () => {
    const talk = Array.from({ length: 60 }, (_, i) =>
      say(i % 2 ? 'server' : 'client', `line ${i} of a long plain talk${'.'.repeat(80)}\n`),
    );
    const c = new TcpConnection().open().say([...talk, ...tls13(), ['client', applicationData(9)]]);
    expect(observe(frames(c.packets)).records).toEqual([]);
  });
});
