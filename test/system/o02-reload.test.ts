/** RELIABILITY o02: SIGHUP takes tokens, certificates and the address into use, and keeps what it had when it cannot. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { madeUpAuthority } from '../build/certificates.ts';
import { freePort } from '../build/redis-server.ts';
import { enrichProcess, eventually, post, temporary } from '../service/waybill-process.ts';

const directory = temporary();
afterAll(() => directory.remove());
const write = (name: string, text: string): string => {
  writeFileSync(`${directory.path}/${name}`, text);
  return `${directory.path}/${name}`;
};
const hash = (token: string) => createHash('sha256').update(token).digest('hex');

/** What a handshake shows: the certificate's fingerprint. Throws when `ca` does not vouch for it. */
function shown(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('o02: SIGHUP', () => {
  it('takes tokens and the address; an address that cannot be had leaves the old one, and says so', async () => {
    const settings = (listen: string, token: string): string =>
      JSON.stringify({ service: { listen, tokens: [{ name: 'edr', sha256: hash(token), scopes: ['events'] }] } });
    const [first, second] = [await freePort(), await freePort()];
    const config = write('address.yaml', settings(`127.0.0.1:${first}`, 'one'));
    const service = await enrichProcess(['--data', `${directory.path}/a`, '--config', config], 'ready', []);
    const status = async (port: number, token: string) =>
      (await post(`http://127.0.0.1:${port}/v1/events`, '{}', { authorization: `Bearer ${token}` })).status;
    expect(await status(first, 'one')).toBe(202);

    write('address.yaml', settings(`127.0.0.1:${first}`, 'two'));
    service.kill('SIGHUP');
    await eventually(async () => (await status(first, 'two')) === 202);
    expect(await status(first, 'one')).toBe(401);

    write('address.yaml', settings(`127.0.0.1:${second}`, 'two'));
    service.kill('SIGHUP');
    await eventually(async () => (await status(second, 'two').catch(() => 0)) === 202);
    await expect(status(first, 'two')).rejects.toThrow();

    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const taken = (other.address() as AddressInfo).port;
    write('address.yaml', settings(`127.0.0.1:${taken}`, 'three'));
    service.kill('SIGHUP');
    await eventually(() => service.err().includes('EADDRINUSE'));
    expect(service.err()).toContain('the old ones are kept');
    expect(await status(second, 'two')).toBe(202);
    expect(await status(second, 'three')).toBe(401);
    other.close();
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  }, 60_000);

  it('shows the new certificate to new handshakes, and keeps the old one when the new is no good', async () => {
    const [before, after] = [madeUpAuthority(), madeUpAuthority()];
    const [cert, key] = [write('cert.pem', before.server.cert), write('key.pem', before.server.key)];
    const config = write('tls.yaml', JSON.stringify({ service: { tls: { cert, key } } }));
    const service = await enrichProcess(['--data', `${directory.path}/b`, '--config', config]);
    const port = Number(new URL(service.url).port);
    const old = await shown(port, before.ca);
    const open = connect({ host: '127.0.0.1', port, ca: before.ca });
    await new Promise((resolve) => open.once('secureConnect', resolve));

    write('key.pem', after.server.key); // does not belong to the certificate
    service.kill('SIGHUP');
    await eventually(() => service.err().includes('the old ones are kept'));
    expect(await shown(port, before.ca)).toBe(old);

    write('cert.pem', after.server.cert);
    service.kill('SIGHUP');
    await eventually(async () => (await shown(port, after.ca).catch(() => old)) !== old);
    await expect(shown(port, before.ca)).rejects.toThrow();
    expect(open.destroyed).toBe(false);
    open.destroy();

    write('tls.yaml', '{}');
    service.kill('SIGHUP');
    await eventually(() => service.err().includes('cannot be switched on or off at the same address'));
    expect(await shown(port, after.ca)).not.toBe(old);
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  }, 60_000);
});
