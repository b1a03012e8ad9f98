import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import forge from 'node-forge';

/** Connections at a time; a drill makes one. */
const MAX_CONNECTIONS = 4;
const IDLE_MILLIS = 30_000;
const DAY_MILLIS = 86_400_000;

export interface Receiver {
  readonly ip: string;
  readonly port: number;
  close(): void;
}

/** A TLS server on loopback, with a certificate of its own making, that takes whatever comes and keeps nothing. */
export async function openReceiver(ip = '127.0.0.1'): Promise<Receiver> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(selfSigned(), (socket) => {
    sockets.add(socket);
    socket.setTimeout(IDLE_MILLIS, () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
    socket.resume();
  });
  server.on('tlsClientError', () => {}); // somebody else came by
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, ip, resolve);
  });
  return {
    ip,
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Keys by node:crypto: forge takes seconds to find primes. */
function selfSigned(): { cert: string; key: string } {
  const { publicKey, privateKey: key } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - DAY_MILLIS);
  certificate.validity.notAfter = new Date(Date.now() + DAY_MILLIS);
  const subject = [{ name: 'commonName', value: 'waybill drill receiver' }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.sign(forge.pki.privateKeyFromPem(key), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key };
}
