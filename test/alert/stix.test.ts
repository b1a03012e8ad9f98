import { beforeAll, describe, expect, it } from 'vitest';
import { uuid5 } from '../../enrich/alert/stix-ids.ts';
import { toStix } from '../../enrich/alert/to-stix.ts';
import { replay } from '../../enrich/cli/replay.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';

/**
 * Required properties and the types of references, by hand from STIX 2.1 (OASIS standard, 10 June 2021): common properties
 * §3.2, bundle §8, each object in its section.
 */
const DOMAIN = ['spec_version', 'created', 'modified'];
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  identity: [...DOMAIN, 'name'], // §4.6
  'attack-pattern': [...DOMAIN, 'name'], // §4.1
  'observed-data': [...DOMAIN, 'first_observed', 'last_observed', 'number_observed', 'object_refs'], // §4.14
  note: [...DOMAIN, 'content', 'object_refs'], // §4.13
  sighting: [...DOMAIN, 'sighting_of_ref'], // §5.2
  relationship: [...DOMAIN, 'relationship_type', 'source_ref', 'target_ref'], // §5.1
  'extension-definition': [...DOMAIN, 'created_by_ref', 'name', 'schema', 'version', 'extension_types'], // §7.3
  'ipv4-addr': ['value'], // §6.9
  'ipv6-addr': ['value'], // §6.10
  'domain-name': ['value'], // §6.5
  directory: ['path'], // §6.4
  file: ['name'], // §6.7: name or hashes
  process: [], // §6.13: at least one property
  'user-account': [], // §6.16: at least one property
  'network-traffic': ['protocols', 'src_ref', 'dst_ref'], // §6.12: protocols, and one of the two
};
/** Where a reference may lead (empty: anywhere). */
const LEADS: Readonly<Record<string, readonly string[]>> = {
  parent_directory_ref: ['directory'],
  image_ref: ['file'],
  parent_ref: ['process'],
  creator_user_ref: ['user-account'],
  src_ref: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'mac-addr'],
  dst_ref: ['ipv4-addr', 'ipv6-addr', 'domain-name', 'mac-addr'],
  resolves_to_refs: ['ipv4-addr', 'ipv6-addr', 'domain-name'],
  observed_data_refs: ['observed-data'],
  where_sighted_refs: ['identity', 'location'],
  created_by_ref: ['identity'],
};
const ID = /^[a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const TIMES = [
  'created',
  'modified',
  'first_observed',
  'last_observed',
  'first_seen',
  'last_seen',
  'start',
  'end',
  'created_time',
];

type Stix = Record<string, unknown> & { id: string; type: string };
interface Bundle {
  readonly type: string;
  readonly id: string;
  readonly objects: readonly Stix[];
}
const stix = (alert: StoredAlert): Bundle => JSON.parse(JSON.stringify(toStix(alert))) as Bundle;

let alerts: readonly StoredAlert[] = [];
beforeAll(async () => {
  const stories = ['pcaps/stories'];
  alerts = (await replay({ captures: stories, endpoints: stories, settings: defaultSettings() })).alerts;
}, 60_000);

const objectsOf = (): readonly Stix[] => alerts.flatMap((alert) => stix(alert).objects);

describe('an alert as STIX 2.1', () => {
  it('has every required property, in objects of known types with ids of their type', () => {
    for (const object of objectsOf()) {
      expect(object.id).toMatch(ID);
      expect(object.id.startsWith(`${object.type}--`)).toBe(true);
      expect(Object.keys(REQUIRED)).toContain(object.type);
      for (const name of REQUIRED[object.type]!) expect(object, `${object.type} ${name}`).toHaveProperty(name);
      expect(Object.values(object), object.type).not.toContain(null);
      expect(Object.keys(object).length).toBeGreaterThan(3);
    }
  });

  it('refers only to objects of its bundle, of the types that a reference may lead to', () => {
    for (const alert of alerts) {
      const ids = new Set(stix(alert).objects.map(({ id }) => id));
      for (const object of stix(alert).objects) {
        for (const [name, value] of Object.entries(object)) {
          if (!/_refs?$/.test(name)) continue;
          for (const to of [value].flat() as string[]) {
            expect(ids, `${object.type} ${name}`).toContain(to);
            if (LEADS[name]) expect(LEADS[name], name).toContain(to.split('--')[0]);
          }
        }
      }
    }
  });

  it('orders its times, and gives them in UTC', () => {
    for (const object of objectsOf()) {
      for (const name of TIMES) if (object[name] !== undefined) expect(object[name]).toMatch(TIME);
      for (const [from, to] of [
        ['created', 'modified'],
        ['first_observed', 'last_observed'],
        ['first_seen', 'last_seen'],
        ['start', 'end'],
      ])
        if (object[from!] !== undefined && object[to!] !== undefined)
          expect(String(object[from!]) <= String(object[to!])).toBe(true);
    }
  });

  it('tells the story: who, what was packed, where to, with the TLS facts in a defined extension', () => {
    const { objects } = stix(alerts[0]!);
    const types = new Set(objects.map(({ type }) => type));
    expect([...types].sort()).toEqual(
      Object.keys(REQUIRED)
        .filter((type) => type !== 'ipv6-addr')
        .sort(),
    );
    const traffic = objects.find(({ type }) => type === 'network-traffic')!;
    const [[extension, facts]] = Object.entries(traffic['extensions'] as object) as [[string, object]];
    expect(objects.map(({ id }) => id)).toContain(extension);
    expect(facts).toMatchObject({ extension_type: 'property-extension', ja4: expect.stringMatching(/^t1[23]/) });
    expect(objects.find(({ type }) => type === 'attack-pattern')!['external_references']).toMatchObject([
      { source_name: 'mitre-attack', external_id: 'T1048.002' },
    ]);
    expect(JSON.stringify(objects)).toContain('ledger.7z');
  });

  it('gives the same bytes for the same alert, and one technique for all', () => {
    for (const alert of alerts) expect(stix(alert)).toEqual(stix(alert));
    const techniques = objectsOf().filter(({ type }) => type === 'attack-pattern');
    expect(new Set(techniques.map(({ id }) => id)).size).toBe(1);
    expect(new Set(alerts.map((alert) => stix(alert).id)).size).toBe(alerts.length);
  });

  it('makes something of any document', () => {
    for (const body of [{}, { waybill: { flows: [{ destination: 'x' }] } }, { event: { start: 'never' } }])
      expect(stix({ id: 'wb-1', at: 0, revision: 1, body }).type).toBe('bundle');
  });
});

describe('ids by name', () => {
  // RFC 9562, appendix A.4: www.example.com in the namespace of DNS names.
  it('are those of the RFC’s example', () => {
    expect(uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });
});
