/**
 * A real alert against what the published schemas say. The tables hold the part of each schema that we use, written down from
 * the sources named beside them: unknown fields, missing ones and wrong types are complaints.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { toOcsf } from '../../enrich/alert/to-ocsf.ts';
import { withdrawalOf } from '../../enrich/alert/withdrawn.ts';
import { replay } from '../../enrich/cli/replay.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import type { StoredAlert } from '../../enrich/store/store.ts';
import { alertAbout } from '../build/console.ts';
import { complaintsAbout, type ObjectFacts } from '../build/schema-facts.ts';

let alert: StoredAlert;
beforeAll(async () => {
  const story = 'pcaps/stories/story-exfil-archive';
  const input = { captures: [`${story}.pcap.gz`], endpoints: [`${story}.endpoint.jsonl`], settings: defaultSettings() };
  const { alerts } = await replay(input);
  alert = alerts[0]!;
}, 60_000);

const table = (facts: Record<string, ObjectFacts>): ReadonlyMap<string, ObjectFacts> => new Map(Object.entries(facts));

/** OCSF 1.6.0, github.com/ocsf/ocsf-schema: events/base_event.json, events/findings/{finding,detection_finding}.json, objects/*.json. */
const OCSF = table({
  detection_finding: {
    required: [
      'activity_id',
      'category_uid',
      'class_uid',
      'finding_info',
      'metadata',
      'severity_id',
      'time',
      'type_uid',
    ],
    fields: {
      activity_id: [0, 1, 2, 3, 99],
      activity_name: ['Create', 'Update', 'Close'],
      category_uid: [2],
      category_name: ['Findings'],
      class_uid: [2004],
      class_name: ['Detection Finding'],
      type_uid: [200_401, 200_402, 200_403],
      time: 'whole',
      start_time: 'whole',
      end_time: 'whole',
      severity_id: [0, 1, 2, 3, 4, 5, 6, 99],
      severity: ['Informational', 'Medium', 'High'],
      status_id: [0, 1, 2, 3, 4, 5, 6, 99],
      status: ['New', 'Resolved'],
      status_detail: 'text',
      is_alert: 'truth',
      message: 'text',
      confidence_score: 'whole',
      risk_score: 'whole',
      metadata: 'metadata',
      finding_info: 'finding_info',
      device: 'device',
      evidences: 'list of evidences',
      unmapped: 'any',
    },
  },
  metadata: { required: ['product', 'version'], fields: { product: 'product', version: 'text', uid: 'text' } },
  product: { required: ['vendor_name'], fields: { vendor_name: 'text', name: 'text' } },
  finding_info: {
    required: ['title', 'uid'],
    fields: {
      uid: 'text',
      title: 'text',
      desc: 'text',
      first_seen_time: 'whole',
      last_seen_time: 'whole',
      analytic: 'analytic',
      attacks: 'list of attack',
      related_events: 'list of related_event',
      related_events_count: 'whole',
    },
  },
  analytic: {
    required: ['type_id'],
    fields: { type_id: [0, 1, 2, 3, 4, 99], type: ['Rule'], uid: 'text', name: 'text', version: 'text' },
  },
  attack: {
    required: [],
    atLeastOne: ['tactic', 'technique', 'sub_technique'],
    fields: { tactic: 'named', technique: 'named', sub_technique: 'named' },
  },
  named: { required: [], atLeastOne: ['name', 'uid'], fields: { name: 'text', uid: 'text' } },
  related_event: { required: ['uid'], fields: { uid: 'text' } },
  device: {
    required: ['type_id'],
    atLeastOne: ['ip', 'uid', 'name', 'hostname'],
    fields: { type_id: [0, 1, 2, 3, 4, 5, 6, 7, 8, 99], type: ['Unknown'], uid: 'text', hostname: 'text', ip: 'ip' },
  },
  evidences: {
    required: [],
    atLeastOne: ['connection_info', 'src_endpoint', 'dst_endpoint', 'process', 'file'],
    fields: {
      uid: 'text',
      src_endpoint: 'network_endpoint',
      dst_endpoint: 'network_endpoint',
      connection_info: 'network_connection_info',
      tls: 'tls',
      ja4_fingerprint_list: 'list of ja4_fingerprint',
      process: 'process',
      file: 'file',
    },
  },
  network_endpoint: {
    required: [],
    atLeastOne: ['ip', 'uid', 'name', 'hostname'],
    fields: { ip: 'ip', port: 'port', hostname: 'text' },
  },
  network_connection_info: {
    required: ['direction_id'],
    fields: {
      direction_id: [0, 1, 2, 3, 99],
      direction: ['Outbound'],
      protocol_name: ['tcp', 'udp'],
      protocol_num: [6, 17],
      community_uid: 'text',
    },
  },
  tls: { required: ['version'], fields: { version: 'text', cipher: 'text', sni: 'text', ja3_hash: 'fingerprint' } },
  fingerprint: {
    required: ['algorithm_id', 'value'],
    fields: { algorithm_id: [0, 1, 2, 3, 4, 5, 6, 7, 99], algorithm: ['MD5', 'SHA-256'], value: 'text' },
  },
  ja4_fingerprint: { required: ['type_id', 'value'], fields: { type_id: [1], type: ['JA4'], value: 'text' } },
  process: {
    required: [],
    atLeastOne: ['pid', 'uid'],
    fields: {
      uid: 'text',
      pid: 'whole',
      name: 'text',
      cmd_line: 'text',
      created_time: 'whole',
      file: 'file',
      user: 'user',
      parent_process: 'process',
    },
  },
  user: { required: [], atLeastOne: ['name', 'uid'], fields: { name: 'text', uid: 'text', domain: 'text' } },
  file: {
    required: ['name', 'type_id'],
    fields: {
      name: 'text',
      path: 'text',
      size: 'whole',
      type_id: [1],
      type: ['Regular File'],
      hashes: 'list of fingerprint',
    },
  },
});

/** ECS 8, elastic.co/docs/reference/ecs: the field sets that the alert uses. `waybill` and `tls.client.ja4` … are our own. */
const ECS = table({
  alert: {
    required: ['@timestamp', 'event'],
    fields: {
      '@timestamp': 'date',
      message: 'text',
      tags: 'list of text',
      event: 'event',
      rule: 'rule',
      threat: 'threat',
      host: 'host',
      user: 'user',
      process: 'process',
      source: 'end',
      destination: 'end',
      network: 'network',
      tls: 'tls',
      file: 'file',
      related: 'related',
      waybill: 'any',
    },
  },
  event: {
    required: ['kind', 'category', 'type'],
    fields: {
      kind: ['alert', 'asset', 'enrichment', 'event', 'metric', 'state', 'pipeline_error', 'signal'],
      category: 'list of text',
      type: 'list of text',
      action: 'text',
      dataset: 'text',
      id: 'text',
      start: 'date',
      end: 'date',
      severity: 'whole',
      risk_score: 'number',
      reason: 'text',
    },
  },
  rule: { required: [], fields: { id: 'text', name: 'text', ruleset: 'text', version: 'text', reference: 'text' } },
  threat: { required: [], fields: { framework: 'text', tactic: 'tactic', technique: 'technique' } },
  tactic: { required: [], fields: { id: 'list of text', name: 'list of text', reference: 'list of text' } },
  technique: {
    required: [],
    fields: { id: 'list of text', name: 'list of text', reference: 'list of text', subtechnique: 'tactic' },
  },
  host: { required: [], fields: { id: 'text', name: 'text', ip: 'list of ip' } },
  user: { required: [], fields: { id: 'text', name: 'text', domain: 'text' } },
  process: {
    required: [],
    fields: {
      entity_id: 'text',
      pid: 'whole',
      executable: 'text',
      name: 'text',
      command_line: 'text',
      start: 'date',
      hash: 'hash',
      code_signature: 'signature',
      pe: 'pe',
      user: 'user',
      parent: 'process',
    },
  },
  hash: { required: [], fields: { md5: 'text', sha1: 'text', sha256: 'text', sha512: 'text', imphash: 'text' } },
  signature: { required: [], fields: { subject_name: 'text', status: 'text' } },
  pe: { required: [], fields: { original_file_name: 'text' } },
  end: { required: [], fields: { ip: 'ip', port: 'port', bytes: 'whole', domain: 'text', registered_domain: 'text' } },
  network: {
    required: [],
    fields: {
      transport: 'text',
      protocol: 'text',
      community_id: 'text',
      direction: ['ingress', 'egress', 'inbound', 'outbound', 'internal', 'external', 'unknown'],
    },
  },
  tls: {
    required: [],
    fields: {
      version: 'text',
      version_protocol: 'text',
      cipher: 'text',
      next_protocol: 'text',
      established: 'truth',
      resumed: 'truth',
      client: 'any',
      server: 'any',
    },
  },
  file: { required: [], fields: { path: 'text', size: 'whole', mime_type: 'text' } },
  related: { required: [], fields: { ip: 'list of ip', hosts: 'list of text' } },
});
/** Of `event.category` and `event.type`: the values that we use must be allowed ones, and fit each other. */
const CATEGORIES = ['network', 'intrusion_detection', 'process', 'file', 'host', 'malware', 'threat'];
const TYPES_OF_BOTH = ['allowed', 'denied', 'info'];

describe('the OCSF form of an alert', () => {
  it('is what the schema says of a Detection Finding, new and updated', () => {
    expect(complaintsAbout(JSON.parse(JSON.stringify(toOcsf(alert))), 'detection_finding', OCSF)).toEqual([]);
    expect(complaintsAbout(JSON.parse(JSON.stringify(toOcsf(alert, true))), 'detection_finding', OCSF)).toEqual([]);
  });

  it('is a closed one when the alert was taken back', () => {
    const closed = toOcsf(withdrawalOf(alert), true);
    expect(complaintsAbout(JSON.parse(JSON.stringify(closed)), 'detection_finding', OCSF)).toEqual([]);
    expect(closed).toMatchObject({
      activity_id: 3,
      activity_name: 'Close',
      type_uid: 200_403,
      severity_id: 1,
      status_id: 4,
      is_alert: false,
      finding_info: { uid: alert.id },
    });
  });

  it('says by number and by word the same', () => {
    for (const isKnown of [false, true]) {
      const finding = toOcsf(alert, isKnown);
      expect(finding['activity_name']).toBe(isKnown ? 'Update' : 'Create');
      expect(finding['type_uid']).toBe(200_400 + Number(finding['activity_id']));
      expect(finding['severity']).toBe(finding['severity_id'] === 4 ? 'High' : 'Medium');
    }
  });

  it('tells no TLS of a flow whose handshake was not seen', () => {
    const made = alertAbout(1);
    const body = { ...(made.body as object), tls: { client: { server_name: 'x.example' } } };
    const [evidence] = toOcsf({ ...made, body })['evidences'] as object[];
    expect(evidence).not.toHaveProperty('tls');
  });
});

describe('the ECS form of an alert', () => {
  it.each([
    ['raised', (each: StoredAlert) => each],
    ['taken back', withdrawalOf],
  ])('has fields and types of the schema: %s', (_, form) => {
    const body = form(alert).body as { readonly event: { readonly category: string[]; readonly type: string[] } };
    const { category, type } = body.event;
    expect(complaintsAbout(body, 'alert', ECS)).toEqual([]);
    expect(category.filter((each) => !CATEGORIES.includes(each))).toEqual([]);
    expect(type.filter((each) => !TYPES_OF_BOTH.includes(each))).toEqual([]);
  });
});

it('the tables find what is wrong', () => {
  const wrong = { ...toOcsf(alert), class_uid: 2001, nonsense: 1, time: 'now', metadata: { version: '1' } };
  expect(complaintsAbout(JSON.parse(JSON.stringify(wrong)), 'detection_finding', OCSF).sort()).toEqual([
    '.class_uid: 2001 is not in 2004',
    '.metadata.product: is required',
    '.nonsense: the schema does not know it',
    '.time: "now" is no whole',
  ]);
});
