/** RELIABILITY h08: pages of other sites and rebound names reach nothing; the console's own page does, under its own name. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownNames } from '../../enrich/service/listen-settings.ts';
import { Tokens } from '../../enrich/service/tokens.ts';
import { consoleAnswers } from '../../enrich/web/api.ts';
import { madeUpAuthority } from '../build/certificates.ts';
import { builtPage } from '../build/console.ts';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';
import { linesOf, STORY, settingsWith, temporary, waybill } from '../service/waybill-process.ts';

const TOKEN = 'an-analysts-token';
const NAME = 'waybill.corp.example';
const body = linesOf(`${STORY}.endpoint.jsonl`)[0]!;
const directory = temporary();
afterAll(() => directory.remove());

interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Over TLS to the port, with whatever names a browser would say. */
function ask(port: number, ca: string, { path, method = 'GET', headers = {} }: Asked): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, ca, servername: NAME };
    const sent = request(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? body : undefined);
  });
}

describe('h08: a port beyond loopback that serves the console', () => {
  const { ca, server } = madeUpAuthority(NAME);
  const file = (name: string, text: string): string => {
    writeFileSync(`${directory.path}/${name}`, text);
    return `${directory.path}/${name}`;
  };
  let here: ServiceHere;
  let host = '';
  beforeAll(async () => {
    const pageDirectory = await builtPage();
    here = await serviceHere(
      {
        listen: '0.0.0.0:0',
        tls: { cert: file('cert', server.cert), key: file('key', server.key) },
        tokens: [
          { name: 'analyst', sha256: createHash('sha256').update(TOKEN).digest('hex'), scopes: ['read', 'events'] },
        ],
        console: true,
        names: [NAME],
      },
      {
        pages: ({ service }, store) =>
          consoleAnswers({ store, tokens: new Tokens(service.tokens), names: ownNames(service), pageDirectory }),
      },
    );
    host = `${NAME}:${here.service.port}`;
  }, 60_000);
  afterAll(() => here.remove());

  const bearer = { authorization: `Bearer ${TOKEN}` };
  it.each<[string, () => Asked, number]>([
    ['gives its page under its own name', () => ({ path: '/', headers: { host } }), 200],
    ['gives its alerts to its page', () => ({ path: '/api/alerts', headers: { host, ...bearer } }), 200],
    ['gives them to nobody without a token', () => ({ path: '/api/alerts', headers: { host } }), 401],
    [
      'takes what its own page posts',
      () => ({ path: '/v1/events', method: 'POST', headers: { host, origin: `https://${host}`, ...bearer } }),
      202,
    ],
    [
      'takes what a sender posts, by whatever name it comes',
      () => ({ path: '/v1/events', method: 'POST', headers: { host: '10.1.2.3:8095', ...bearer } }),
      202,
    ],
    [
      'refuses what a page of another site posts, token or not',
      () => ({ path: '/v1/events', method: 'POST', headers: { host, origin: 'https://evil.example', ...bearer } }),
      421,
    ],
    [
      'refuses a page of the same name on another port',
      () => ({ path: '/v1/events', method: 'POST', headers: { host, origin: `https://${NAME}:1`, ...bearer } }),
      421,
    ],
    [
      'refuses the page of that name without TLS',
      () => ({ path: '/v1/events', method: 'POST', headers: { host, origin: `http://${host}`, ...bearer } }),
      421,
    ],
    [
      'refuses a name that was rebound to this address, same origin or not',
      () => ({
        path: '/v1/events',
        method: 'POST',
        headers: { host: 'evil.example', origin: 'https://evil.example', ...bearer },
      }),
      421,
    ],
    ['shows a rebound name no page', () => ({ path: '/', headers: { host: 'evil.example' } }), 421],
    [
      'tells a rebound name no alerts',
      () => ({ path: '/api/alerts', headers: { host: 'evil.example', ...bearer } }),
      421,
    ],
    [
      'refuses a page that says its origin is null',
      () => ({ path: '/metrics', headers: { host, origin: 'null' } }),
      421,
    ],
  ])('%s', async (_, asked, status) => {
    expect(await ask(here.service.port, ca, asked())).toBe(status);
  });
});

describe('h08: a port on loopback without tokens', () => {
  it('answers no name but this machine’s', async () => {
    const here = await serviceHere();
    const get = (headers: Record<string, string>) => fetchWith(here.url, headers);
    expect(await get({})).toBe(200);
    expect(await get({ host: 'localhost' })).toBe(200);
    expect(await get({ host: 'evil.example' })).toBe(421);
    expect(await get({ origin: 'https://evil.example' })).toBe(421);
    expect(await get({ host: 'evil.example', origin: 'http://evil.example' })).toBe(421);
    await here.remove();
  });
});

it('h08: the console on the port needs a token that may read', async () => {
  const config = `${directory.path}/console.yaml`;
  writeFileSync(config, 'service: { console: true }\n');
  const checked = waybill('check-config', config);
  expect(await checked.ended).toBe(2);
  expect(checked.err()).toMatch(/console\.yaml:1:\d+ service\.console: needs a token with the scope read/);
  expect(settingsWith({}).service.console).toBe(false);
});

/** `fetch` would not let us say another Host. */
async function fetchWith(url: string, headers: Record<string, string>): Promise<number> {
  const { request: plain } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = plain(`${url}/healthz`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end();
  });
}
