import { isIPv6 } from 'node:net';
import type { StoredAlert } from '../store/store.ts';
import { type AlertParts, fileNameOf, type ProcessParts } from './alert-parts.ts';
import { objectId, observableId } from './stix-ids.ts';

const ATTACK = 'https://attack.mitre.org/techniques/T1048/002/';
/** When the objects came to be that are the same in every bundle. */
const SINCE = '2026-01-01T00:00:00.000Z';
/** Ancestors, connections and archives of one story. */
const MAX_ANCESTORS = 8;
const MAX_FLOWS = 50;
const MAX_ARCHIVES = 20;

type StixObject = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** What is read of an alert document beside the parts that all formats read. */
interface Story extends AlertParts {
  readonly waybill?: AlertParts['waybill'] & {
    readonly lineage?: readonly ProcessParts[];
    readonly flows?: readonly FlowParts[];
    readonly staging?: readonly { readonly archive?: string; readonly size?: number }[];
  };
}

interface FlowParts {
  readonly flow_id?: string;
  readonly start?: string;
  readonly end?: string;
  readonly destination?: string;
  readonly domain?: string;
  readonly community_id?: string;
  readonly ja4?: string;
  readonly bytes_out?: number;
  readonly bytes_in?: number;
}

/**
 * One alert as a STIX 2.1 bundle: what was observed (process tree, archives, connections with their TLS facts), sighted as
 * ATT&CK T1048.002. Ids are names (UUID version 5), so that the same alert always gives the same objects. Section numbers
 * are those of the OASIS standard of 10 June 2021.
 */
export function toStix({ id, at, body }: StoredAlert): Record<string, unknown> {
  const story = body as Story;
  const last = stamp(story.event?.end) ?? new Date(at / 1_000).toISOString();
  const first = earlier(stamp(story.event?.start), last);
  const observables = new Map<string, StixObject>();
  const add = (object: StixObject): string => {
    observables.set(object.id, object);
    return object.id;
  };
  addFiles(story, add);
  addProcesses(story, id, add);
  addTraffic(story, add);
  const fixed = [identity(), attackPattern(), tlsDefinition()];
  const [system, technique] = [fixed[0]!.id, fixed[1]!.id];
  const about = { spec_version: '2.1', created_by_ref: system, created: first, modified: last };
  const observed = {
    ...about,
    type: 'observed-data', // §4.14
    id: objectId('observed-data', id),
    first_observed: first,
    last_observed: last,
    number_observed: 1,
    object_refs: [...observables.keys()],
  };
  const told: StixObject[] = [
    observed,
    {
      ...about,
      type: 'sighting', // §5.2
      id: objectId('sighting', id),
      first_seen: first,
      last_seen: last,
      count: 1,
      sighting_of_ref: technique,
      observed_data_refs: [observed.id],
      where_sighted_refs: [system],
      confidence: Math.round(100 * (story.waybill?.probability ?? 0)), // §3.2, appendix A
      external_references: [{ source_name: 'waybill', external_id: id }],
    },
    {
      ...about,
      type: 'relationship', // §5.1
      id: objectId('relationship', id),
      relationship_type: 'related-to',
      source_ref: observed.id,
      target_ref: technique,
    },
    {
      ...about,
      type: 'note', // §4.13
      id: objectId('note', id),
      content: story.message ?? '',
      object_refs: [observed.id],
    },
  ];
  // Nothing to point at: no observation either.
  const shown = observables.size === 0 ? [] : told;
  return {
    type: 'bundle',
    id: objectId('bundle', id, String(at)),
    objects: [...fixed, ...shown, ...observables.values()],
  };
}

type Add = (object: StixObject) => string;

const observable = (
  type: string,
  contributing: Record<string, unknown>,
  more: Record<string, unknown> = {},
): StixObject =>
  without({ type, spec_version: '2.1', id: observableId(type, contributing), ...contributing, ...more }) as StixObject;

/** §6.7: hashes, name and folder name a file. */
function fileObject(path: string, add: Add, more: Record<string, unknown> = {}, sha256?: string): StixObject {
  const name = fileNameOf(path);
  const folder = path.slice(0, Math.max(0, path.length - name.length - 1));
  const parent = folder === '' ? undefined : add(observable('directory', { path: folder })); // §6.4
  const hashes = sha256 === undefined ? undefined : { 'SHA-256': sha256 };
  return observable('file', { hashes, name, parent_directory_ref: parent }, more);
}

function addFiles({ file, waybill }: Story, add: Add): void {
  const archives = new Map((waybill?.staging ?? []).slice(-MAX_ARCHIVES).map(({ archive, size }) => [archive, size]));
  if (file?.path !== undefined) archives.set(file.path, file.size);
  for (const [path, size] of archives) if (path) add(fileObject(path, add, { size }));
}

/** §6.13: nothing contributes to the id of a process; ours is that of its entity in its alert. */
function addProcesses({ process, user, waybill }: Story, alert: string, add: Add): void {
  const lineage = waybill?.lineage?.length ? waybill.lineage : process ? [process] : [];
  const account = user?.name ?? user?.id;
  const userRef =
    account === undefined
      ? undefined
      : add(observable('user-account', { user_id: user?.id, account_login: user?.name })); // §6.16
  let parent: string | undefined;
  const chain = lineage.slice(0, MAX_ANCESTORS);
  for (let i = chain.length - 1; i >= 0; i--) {
    const each = chain[i]!;
    const image =
      each.executable === undefined ? undefined : add(fileObject(each.executable, add, {}, each.hash?.sha256));
    parent = add(
      without({
        type: 'process',
        spec_version: '2.1',
        id: objectId('process', alert, each.entity_id ?? String(i)),
        pid: each.pid,
        command_line: each.command_line,
        created_time: stamp(each.start),
        image_ref: image,
        parent_ref: parent,
        creator_user_ref: i === 0 ? userRef : undefined,
      }) as StixObject,
    );
  }
}

/** §6.12. */
function addTraffic(story: Story, add: Add): void {
  const { source, network, tls, waybill } = story;
  const from = source?.ip === undefined ? undefined : add(address(source.ip));
  for (const flow of (waybill?.flows ?? []).slice(0, MAX_FLOWS)) {
    const colon = flow.destination?.lastIndexOf(':') ?? -1;
    if (flow.destination === undefined || colon < 0) continue;
    const ip = flow.destination.slice(0, colon);
    const to = add(address(ip));
    if (flow.domain !== undefined) add(observable('domain-name', { value: flow.domain }, { resolves_to_refs: [to] })); // §6.5
    const isMain = flow.community_id !== undefined && flow.community_id === network?.community_id;
    const facts = without({
      extension_type: 'property-extension',
      server_name: flow.domain,
      ja4: flow.ja4,
      version: isMain ? tls?.version : undefined,
      ja3: isMain ? tls?.client?.ja3 : undefined,
    });
    const contributing = {
      start: stamp(flow.start),
      end: stamp(flow.end),
      src_ref: from,
      dst_ref: to,
      src_port: isMain ? source?.port : undefined,
      dst_port: Number(flow.destination.slice(colon + 1)),
      protocols: [isIPv6(ip) ? 'ipv6' : 'ipv4', network?.transport ?? 'tcp', 'tls'],
      extensions: { [TLS_EXTENSION]: facts },
    };
    add(observable('network-traffic', contributing, { src_byte_count: flow.bytes_out, dst_byte_count: flow.bytes_in }));
  }
}

/** §6.9 and §6.10. */
const address = (ip: string): StixObject => observable(isIPv6(ip) ? 'ipv6-addr' : 'ipv4-addr', { value: ip });

const TLS_EXTENSION = objectId('extension-definition', 'tls');
const FIXED = { spec_version: '2.1', created: SINCE, modified: SINCE };

/** §4.6: the system that says so. */
const identity = (): StixObject => ({
  ...FIXED,
  type: 'identity',
  id: objectId('identity', 'waybill'),
  name: 'Waybill',
  identity_class: 'system',
});

/** §4.1. */
const attackPattern = (): StixObject => ({
  ...FIXED,
  type: 'attack-pattern',
  id: objectId('attack-pattern', 'T1048.002'),
  created_by_ref: identity().id,
  name: 'Exfiltration Over Asymmetric Encrypted Non-C2 Protocol',
  kill_chain_phases: [{ kill_chain_name: 'mitre-attack', phase_name: 'exfiltration' }],
  external_references: [{ source_name: 'mitre-attack', external_id: 'T1048.002', url: ATTACK }],
});

/** §7.3: what the properties mean that STIX has no place for. */
const tlsDefinition = (): StixObject => ({
  ...FIXED,
  type: 'extension-definition',
  id: TLS_EXTENSION,
  created_by_ref: identity().id,
  name: 'TLS facts of a connection',
  description: 'server_name (SNI), version, ja3 and ja4 of network-traffic objects.',
  schema: 'https://json-schema.org/draft/2020-12/schema',
  version: '1.0.0',
  extension_types: ['property-extension'],
});

/** §3.2: milliseconds at most three digits here; undefined for what is no time. */
function stamp(text: string | undefined): string | undefined {
  const millis = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isFinite(millis) ? new Date(millis).toISOString() : undefined;
}

const earlier = (a: string | undefined, b: string): string => (a !== undefined && a < b ? a : b);

/** STIX knows no null: what is not known is left out. */
const without = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
