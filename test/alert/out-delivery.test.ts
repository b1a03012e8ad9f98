import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { sendSyslog } from '../../enrich/alert/syslog.ts';
import { isPublic, postOnce, signature, type WebhookOptions } from '../../enrich/alert/webhook.ts';
import { madeUpAuthority } from '../build/certificates.ts';
import { alertAbout } from '../build/console.ts';
import { type WebhookReceiver, webhookReceiver } from '../build/webhook-receiver.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function receiver(answer: Parameters<typeof webhookReceiver>[0]): Promise<WebhookReceiver> {
  const made = await webhookReceiver(answer);
  closing.push(() => made.close());
  return made;
}

const alert = alertAbout(1);
const OPTIONS = { secret: 'key', allowPrivate: true, attemptMillis: 2_000 };
const post = (url: URL, more: Partial<WebhookOptions> = {}) =>
  postOnce({ delivery: 'wb-000001.1', body: JSON.stringify(alert.body) }, { url, ...OPTIONS, ...more }, 1_700_000_000);

describe('the webhook (h09)', () => {
  it('posts the document with a signature that the receiver can check', async () => {
    const { url, taken } = await receiver((response) => response.end('ok'));
    expect(await post(url)).toEqual({ kind: 'taken', status: 200 });
    expect(JSON.parse(taken[0]!.body)).toEqual(alert.body);
    expect(taken[0]!.headers['x-waybill-signature']).toBe(signature(taken[0]!.body, 'key', 1_700_000_000));
    expect(signature('a', 'key', 1)).not.toBe(signature('a', 'other', 1));
    expect(signature('a', 'key', 1)).not.toBe(signature('a', 'key', 2));
  });

  it.each([
    [500, 'failed'],
    [503, 'failed'],
    [404, 'failed'],
    [401, 'failed'],
    [400, 'refused'],
    [413, 'refused'],
  ])('knows after %i whether another attempt may help: %s', async (status, kind) => {
    const { url, taken } = await receiver((response) => response.writeHead(status).end());
    expect(await post(url)).toMatchObject({ kind, why: `the receiver answers ${status}` });
    expect(taken.map(({ headers }) => headers['x-waybill-delivery'])).toEqual(['wb-000001.1']);
  });

  it('follows no redirect', async () => {
    const inside = await receiver((response) => response.end());
    const { url } = await receiver((response) => response.writeHead(302, { location: inside.url.href }).end());
    expect(await post(url)).toMatchObject({ kind: 'failed', why: 'the receiver answers 302' });
    expect(inside.taken).toEqual([]);
  });

  it('waits neither for a silent receiver nor for an endless answer', async () => {
    const silent = await receiver(() => {});
    expect(await post(silent.url, { attemptMillis: 50 })).toMatchObject({ kind: 'failed' });
    const endless = await receiver((response) => {
      const more = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more);
      };
      response.writeHead(200);
      more();
    });
    expect(await post(endless.url)).toMatchObject({ kind: 'taken' });
  });

  it.each([
    'http://127.0.0.1:1/',
    'http://localhost:1/',
    'http://169.254.169.254/latest',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://0x7f.1/',
    'http://[fd00::1]/',
    'http://2130706433/',
  ])('sends nothing to %s unless allowed', async (url) => {
    expect(await post(new URL(url), { allowPrivate: false })).toEqual({
      kind: 'failed',
      why: 'the address is not a public one',
    });
  });

  it.each([
    ['8.8.8.8', true],
    ['172.15.0.1', true],
    ['172.16.0.1', false],
    ['100.64.0.1', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['2606:4700::1111', true],
    ['2002:7f00:1::', false],
    ['fe80::1', false],
    ['::', false],
  ])('knows that %s is public: %s', (address, expected) => {
    expect(isPublic(address)).toBe(expected);
  });
});

describe('syslog delivery', () => {
  it('counts octets on a connection', async () => {
    let text = '';
    const server = createTcp((socket) =>
      socket
        .on('data', (part) => {
          text += part;
        })
        .on('end', () => socket.end()),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    await sendSyslog(['<106>1 eins', '<106>1 zwölf'], { transport: 'tcp', host: '127.0.0.1', port });
    expect(text).toBe('11 <106>1 eins13 <106>1 zwölf');
  });

  it('sends a datagram each, cut between characters', async () => {
    const socket = createSocket('udp4');
    const got: string[] = [];
    socket.on('message', (bytes) => got.push(bytes.toString()));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closing.push(() => socket.close());
    const { port } = socket.address();
    await sendSyslog(['short', `x${'ö'.repeat(2_000)}`], { transport: 'udp', host: '127.0.0.1', port });
    while (got.length < 2) await once(socket, 'message');
    expect(got).toEqual(['short', `x${'ö'.repeat(699)}`]);
  });

  it('says so when nobody listens, and when the receiver does not end', async () => {
    const server = createTcp(() => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const target = { transport: 'tcp', host: '127.0.0.1', port, deliveryMillis: 50 } as const;
    const silent = createTcp({ allowHalfOpen: true }, (socket) => socket.resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing.push(() => silent.close());
    const at = (silent.address() as AddressInfo).port;
    await expect(sendSyslog(['x'], { ...target, port: at })).rejects.toThrow(/too long/);
    server.close();
    await once(server, 'close');
    await expect(sendSyslog(['x'], target)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('goes over TLS to a receiver that its authority vouches for, and to no other', async () => {
    const { ca, server: own } = madeUpAuthority();
    let text = '';
    const server = createTls(own, (socket) => {
      socket.on('data', (part) => {
        text += part;
      });
      socket.on('end', () => socket.end());
    });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const target = { transport: 'tls', host: '127.0.0.1', port } as const;
    await expect(sendSyslog(['x'], target)).rejects.toThrow(/certificate/);
    await sendSyslog(['<106>1 eins'], { ...target, ca: Buffer.from(ca) });
    expect(text).toBe('11 <106>1 eins');
  });
});
