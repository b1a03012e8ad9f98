import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exceptionFile, readExceptions } from '../../enrich/alert/exception-file.ts';
import { HttpRefusal } from '../../enrich/service/http-answer.ts';
import { withMarkedAlerts } from '../../enrich/service/marked-alerts.ts';
import { type Scope, Tokens } from '../../enrich/service/tokens.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { consoleAnswers } from '../../enrich/web/api.ts';
import type { AlertList, ExceptionPreview, ExceptionsAnswer } from '../../enrich/web/view.ts';
import { alertAbout, builtPage, openConsole, TOKEN } from '../build/console.ts';

const data = mkdtempSync(join(tmpdir(), 'waybill-allow-test-'));
const store = openMemory();
let server: Server;

const spec = (name: string, scopes: readonly Scope[]) => {
  return { name, sha256: createHash('sha256').update(name).digest('hex'), scopes };
};

beforeAll(async () => {
  for (let n = 1; n <= 1_200; n++) await store.putAlert(alertAbout(n, n % 4 === 0 ? 'backup' : `word-${n}`));
  const tokens = new Tokens([spec('reader', ['read']), spec('decider', ['read', 'allow'])]);
  const answer = consoleAnswers({ store, tokens, exceptions: data, pageDirectory: await builtPage() });
  server = createServer((request, response) => {
    const say = (status: number, json: unknown) => response.writeHead(status).end(JSON.stringify(json));
    answer(request, request.url ?? '').then(
      (found) => say(found?.status ?? 404, found?.json),
      (error: unknown) => say(error instanceof HttpRefusal ? error.status : 500, { error: (error as Error).message }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}, 60_000);
afterAll(() => {
  server.close();
  rmSync(data, { recursive: true, force: true });
});

const ask = async (token: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const { port } = server.address() as AddressInfo;
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${port}/api/exceptions${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, json: (await response.json()) as unknown };
};

const FIELDS = {
  image: 'C:\\backup',
  destination: 'backup',
  owner: 'Ana',
  reason: 'nightly copy',
  expires: '2027-12-31',
};

describe('exceptions from the console', () => {
  it('are tried on every stored alert, page after page, and kept by nobody', async () => {
    const { status, json } = await ask('reader', '/preview', FIELDS);
    expect(status).toBe(200);
    expect(json).toMatchObject({ covered: 300, looked: 1_200 });
    expect((json as ExceptionPreview).alerts).toHaveLength(20);
    expect(readExceptions(data)).toEqual([]);
  });

  it('are kept and removed only with the scope allow', async () => {
    expect(await ask('reader', '', FIELDS)).toMatchObject({ status: 403 });
    expect(readExceptions(data)).toEqual([]);
    const kept = await ask('decider', '', FIELDS);
    expect(kept).toMatchObject({ status: 201, json: FIELDS });
    expect(readExceptions(data)).toEqual([kept.json]);
    const { id } = kept.json as { id: string };
    expect(await ask('reader', `/${id}/remove`, {})).toMatchObject({ status: 403 });
    const shown = (await ask('reader', '')).json as ExceptionsAnswer;
    expect(shown).toMatchObject({
      exceptions: [{ id, uses: 300, expired: false }],
      why: expect.stringMatching(/scope/),
    });
    expect(await ask('decider', `/${id}/remove`, {})).toMatchObject({ status: 200 });
    expect(await ask('decider', `/${id}/remove`, {})).toMatchObject({ status: 404 });
    expect(readExceptions(data)).toEqual([]);
  });

  it.each([
    ['another site', { origin: 'https://evil.example' }, 403],
    ['another site that the browser names', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
  ] as const)('are not taken from %s (h08)', async (_, headers, status) => {
    expect((await ask('decider', '', FIELDS, headers)).status).toBe(status);
    expect(readExceptions(data)).toEqual([]);
  });

  it.each([
    ['no program', { ...FIELDS, image: undefined }],
    ['no owner', { ...FIELDS, owner: '' }],
    ['no end', { ...FIELDS, expires: undefined }],
    ['an end that is over', { ...FIELDS, expires: '2020-01-01' }],
    ['no day as its end', { ...FIELDS, expires: 'never' }],
    ['a name nobody knows', { ...FIELDS, everything: true }],
    ['less than one byte', { ...FIELDS, max_bytes: 0 }],
    ['a list', [FIELDS]],
  ])('are refused with %s', async (_, body) => {
    const { status, json } = await ask('decider', '', body);
    expect(status).toBe(400);
    expect((json as { error: string }).error).not.toBe('');
    expect(readExceptions(data)).toEqual([]);
  });

  it('mark the list soon after they were kept', async () => {
    const own = openMemory();
    const directory = mkdtempSync(join(tmpdir(), 'waybill-allow-test-'));
    await own.putAlert(alertAbout(1, 'backup'));
    const shown = withMarkedAlerts(own, () => readExceptions(directory));
    const serving = await openConsole(shown, { exceptions: directory });
    const call = async (path: string, init: RequestInit = {}) => {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
      const response = await fetch(`http://127.0.0.1:${serving.port}/api/${path}`, { ...init, headers });
      return (await response.json()) as AlertList;
    };
    const allowed = async () => (await call('alerts')).alerts[0]?.allowed;
    expect(await allowed()).toBe(undefined);
    await call('exceptions', { method: 'POST', body: JSON.stringify(FIELDS) });
    await expect.poll(allowed, { timeout: 20_000, interval: 200 }).toBe(true);
    await serving.close(500);
    rmSync(directory, { recursive: true, force: true });
  }, 30_000);

  it('say so when their file is broken, and leave it alone', async () => {
    writeFileSync(exceptionFile(data), '{"exceptions":');
    expect((await ask('decider', '', FIELDS)).status).toBe(409);
    expect((await ask('decider', '')).status).toBe(409);
    rmSync(exceptionFile(data));
  });
});
