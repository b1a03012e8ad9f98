/** RELIABILITY h04: clients that say almost nothing, slowly, keep nobody else out and are cut off. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServiceHere, serviceHere } from '../service/service-here.ts';
import { eventually, linesOf, post, STORY } from '../service/waybill-process.ts';

let here: ServiceHere;
const sockets: Socket[] = [];
beforeAll(async () => {
  here = await serviceHere({ request_seconds: 1, connections: 500 });
}, 30_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await here.remove();
});

async function slow(head: string): Promise<Socket> {
  const socket = connect(here.service.port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(head);
  return socket;
}

it('h04: 300 of them, half in the headers and half in the body, are cut off while others are served', async () => {
  const body = linesOf(`${STORY}.endpoint.jsonl`).join('\n');
  const header = 'POST /v1/events HTTP/1.1\r\nhost: localhost\r\n';
  const clients = await Promise.all(
    Array.from({ length: 300 }, (_, i) => slow(i % 2 === 0 ? header : `${header}content-length: 1000\r\n\r\n`)),
  );
  const drip = setInterval(() => {
    for (const client of clients) if (client.writable) client.write('x');
  }, 100);
  for (let i = 0; i < 5; i++) expect((await post(`${here.url}/v1/events`, body)).status).toBe(202);
  await eventually(() => clients.every((client) => client.readyState !== 'open'), 15_000);
  clearInterval(drip);
}, 30_000);

it('h04: connections beyond the limit are closed, those within it are not', async () => {
  const idle = await Promise.all(Array.from({ length: 600 }, () => slow('')));
  await eventually(
    () => idle.filter((client) => client.destroyed || client.readyState === 'closed').length >= 50,
    10_000,
  );
  for (const client of idle) client.destroy();
  await eventually(async () => (await fetch(`${here.url}/healthz`).catch(() => undefined))?.status === 200, 10_000);
}, 30_000);
