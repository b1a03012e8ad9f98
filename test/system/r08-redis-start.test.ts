/** RELIABILITY r04, r08: what the store says to a Redis it cannot use, in one line and in time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openRedis, type RedisStoreOptions } from '../../enrich/store/redis.ts';
import type { StoreErrorCode } from '../../enrich/store/store-error.ts';
import { madeUpAuthority } from '../build/certificates.ts';
import { describeWithRedis, freePort, type RedisServer, startRedis } from '../build/redis-server.ts';

const quick: RedisStoreOptions = { timeoutMs: 500, shape: { tags: 4, buckets: 1 } };

/** Opening must fail with this code and a message of one line that has all of these in it. */
async function expectRefusal(
  url: string,
  code: StoreErrorCode,
  parts: readonly string[],
  options = quick,
): Promise<void> {
  const error: unknown = await openRedis(url, options).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'StoreError', code, message: expect.not.stringContaining('\n') });
  for (const part of parts) expect(error).toMatchObject({ message: expect.stringContaining(part) });
}

async function expectWorking(url: string, options: RedisStoreOptions = {}): Promise<void> {
  const store = await openRedis(url, { ...quick, ...options });
  expect(await store.count('host:a', 'flow', 0, 1)).toBe(0);
  await store.close();
}

describeWithRedis('a Redis at the start of the store', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.remove());
  beforeEach(() => {
    server.cli('flushall');
  });

  it.each(['allkeys-lru', 'volatile-ttl'])(
    'is refused when its policy is %s, unless that is allowed',
    async (policy) => {
      server.cli('config', 'set', 'maxmemory-policy', policy);
      await expectRefusal(server.url, 'evicting', [policy, 'noeviction']);
      await expectWorking(server.url, { allowEviction: true });
      server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
      await expectWorking(server.url);
    },
  );

  it('is asked again when the service asks', async () => {
    const store = await openRedis(server.url, quick);
    await store.check();
    server.cli('config', 'set', 'maxmemory-policy', 'allkeys-random');
    await expect(store.check()).rejects.toMatchObject({ code: 'evicting' });
    server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
    await store.close();
  });

  it('is refused when its store is from a later version', async () => {
    server.cli('hset', 'waybill:layout', 'schema', '9');
    await expectRefusal(server.url, 'newer-schema', ['schema 9', 'Update waybill']);
  });

  it('is refused when what lies under the prefix is not a layout', async () => {
    server.cli('hset', 'waybill:layout', 'schema', '1', 'salt', 'short');
    await expectRefusal(server.url, 'corrupt', ['waybill:layout', 'prefix']);
  });

  it('keeps the layout it has, whatever a later worker asks for', async () => {
    const first = await openRedis(server.url, quick);
    await first.observe([{ scope: 's', destination: 'd', day: 7, tainted: false }]);
    const second = await openRedis(server.url, { ...quick, shape: { tags: 99, buckets: 9 } });
    expect(await second.familiarity([{ scope: 's', destination: 'd' }])).toMatchObject([{ firstDay: 7 }]);
    await Promise.all([first.close(), second.close()]);
  });

  it('is refused when it is a replica', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] });
    await expectRefusal(replica.url, 'read-only', ['replica', 'master']);
    await replica.remove();
  });

  it('is refused when it is a node of a cluster that was not named as one', async () => {
    const node = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())] });
    await expectRefusal(node.url, 'bad-url', ['redis+cluster://']);
    await node.remove();
  });

  it('is named when nobody listens', async () => {
    const port = await freePort();
    for (const scheme of ['redis', 'redis+cluster']) {
      await expectRefusal(`${scheme}://127.0.0.1:${port}`, 'unavailable', [`127.0.0.1:${port}`]);
    }
    await expectRefusal(`redis+sentinel://127.0.0.1:${port}/main`, 'unavailable', ['master main']);
  });

  it('is given up in time when it accepts and says nothing', async () => {
    const mute = await listening();
    const started = performance.now();
    await expectRefusal(`redis://127.0.0.1:${mute.port}`, 'unavailable', [`127.0.0.1:${mute.port}`]);
    expect(performance.now() - started).toBeLessThan(3_000);
    mute.server.close();
  });
});

/** A server that takes connections and never writes to them. */
async function listening(): Promise<{ server: Server; port: number }> {
  const port = await freePort();
  const server = createServer((socket) => socket.on('error', () => undefined).unref());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { server, port };
}

describeWithRedis('a Redis with users', () => {
  const everything = ['+@all', '~*', '&*'];
  let server: RedisServer;
  const urlOf = (user: string, password: string) => server.url.replace('://', `://${user}:${password}@`);
  beforeAll(async () => {
    server = await startRedis({ args: ['--requirepass', 'top'], cliArgs: ['-a', 'top', '--no-auth-warning'] });
    server.cli('acl', 'setuser', 'worker', 'on', '>secret', ...everything);
    server.cli('acl', 'setuser', 'reader', 'on', '>secret', '+@all', '-evalsha', '-eval', '~*');
    server.cli('acl', 'setuser', 'elsewhere', 'on', '>secret', '+@all', '~other:*');
  });
  afterAll(() => server.remove());

  it('lets in who is named in the URL or in the options', async () => {
    await expectWorking(urlOf('worker', 'secret'));
    await expectWorking(urlOf('', 'top'));
    await expectWorking(server.url, { username: 'worker', password: 'secret' });
  });

  it.each([
    ['without a password', '', '', 'NOAUTH'],
    ['with a wrong password', 'worker', 'wrong', 'WRONGPASS'],
    ['without the right to run scripts', 'reader', 'secret', 'permissions'],
    ['without the right to our keys', 'elsewhere', 'secret', 'permissions'],
  ])('refuses who comes %s, and the password is in no message', async (_, user, password, said) => {
    const url = user === '' ? server.url : urlOf(user, password);
    await expectRefusal(url, 'denied', [said]);
    const error: unknown = await openRedis(url, quick).catch((thrown: unknown) => thrown);
    if (password !== '') expect(String(error)).not.toContain(password);
  });
});

describeWithRedis('a Redis with TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-tls-'));
  const { ca, server: own } = madeUpAuthority();
  let server: RedisServer;
  let url: string;
  beforeAll(async () => {
    const file = (name: string, text: string) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const tls = ['--tls-cert-file', file('cert', own.cert), '--tls-key-file', file('key', own.key)];
    const port = await freePort();
    const args = [...tls, '--tls-ca-cert-file', file('ca', ca), '--tls-auth-clients', 'no', '--tls-port', String(port)];
    server = await startRedis({ args });
    url = `rediss://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await server.remove();
    rmSync(directory, { recursive: true });
  });

  it('is used when its authority is known', async () => {
    await expectWorking(url, { tls: { ca } });
  });

  it('is refused when its authority is not known', async () => {
    await expectRefusal(url, 'denied', ['TLS', 'SELF_SIGNED']);
  });

  it('is refused when its certificate is for another name', async () => {
    await expectRefusal(url, 'denied', ['TLS', 'ALTNAME'], { ...quick, tls: { ca, servername: 'other.example' } });
  });

  it('is refused when it speaks no TLS at the port named', async () => {
    await expectRefusal(server.url.replace('redis', 'rediss'), 'unavailable', ['speak TLS'], { ...quick, tls: { ca } });
  });
});
