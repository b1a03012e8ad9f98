import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withMarkedAlerts } from '../../enrich/service/marked-alerts.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { AlertIndex, type AlertQuery } from '../../enrich/web/alert-index.ts';
import type { Serving } from '../../enrich/web/serve.ts';
import type { AlertAnswer, AlertList } from '../../enrich/web/view.ts';
import { alertAbout, openConsole, TOKEN } from '../build/console.ts';

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const BEARER = { authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { 'content-type': 'application/json' };
const REVIEW = { state: 'true_positive', note: 'called the user', by: 'Ana', revision: 1 };

const EVERYTHING: AlertQuery = { text: '', tier: '', state: 'all', sort: 'time', offset: 0, limit: 50 };

const store = openMemory();
let serving: Serving;

/** fetch would choose Host, Origin and Sec-Fetch-Site itself. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}, port = serving.port): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString() }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

const read = async <T>(path: string): Promise<T> => JSON.parse((await ask(path, { headers: BEARER })).text) as T;
const review = (id: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answered> =>
  ask(`/api/alerts/${id}/reviews`, {
    method: 'POST',
    headers: { ...BEARER, ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });

beforeAll(async () => {
  serving = await openConsole(store, { names: ['soc.example'] });
  for (let n = 1; n <= 120; n++) await store.putAlert(alertAbout(n));
}, 60_000);
afterAll(() => serving.close(500));

describe('who may ask (h05)', () => {
  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['no token', {}, ''],
    ['a wrong token', { authorization: `Bearer ${TOKEN}x` }, ''],
    ['an empty token', { authorization: 'Bearer ' }, ''],
    ['the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, ''],
    ['a wrong scheme', { authorization: `Token ${TOKEN}` }, ''],
    ['the token in the query', {}, `?token=${TOKEN}`],
    ['the token in a cookie', { cookie: `token=${TOKEN}` }, ''],
  ];

  it('gives every wrong way the same answer, and no data', async () => {
    const own = await openConsole(store);
    const answers = [];
    for (const [index, [, headers, query]] of wrong.entries()) {
      answers.push({ index, ...(await ask(`/api/alerts${query}`, { headers }, own.port)) });
    }
    await own.close(500);
    expect(answers.map(({ status }) => status)).toEqual(wrong.map(() => 401));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  it('slows down who guesses', async () => {
    const own = await openConsole(store);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        ask('/api/alerts', { headers: { authorization: `Bearer guess${i}` } }, own.port),
      ),
    );
    await own.close(500);
    expect(answers.some(({ status, headers }) => status === 429 && headers['retry-after'] !== undefined)).toBe(true);
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
  });

  it('asks for the token on every path of the API', async () => {
    const own = await openConsole(store);
    for (const path of ['alerts', 'alerts/wb-000001', 'hosts', 'destinations', 'fingerprints', 'health']) {
      expect((await ask(`/api/${path}`, {}, own.port)).status).toBe(401);
    }
    await own.close(500);
  });
});

describe('who else may not ask (h08)', () => {
  it.each(['attacker.example', 'attacker.example:80', '127.0.0.1.attacker.example', '10.0.0.5'])(
    'refuses the host name %j, token or not',
    async (host) => {
      for (const path of ['/', '/alerts', '/api/alerts', '/api/alerts/wb-000001']) {
        expect((await ask(path, { headers: { ...BEARER, host } })).status).toBe(421);
      }
    },
  );

  it.each(['127.0.0.1:80', 'localhost', '[::1]:4690', 'soc.example', 'SOC.example:443'])('serves %j', async (host) => {
    expect((await ask('/api/alerts', { headers: { ...BEARER, host } })).status).toBe(200);
  });

  it.each([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['plain text', { 'content-type': 'text/plain' }, 415],
    ['no type', { 'content-type': '' }, 415],
    ['another origin', { origin: 'https://attacker.example' }, 403],
    ['no origin at all', { origin: 'null' }, 403],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another port of this machine', { 'sec-fetch-site': 'same-site' }, 403],
  ])('refuses a change sent by %s', async (_, headers, status) => {
    expect((await review('wb-000001', REVIEW, headers)).status).toBe(status);
    expect((await read<AlertAnswer>('/api/alerts/wb-000001')).reviews).toEqual([]);
  });

  it('allows no frame, no foreign source, no sniffing and no referrer, on page, API and errors', async () => {
    for (const path of ['/', '/alerts/x', '/api/alerts', '/api/nothing', '/nothing']) {
      const { headers } = await ask(path, { headers: BEARER });
      const policy = String(headers['content-security-policy']);
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) {
        expect(policy).toContain(rule);
      }
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
    }
  });

  it('serves no file but those of the page', async () => {
    for (const path of [
      '/assets/../index.html',
      '/assets/%2e%2e/api.ts',
      '/../package.json',
      '/assets/',
      '/index.html',
    ]) {
      expect((await ask(path, { headers: BEARER })).status).toBe(404);
    }
  });
});

describe('lists', () => {
  it('rank by tier, then decibels', async () => {
    const { alerts } = await read<AlertList>('/api/alerts?limit=200');
    const keys = alerts.map((a) => (a.tier === 'high' ? 1_000 : 0) + a.db);
    expect(keys).toEqual([...keys].sort((a, b) => b - a));
    expect(alerts).toHaveLength(120);
  });

  it('give every alert once over their pages', async () => {
    const ids: string[] = [];
    for (let offset = 0; offset < 120; offset += 50) {
      const { alerts } = await read<AlertList>(`/api/alerts?limit=50&offset=${offset}&sort=time`);
      ids.push(...alerts.map((a) => a.id));
    }
    expect(new Set(ids).size).toBe(120);
    expect(ids[0]).toBe('wb-000120');
  });

  it.each(['-1', '1e9', 'x', '', '99999999999', '0x10'])('take %j as a limit without harm', async (limit) => {
    const { alerts } = await read<AlertList>(`/api/alerts?limit=${limit}`);
    expect(alerts.length).toBeLessThanOrEqual(200);
  });

  it('find plain text, whatever it looks like to a pattern', async () => {
    expect((await read<AlertList>('/api/alerts?q=WORD-77')).alerts.map((a) => a.id)).toEqual(['wb-000077']);
    expect((await read<AlertList>(`/api/alerts?q=${encodeURIComponent('(a+)+$')}`)).matched).toBe(0);
  });

  it('filter by tier', async () => {
    const { alerts, matched } = await read<AlertList>('/api/alerts?tier=medium&limit=200');
    expect(matched).toBe(40);
    expect(alerts.every((a) => a.tier === 'medium')).toBe(true);
  });

  it('notice within seconds what came, and within a minute what later evidence took back', async () => {
    const own = openMemory();
    let now = 0;
    const index = new AlertIndex(own, () => now);
    const listed = async () => (await index.list({ ...EVERYTHING })).alerts.map((a) => a.id);
    await own.putAlert(alertAbout(1));
    expect(await listed()).toEqual(['wb-000001']);
    await own.putAlert(alertAbout(2));
    now += 3_000;
    expect(await listed()).toEqual(['wb-000002', 'wb-000001']);
    await own.dropAlert('wb-000001');
    now += 60_000;
    expect(await listed()).toEqual(['wb-000002']);
  });

  it('show an alert as it has become, not as it was', async () => {
    const own = openMemory();
    let now = 0;
    const index = new AlertIndex(own, () => now);
    await own.putAlert(alertAbout(1));
    await index.list(EVERYTHING);
    await own.putAlert({ ...alertAbout(1, 'grown'), revision: 2 });
    now += 3_000;
    expect((await index.list(EVERYTHING)).alerts[0]).toMatchObject({ revision: 2, host: 'grown' });
  });

  it('say which of them an exception covers, soon after it was kept', async () => {
    const own = openMemory();
    let isAllowed = false;
    const kept = { image: 'C:\\word-1', destination: 'word-1', owner: 'Ana', reason: 'x', expires: '2100-01-01' };
    let now = 0;
    const index = new AlertIndex(
      withMarkedAlerts(own, () => (isAllowed ? [{ id: 'ex-1', ...kept }] : [])),
      () => now,
    );
    for (const n of [1, 2]) await own.putAlert(alertAbout(n));
    const allowed = async () =>
      (await index.list(EVERYTHING)).alerts.flatMap((a) => (a.allowed === true ? [a.id] : []));
    expect(await allowed()).toEqual([]);
    isAllowed = true;
    index.forgetMarks();
    now += 3_000;
    expect(await allowed()).toEqual(['wb-000001']);
    isAllowed = false;
    index.forgetMarks();
    now += 3_000;
    expect(await allowed()).toEqual([]);
  });

  it('look at every alert of a moment that many share', async () => {
    const own = openMemory();
    for (let n = 0; n < 1_300; n++) await own.putAlert({ ...alertAbout(n), at: 1_795_392_000_000_000 });
    const other = await openConsole(own);
    const { known } = JSON.parse((await ask('/api/alerts', { headers: BEARER }, other.port)).text) as AlertList;
    await other.close(500);
    expect(known).toBe(1_300);
  });
});

describe('reviews', () => {
  it('are kept in order, and the newest holds', async () => {
    expect((await review('wb-000005', { ...REVIEW, state: 'acknowledged' })).status).toBe(201);
    expect((await review('wb-000005', REVIEW)).status).toBe(201);
    const { reviews } = await read<AlertAnswer>('/api/alerts/wb-000005');
    expect(reviews.map((r) => r.state)).toEqual(['acknowledged', 'true_positive']);
    expect(reviews[1]).toMatchObject({ by: 'Ana', note: 'called the user', token: 'console', revision: 1 });
    const closed = await read<AlertList>('/api/alerts?state=closed');
    expect(closed.alerts.map((a) => a.id)).toEqual(['wb-000005']);
    expect((await read<AlertList>('/api/alerts')).matched).toBe(119);
  });

  it.each([
    ['no object', null],
    ['an unknown state', { ...REVIEW, state: 'nice' }],
    ['a state of the prototype', { ...REVIEW, state: 'constructor' }],
    ['no signature', { ...REVIEW, by: '  ' }],
    ['a long note', { ...REVIEW, note: 'x'.repeat(2_001) }],
    ['no revision', { ...REVIEW, revision: 'x' }],
  ])('with %s are refused', async (_, body) => {
    expect((await review('wb-000007', body)).status).toBe(400);
  });

  it('are refused when they are not JSON or far too long', async () => {
    const post = (body: string) =>
      ask('/api/alerts/wb-000007/reviews', { method: 'POST', headers: { ...BEARER, ...JSON_TYPE }, body });
    expect((await post('{')).status).toBe(400);
    expect((await post(' '.repeat(20_000))).status).toBe(413);
  });

  it('of an alert that is not there are refused', async () => {
    expect((await review('wb-none', REVIEW)).status).toBe(404);
    expect((await review('%E0%A4%A', REVIEW)).status).toBe(400);
  });
});

describe('10,000 alerts', () => {
  it('are ranked whole and handed out in pages', async () => {
    const large = openMemory();
    const template = alertAbout(1);
    for (let n = 0; n < 10_050; n++) {
      const { id, at } = { id: `wb-${n}`, at: template.at + n };
      await large.putAlert({ ...template, id, at });
    }
    const other = await openConsole(large);
    const { text } = await ask('/api/alerts?limit=200&offset=9900', { headers: BEARER }, other.port);
    await other.close(500);
    const list = JSON.parse(text) as AlertList;
    expect(list.known).toBe(10_000);
    expect(list.capped).toMatch(/newest 10000/);
    expect(list.alerts).toHaveLength(100);
    expect(text.length).toBeLessThan(200_000);
  });
});
