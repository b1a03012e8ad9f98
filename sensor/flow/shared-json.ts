/** Parts of records that many connections share, as JSON: made once for the facts that they are made of. */
import { GenerationCache } from '../base/generation-cache.ts';
import { anomalyNames } from '../record/anomalies.ts';
import type { CertificateFacts } from '../tls/certificate.ts';
import type { ClientOffer, ServerFacts } from './hello-facts.ts';
import { MAX_NAMES } from './to-record.ts';

/** Sets of anomalies kept in each of two generations. */
const MAX_SETS = 256;

/** Fields of `tls.client` from `ja4` to `ech`, without brackets. */
export const offerJson = once((offer: ClientOffer) =>
  fields({
    ja4: offer.ja4,
    version: offer.version,
    alpn: offer.alpn.length > 0 ? offer.alpn : undefined,
    ech: offer.ech,
  }),
);

/** Fields of `tls` from `version` to `next_protocol`, without brackets. */
export const answerJson = once((server: ServerFacts) =>
  fields({
    version: server.version,
    version_protocol: server.versionProtocol,
    cipher: server.cipher,
    next_protocol: server.alpn,
  }),
);

/** Fields of `tls.server` that come from the certificate, without brackets. */
export const certificateJson = once((facts: CertificateFacts) => {
  const names = facts.alternativeNames.slice(0, MAX_NAMES);
  return fields({
    subject: facts.subject,
    issuer: facts.issuer,
    not_before: facts.notBefore,
    not_after: facts.notAfter,
    x509: {
      alternative_names: names.length > 0 ? names : undefined,
      serial_number: facts.serialNumber,
      public_key_algorithm: facts.publicKeyAlgorithm,
    },
    self_signed: facts.selfSigned,
  });
});

const sets = new GenerationCache<Uint8Array, number>(MAX_SETS);

/** The names of a set of anomalies as a list. */
export function anomaliesJson(set: number): Uint8Array {
  const known = sets.get(set);
  if (known !== undefined) return known;
  const list = Buffer.from(JSON.stringify(anomalyNames(set)));
  sets.set(set, list);
  return list;
}

const fields = (of: object): Uint8Array => Buffer.from(JSON.stringify(of).slice(1, -1));

function once<T extends object>(make: (facts: T) => Uint8Array): (facts: T) => Uint8Array {
  const made = new WeakMap<T, Uint8Array>();
  return (facts) => {
    const known = made.get(facts);
    if (known !== undefined) return known;
    const json = make(facts);
    made.set(facts, json);
    return json;
  };
}
