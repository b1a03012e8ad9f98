/**
 * What the Node servers of the recording network answer: pages, downloads, a static git repository, and a sink that
 * takes any upload. Nothing that is sent here is kept.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { join, normalize } from 'node:path';

/** Largest body of `/bytes/N`, bytes. */
const MAX_DOWNLOAD_BYTES = 8 * 1024 * 1024;

/** A page that makes a browser fetch from other names: `/open?at=name1,name2`. */
function startPage(names: readonly string[]): string {
  const images = names.map((name) => `<img alt="" src="https://${name}/bytes/900">`).join('');
  return `<!doctype html><title>Start</title><body>${images}</body>`;
}

/** A page whose script sends what the file field got, as an upload form of the web does. */
const UPLOAD_PAGE = `<!doctype html><title>Send files</title><input type="file" id="file"><p id="state">idle</p><script>
const input = document.getElementById('file');
input.addEventListener('change', async () => {
  const body = new FormData();
  for (const file of input.files) body.append('file', file);
  const reply = await fetch('/upload', { method: 'POST', body });
  document.getElementById('state').textContent = reply.ok ? 'sent' : 'failed';
});
</script>`;

const TYPE_HTML = { 'content-type': 'text/html; charset=utf-8', 'access-control-allow-origin': '*' };
const TYPE_BYTES = { 'content-type': 'application/octet-stream', 'access-control-allow-origin': '*' };

/** @param repositories directory that holds bare git repositories for the "dumb" HTTP protocol */
export function sink(repositories: string): (request: Http2ServerRequest, response: Http2ServerResponse) => void {
  return (request, response) => {
    const url = new URL(request.url, 'https://sink.example');
    if (request.method === 'GET') return get(repositories, url, response);
    if (request.method === 'HEAD') return void response.writeHead(404).end();
    const digest = createHash('md5');
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      digest.update(chunk);
    });
    request.on('end', () => {
      response.writeHead(200, { ...TYPE_BYTES, etag: `"${digest.digest('hex')}"` });
      response.end(request.method === 'PUT' ? '' : JSON.stringify({ received }));
    });
  };
}

function get(repositories: string, url: URL, response: Http2ServerResponse): void {
  const bytes = /^\/bytes\/(\d+)$/.exec(url.pathname);
  if (bytes !== null) {
    response.writeHead(200, TYPE_BYTES);
    return void response.end(randomBytes(Math.min(Number(bytes[1]), MAX_DOWNLOAD_BYTES)));
  }
  if (url.pathname.startsWith('/git/')) {
    const file = join(repositories, normalize(url.pathname.slice('/git'.length)));
    if (!file.startsWith(repositories) || !existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, TYPE_BYTES);
    response.end(readFileSync(file));
    return;
  }
  response.writeHead(200, TYPE_HTML);
  response.end(
    url.pathname === '/upload' ? UPLOAD_PAGE : startPage((url.searchParams.get('at') ?? '').split(',').filter(Boolean)),
  );
}
