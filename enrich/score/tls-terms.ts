import type { Settings } from '../settings.ts';
import type { Episode, EpisodeFlow } from './episode.ts';
import type { Term } from './verdict.ts';

/** A certificate younger than this is new. Microseconds. */
const NEW_CERTIFICATE = 14 * 86_400_000_000;
const SHARING = new Set(['file-sharing', 'tunnel', 'messaging', 'webhook']);

/** What the handshake and the kind of destination say. */
export function tlsTerms(episode: Episode, settings: Settings): Term[] {
  const w = settings.model;
  const terms: Term[] = [];
  const add = (name: string, db: number, detail: string, flow: EpisodeFlow) =>
    terms.push({ group: 'C', name, db, detail, evidence: [flow.record.waybill.flow_id] });
  const server = (f: EpisodeFlow) => f.record.tls?.server;
  const denied = find(episode.flows, (f) => deniedIssuer(server(f)?.issuer, settings));
  if (denied)
    add(
      'issuer_denylisted',
      w.tls.issuerDenylist,
      `issuer ${server(denied)!.issuer} is on CertificateIssuerDenylist`,
      denied,
    );
  const selfSigned = find(episode.flows, (f) => server(f)?.self_signed === true);
  if (selfSigned) add('self_signed', w.tls.selfSigned, 'the certificate is self-signed', selfSigned);
  else {
    const nameless = find(
      episode.flows,
      (f) => f.record.tls?.client !== undefined && f.record.destination.domain === undefined,
    );
    if (nameless)
      add('address_without_name', w.tls.addressWithoutName, 'the client asked for no server name', nameless);
  }
  const first = episode.flows[0]!;
  if (episode.lookedUp === false) {
    add('name_without_lookup', w.tls.nameWithoutLookup, 'the host shows look-ups, but none for this name', first);
  }
  const fresh = find(episode.flows, (f) => isNew(server(f)?.not_before, f.start));
  if (fresh)
    add(
      'new_certificate',
      w.tls.newCertificate,
      `the certificate is valid only since ${server(fresh)!.not_before}`,
      fresh,
    );
  const { category, operator, hosting } = episode.destination;
  if (hosting === 'rented' && category === undefined) {
    const who = operator?.organization ?? `AS${operator?.number}`;
    add('rented_server', w.tls.rentedServer, `the address is a rented server (${who})`, first);
  }
  if (category === 'paste') add('paste_site', w.tls.pasteSite, 'the destination is a paste site', first);
  else if (category === 'cloud-storage')
    add('cloud_storage', w.tls.cloudStorage, 'the destination is cloud storage', first);
  else if (category !== undefined && SHARING.has(category)) {
    add('sharing_service', w.tls.fileSharing, `the destination is a ${category} service`, first);
  }
  return terms;
}

const find = (flows: readonly EpisodeFlow[], test: (f: EpisodeFlow) => boolean): EpisodeFlow | undefined =>
  flows.find(test);

function deniedIssuer(issuer: string | undefined, settings: Settings): boolean {
  if (issuer === undefined) return false;
  const folded = issuer.toLowerCase();
  return settings.CertificateIssuerDenylist.some((entry) => folded.includes(entry.toLowerCase()));
}

function isNew(notBefore: string | undefined, at: number): boolean {
  if (notBefore === undefined) return false;
  const since = Date.parse(notBefore) * 1000;
  return since <= at && at - since < NEW_CERTIFICATE;
}
