import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { MetricSpec } from '../../sensor/base/metrics.ts';
import { parseStatusAddress, serveStatus } from '../../sensor/cli/status.ts';

const metric: MetricSpec = { name: 'waybill_test_total', type: 'counter', help: 'Things.', read: () => 3 };

async function withServer(
  complaints: readonly string[],
  use: (get: (path: string, method?: string) => Promise<Response>) => Promise<void>,
): Promise<void> {
  const source = { metrics: [metric], complaints: () => complaints };
  const server = await serveStatus({ host: '127.0.0.1', port: 0 }, source);
  const { port } = server.address() as AddressInfo;
  try {
    await use((path, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('the status page', () => {
  it('is healthy while it answers, ready while there is no complaint', () =>
    withServer([], async (get) => {
      expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 200]);
    }));
  it('names every complaint', () =>
    withServer(['capture is down: interface is gone', 'loss'], async (get) => {
      const answer = await get('/readyz');
      expect(answer.status).toBe(503);
      expect(await answer.text()).toBe('degraded\ncapture is down: interface is gone\nloss\n');
      expect((await get('/healthz')).status).toBe(200);
    }));
  it('serves metrics in the text format', () =>
    withServer([], async (get) => {
      const answer = await get('/metrics');
      expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(await answer.text()).toContain('waybill_test_total 3\n');
    }));
  it('has nothing else and takes nothing', () =>
    withServer([], async (get) => {
      expect((await get('/')).status).toBe(404);
      expect((await get('/metrics/../etc/passwd')).status).toBe(404);
      expect((await get('/metrics', 'POST')).status).toBe(405);
      expect((await get('/metrics', 'HEAD')).status).toBe(200);
    }));
});

describe('its address', () => {
  it.each([
    ['127.0.0.1:9477', { host: '127.0.0.1', port: 9477 }],
    ['127.8.8.8:1', { host: '127.8.8.8', port: 1 }],
    ['[::1]:9477', { host: '::1', port: 9477 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
  ])('may be %s', (text, address) => expect(parseStatusAddress(text)).toEqual(address));
  it.each(['0.0.0.0:9477', '10.0.0.1:9477', '[::]:9477', '127.0.0.1.example.org:80', '127.example.org:80'])(
    'may not be %s, which others reach',
    (text) => expect(() => parseStatusAddress(text)).toThrow(/loopback/),
  );
  it.each(['9477', '127.0.0.1', '127.0.0.1:99999', ':9477', ''])('may not be %j, which is no address', (text) =>
    expect(() => parseStatusAddress(text)).toThrow(/HOST:PORT/),
  );
});
