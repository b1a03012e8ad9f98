/** RELIABILITY h05: who has no token learns nothing; TLS, client certificates and rates. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madeUpAuthority } from '../build/certificates.ts';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';
import { enrichProcess, linesOf, post, STORY, temporary } from '../service/waybill-process.ts';

const TOKEN = 'correct-horse-battery-staple';
const OLD_TOKEN = 'the-one-before';
const READ_TOKEN = 'may-only-read';
const hash = (token: string) => createHash('sha256').update(token).digest('hex');
const tokens = [
  { name: 'edr', sha256: hash(TOKEN), scopes: ['events' as const] },
  { name: 'edr-old', sha256: hash(OLD_TOKEN), scopes: ['events' as const] },
  { name: 'prometheus', sha256: hash(READ_TOKEN), scopes: ['read' as const] },
];
const body = linesOf(`${STORY}.endpoint.jsonl`)[0]!;
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('h05: tokens', () => {
  let here: ServiceHere;
  beforeAll(async () => {
    here = await serviceHere({ tokens });
  }, 30_000);
  afterAll(() => here.remove());

  it.each([
    ['bearer', `Bearer ${TOKEN}`],
    ['the one that is being replaced', `Bearer ${OLD_TOKEN}`],
    ['Splunk', `Splunk ${TOKEN}`],
    ['basic, as password', basic(`splunk:${TOKEN}`)],
    ['an Elastic API key', `ApiKey ${Buffer.from(`id:${TOKEN}`).toString('base64')}`],
  ])('lets in who comes with a token: %s', async (_, authorization) => {
    expect((await post(`${here.url}/v1/events`, body, { authorization })).status).toBe(202);
  });

  it('has one answer for everybody else', async () => {
    const attempts: [string, Record<string, string>][] = [
      ['', {}],
      ['', { authorization: 'Bearer wrong' }],
      ['', { authorization: `Bearer ${READ_TOKEN}` }],
      ['', { authorization: `Digest ${TOKEN}` }],
      [`?token=${TOKEN}`, {}],
    ];
    const answers = await Promise.all(
      attempts.map(async ([query, headers]) => {
        const response = await post(`${here.url}/v1/events${query}`, body, headers);
        return `${response.status} ${await response.text()}`;
      }),
    );
    expect(new Set(answers)).toEqual(new Set(['401 {"error":"a valid token for this is needed"}\n']));
    expect((await fetch(`${here.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(401);
    expect((await fetch(`${here.url}/metrics`, { headers: { authorization: `Bearer ${READ_TOKEN}` } })).status).toBe(
      200,
    );
  });

  it('slows down who guesses, and nobody who knows', async () => {
    const guesses = await Promise.all(
      Array.from({ length: 40 }, (_, i) => post(`${here.url}/v1/events`, body, { authorization: `Bearer ${i}` })),
    );
    const limited = guesses.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(10);
    expect(limited[0]!.headers.get('retry-after')).toBe('1');
    expect((await post(`${here.url}/v1/events`, body, { authorization: `Bearer ${TOKEN}` })).status).toBe(202);
  });

  it('speaks to Splunk clients as Splunk does', async () => {
    const response = await post(`${here.url}/services/collector`, body, { authorization: 'Splunk wrong' });
    expect([401, 429]).toContain(response.status);
    expect(await response.json()).toHaveProperty('code');
  });
});

describe('h05: rates', () => {
  it('tells a sender that is too fast when to come again', async () => {
    const here = await serviceHere({ requests_per_second: 5 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => post(`${here.url}/v1/events`, body)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(10);
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    await here.remove();
  });
});

describe('h05: TLS', () => {
  const directory = temporary();
  afterAll(() => directory.remove());
  const { ca, server } = madeUpAuthority();
  const file = (name: string, text: string): string => {
    writeFileSync(`${directory.path}/${name}`, text);
    return `${directory.path}/${name}`;
  };
  const [cert, key, clientCa] = [file('cert', server.cert), file('key', server.key), file('ca', ca)];

  const send = (port: number, identity: { cert?: string; key?: string }): Promise<number | string> =>
    new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, path: '/v1/events', method: 'POST', ca, ...identity };
      const sent = request(options, (response) => resolve(response.statusCode ?? 0));
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      sent.end(body);
    });

  it('serves with the user’s certificate', async () => {
    const here = await serviceHere({ tls: { cert, key } });
    expect(await send(here.service.port, {})).toBe(202);
    await here.remove();
  });

  it('with client certificates lets nobody in without one', async () => {
    const here = await serviceHere({ tls: { cert, key, client_ca: clientCa } });
    expect(await send(here.service.port, { cert: server.cert, key: server.key })).toBe(202);
    expect(typeof (await send(here.service.port, {}))).toBe('string');
    await here.remove();
  });
});

it('h05: no token is in any log', async () => {
  const data = temporary();
  const config = `${data.path}/settings.yaml`;
  writeFileSync(config, `service: { tokens: [{ name: edr, sha256: ${hash(TOKEN)}, scopes: [events] }] }\n`);
  const service = await enrichProcess(['--data', `${data.path}/d`, '--config', config]);
  await post(`${service.url}/v1/events`, body, { authorization: `Bearer ${TOKEN}` });
  await post(`${service.url}/v1/events`, body, { authorization: 'Bearer guessed-secret' });
  service.kill('SIGTERM');
  expect(await service.ended).toBe(0);
  expect(service.err()).not.toContain(TOKEN);
  expect(service.err()).not.toContain('guessed-secret');
  data.remove();
}, 60_000);
