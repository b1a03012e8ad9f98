import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

/**
 * A certificate authority that nobody knows, and a certificate of it for localhost and 127.0.0.1.
 *
 * @param further host names of the certificate
 */
export function madeUpAuthority(...further: readonly string[]): { ca: string; server: Certificate } {
  const authority = keys();
  const ca = certificate(authority.public, 'Nobody', authority.private, 'Nobody', [
    { name: 'basicConstraints', cA: true },
  ]);
  const own = keys();
  const names = {
    name: 'subjectAltName',
    altNames: [
      { type: 2, value: 'localhost' },
      { type: 7, ip: '127.0.0.1' },
      ...further.map((value) => ({ type: 2, value })),
    ],
  };
  return {
    ca,
    server: { cert: certificate(own.public, 'localhost', authority.private, 'Nobody', [names]), key: own.private },
  };
}

/** Keys from node:crypto: forge takes seconds to find primes. */
function keys(): { public: string; private: string } {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return { public: pair.publicKey, private: pair.privateKey };
}

function certificate(publicKey: string, subject: string, signer: string, issuer: string, extensions: object[]): string {
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.publicKeyFromPem(publicKey);
  made.serialNumber = '01';
  made.validity.notBefore = new Date('2020-01-01');
  made.validity.notAfter = new Date('2120-01-01');
  made.setSubject([{ name: 'commonName', value: subject }]);
  made.setIssuer([{ name: 'commonName', value: issuer }]);
  made.setExtensions(extensions);
  made.sign(forge.pki.privateKeyFromPem(signer), forge.md.sha256.create());
  return forge.pki.certificateToPem(made);
}
