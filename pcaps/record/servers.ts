/**
 * Started inside the server namespace by `record.ts`: the resolver, the CONNECT proxy and every TLS server. Prints one
 * line, "ready", when all of them listen.
 *
 *     servers.ts WORK_DIRECTORY
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Authority, buildAuthority } from './authority.ts';
import { DESTINATIONS, type Destination, HTTPS_PORT, PROXY_IP, PROXY_PORT } from './destinations.ts';
import { startResolver } from './resolver.ts';
import { sleep } from './shell.ts';
import { sink } from './sink.ts';

const children: ChildProcess[] = [];
let log: number | 'ignore' = 'ignore';

function start(file: string, ...args: string[]): void {
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', log],
    env: { ...process.env, HOME: process.argv[2] },
  });
  child.on('exit', (code) => {
    if (code !== null && code !== 0) console.error(`servers: ${file} ended with ${code}`);
  });
  children.push(child);
}

/** One Node server an address: HTTP/2 and HTTP/1.1, the certificate chosen by server name. */
function startNode(authority: Authority, repositories: string, ip: string, entries: readonly Destination[]): void {
  const contexts = new Map<string, SecureContext>();
  const pair = (entry: Destination) => ({
    cert: readFileSync(authority.chainFile(entry)),
    key: readFileSync(authority.keyFile(entry)),
  });
  for (const entry of entries) contexts.set(entry.name, createSecureContext(pair(entry)));
  const first = entries[0]!;
  const server = createSecureServer({
    ...pair(first),
    allowHTTP1: true,
    maxVersion: first.server === 'node-tls12' ? 'TLSv1.2' : 'TLSv1.3',
    SNICallback: (name, done) => done(null, contexts.get(name) ?? contexts.get(first.name)),
  });
  server.on('request', sink(repositories));
  server.on('sessionError', () => undefined);
  server.listen(HTTPS_PORT, ip);
}

/** secp384r1 first, so that clients which sent another key share are asked again (HelloRetryRequest). */
function startNginx(authority: Authority, directory: string): void {
  const entries = DESTINATIONS.filter((entry) => entry.server === 'nginx');
  const servers = entries.map(
    (entry) => `server {
  listen ${entry.ip}:${HTTPS_PORT} ssl http2;
  server_name ${entry.name};
  ssl_certificate ${authority.chainFile(entry)};
  ssl_certificate_key ${authority.keyFile(entry)};
  client_max_body_size 0;
  location / { add_header access-control-allow-origin *; return 200 "ok\\n"; }
}`,
  );
  const text = `daemon off; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log; user root;
events { worker_connections 256; }
http {
  access_log off; ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve secp384r1:prime256v1;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  ${servers.join('\n')}
}`;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, text);
  start('nginx', '-c', file, '-e', join(directory, 'nginx.log'));
}

function startOthers(authority: Authority, directory: string): void {
  for (const entry of DESTINATIONS) {
    const pair = [authority.chainFile(entry), authority.keyFile(entry)] as const;
    if (entry.server === 's-server') {
      const chain = ['-cert', pair[0], '-cert_chain', pair[0], '-key', pair[1]];
      start('openssl', 's_server', '-quiet', '-www', '-accept', `${entry.ip}:${HTTPS_PORT}`, ...chain);
    }
    if (entry.server === 'rclone-webdav') {
      const store = join(directory, 'dav', entry.name);
      mkdirSync(store, { recursive: true });
      start(
        'rclone',
        'serve',
        'webdav',
        store,
        '--addr',
        `${entry.ip}:${HTTPS_PORT}`,
        '--cert',
        pair[0],
        '--key',
        pair[1],
      );
    }
    if (entry.server === 'caddy-h3') {
      const file = join(directory, 'Caddyfile');
      const body = `tls ${pair[0]} ${pair[1]}\n  bind ${entry.ip}\n  respond "hello over QUIC"`;
      writeFileSync(file, `{\n  auto_https off\n  admin off\n}\nhttps://${entry.name} {\n  ${body}\n}\n`);
      start('caddy', 'run', '--config', file, '--adapter', 'caddyfile');
    }
  }
}

/** An explicit proxy: the endpoint sees the proxy, only CONNECT names the destination. */
function startProxy(): void {
  const proxy = createServer((_request, response) => void response.writeHead(405).end());
  proxy.on('connect', (request, client) => {
    const host = request.url?.split(':')[0] ?? '';
    const entry = DESTINATIONS.find(({ name }) => name === host);
    if (entry === undefined) return void client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const upstream = connect(HTTPS_PORT, entry.ip, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  proxy.listen(PROXY_PORT, PROXY_IP);
}

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: servers.ts WORK_DIRECTORY');
const authority = buildAuthority(join(directory, 'pki'));

function groupByIp(): Map<string, Destination[]> {
  const groups = new Map<string, Destination[]>();
  for (const entry of DESTINATIONS) {
    if (!entry.server.startsWith('node')) continue;
    for (const ip of entry.ip6 === undefined ? [entry.ip] : [entry.ip, entry.ip6]) {
      groups.set(ip, [...(groups.get(ip) ?? []), entry]);
    }
  }
  return groups;
}

log = openSync(join(directory, 'servers.log'), 'a');
startResolver();
startProxy();
for (const [ip, entries] of groupByIp()) startNode(authority, join(directory, 'repositories'), ip, entries);
startNginx(authority, directory);
startOthers(authority, directory);
process.on('SIGTERM', () => {
  for (const child of children) child.kill('SIGTERM');
  process.exit(0);
});
await sleep(2500);
console.log('ready');
