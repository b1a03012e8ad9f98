/**
 * Test certification authority, made with openssl: a recording root, two intermediates, and an EC certificate for
 * every destination. Start dates lie in the past so that certificates are as old as their story says.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESTINATIONS, type Destination, type Issuer } from './destinations.ts';
import { sh } from './shell.ts';

const DAY_MILLISECONDS = 86_400_000;
const ISSUERS: readonly Issuer[] = ['Northgate Public CA 2', 'FreeCert R7'];
const VALID_DAYS = 90;
const AUTHORITY_AGE_DAYS = 400;

export interface Authority {
  /** PEM file that clients trust. */
  readonly rootFile: string;
  /** PEM files of one destination: chain (leaf first, then the intermediate) and key. */
  readonly chainFile: (destination: Destination) => string;
  readonly keyFile: (destination: Destination) => string;
}

/** `YYYYMMDDHHMMSSZ`, what `openssl ca -startdate` reads. */
function asn1Time(days: number): string {
  return `${new Date(Date.now() + days * DAY_MILLISECONDS).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

function caConfig(directory: string): string {
  return `[ca]
default_ca = d
[d]
dir = ${directory}
database = ${directory}/index.txt
new_certs_dir = ${directory}
rand_serial = yes
default_md = sha256
policy = p
unique_subject = no
copy_extensions = copy
[p]
countryName = optional
organizationName = optional
commonName = supplied
[v3_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[v3_leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;
}

interface Request {
  readonly file: string;
  readonly subject: string;
  readonly names?: readonly string[];
  readonly signer: string;
  readonly extensions: 'v3_ca' | 'v3_leaf';
  readonly fromDays: number;
  readonly toDays: number;
}

function issue(directory: string, request: Request): void {
  const base = join(directory, request.file);
  const alternative = request.names?.map((name) => `DNS:${name}`).join(',');
  sh('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${base}.key`);
  const extra = alternative === undefined ? [] : ['-addext', `subjectAltName=${alternative}`];
  sh('openssl', 'req', '-new', '-key', `${base}.key`, '-subj', request.subject, ...extra, '-out', `${base}.csr`);
  const self = request.signer === request.file;
  const signerBase = join(directory, request.signer);
  const by = self
    ? ['-selfsign', '-keyfile', `${base}.key`]
    : ['-cert', `${signerBase}.pem`, '-keyfile', `${signerBase}.key`];
  const dates = ['-startdate', asn1Time(request.fromDays), '-enddate', asn1Time(request.toDays)];
  const files = ['-in', `${base}.csr`, '-out', `${base}.pem`, '-config', join(directory, 'ca.cnf')];
  sh('openssl', 'ca', '-batch', '-notext', ...by, ...files, ...dates, '-extensions', request.extensions);
}

const fileOfIssuer = (issuer: Issuer): string => issuer.toLowerCase().replaceAll(' ', '-');

export function buildAuthority(directory: string): Authority {
  const authority: Authority = {
    rootFile: join(directory, 'root.pem'),
    chainFile: ({ name }) => join(directory, `${name}.chain.pem`),
    keyFile: ({ name }) => join(directory, `${name}.key`),
  };
  if (existsSync(join(directory, 'complete'))) return authority;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'index.txt'), '');
  writeFileSync(join(directory, 'ca.cnf'), caConfig(directory));
  const authorityDates = { fromDays: -AUTHORITY_AGE_DAYS, toDays: AUTHORITY_AGE_DAYS, extensions: 'v3_ca' } as const;
  issue(directory, {
    file: 'root',
    subject: '/O=Waybill recordings/CN=Recording Root',
    signer: 'root',
    ...authorityDates,
  });
  for (const issuer of ISSUERS) {
    const organisation = issuer === 'FreeCert R7' ? 'FreeCert' : 'Northgate Trust';
    const subject = `/C=XX/O=${organisation}/CN=${issuer}`;
    issue(directory, { file: fileOfIssuer(issuer), subject, signer: 'root', ...authorityDates });
  }
  for (const entry of DESTINATIONS) issueLeaf(directory, entry);
  copyFileSync(join(directory, 'root.pem'), join(directory, 'complete'));
  return authority;
}

function issueLeaf(directory: string, entry: Destination): void {
  const signer = fileOfIssuer(entry.issuer);
  issue(directory, {
    file: entry.name,
    subject: `/CN=${entry.name}`,
    names: [entry.name],
    signer,
    extensions: 'v3_leaf',
    fromDays: -entry.certificateAgeDays,
    toDays: VALID_DAYS - entry.certificateAgeDays,
  });
  const chain = [entry.name, signer].map((file) => readFileSync(join(directory, `${file}.pem`), 'utf8'));
  writeFileSync(join(directory, `${entry.name}.chain.pem`), chain.join(''));
}
