import { formatMicros } from '../../sensor/base/timestamp.ts';
import type { Operator } from '../evidence/operators.ts';
import { isEncrypted } from '../join/encrypted.ts';
import { flowVersion } from '../join/facts.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import { type Episode, type EpisodeFlow, LISTED_FLOWS } from '../score/episode.ts';
import type { LinkedStaging } from '../score/linked-staging.ts';
import type { Verdict } from '../score/verdict.ts';
import type { StoredAlert } from '../store/store.ts';
import { joinFields } from './join-fields.ts';
import { storyOf } from './story.ts';

/** Ancestors, staging items and raw events that an alert lists. */
const LISTED_ANCESTORS = 8;
const LISTED_STAGING = 20;
const LISTED_EVENTS = 200;

/** The alert as an ECS document, with the whole verdict under `waybill`. Its id is a function of what it is about. */
export function alertDocument(episode: Episode, verdict: Verdict): StoredAlert {
  const last = episode.flows.reduce((latest, flow) => Math.max(latest, flow.end), 0);
  const staged = episode.staging.reduce((latest, s) => Math.max(latest, s.story.until), 0);
  const at = Math.max(last, staged);
  const versions = episode.flows.reduce((sum, flow) => Math.max(sum, flowVersion(flow.record)), 0);
  const facts = episode.flows.length + episode.staging.length + rawEvents(episode).length;
  return {
    id: episode.id,
    at,
    revision: versions * 1024 + Math.min(facts, 1023),
    // As it is stored: fields without a value are left out.
    body: JSON.parse(JSON.stringify(document(episode, verdict, at))) as unknown,
  };
}

function document(episode: Episode, verdict: Verdict, at: number): Record<string, unknown> {
  const first = episode.flows[0]!;
  const main = episode.flows
    .filter((f) => isEncrypted(f.record))
    .reduce((best, f) => (f.record.source.bytes > best.record.source.bytes ? f : best));
  const { process, chain, destination } = episode;
  const archive = bestArchive(episode);
  return {
    '@timestamp': formatMicros(at),
    message: `${episode.drill === undefined ? '' : 'Drill: '}${storyOf(episode)}`,
    ...(episode.drill === undefined ? {} : { tags: ['drill'] }),
    event: {
      kind: 'alert',
      category: ['network', 'intrusion_detection'],
      type: ['info'],
      action: 'exfiltration_suspected',
      dataset: 'waybill.alert',
      id: episode.id,
      start: formatMicros(episode.staging.reduce((t, s) => Math.min(t, s.story.at), first.start)),
      end: formatMicros(at),
      severity: verdict.tier === 'high' ? 73 : 47,
      risk_score: Math.round(verdict.probability * 1000) / 10,
    },
    rule: {
      id: 'AN1413',
      name: 'Non-browser process sends to an unfamiliar destination over TLS after staging',
      ruleset: 'DET0512',
      version: verdict.model,
      reference: 'https://attack.mitre.org/detectionstrategies/DET0512',
    },
    threat: {
      framework: 'MITRE ATT&CK',
      tactic: { id: ['TA0010'], name: ['Exfiltration'], reference: ['https://attack.mitre.org/tactics/TA0010/'] },
      technique: {
        id: ['T1048'],
        name: ['Exfiltration Over Alternative Protocol'],
        reference: ['https://attack.mitre.org/techniques/T1048/'],
        subtechnique: {
          id: ['T1048.002'],
          name: ['Exfiltration Over Asymmetric Encrypted Non-C2 Protocol'],
          reference: ['https://attack.mitre.org/techniques/T1048/002/'],
        },
      },
    },
    host: {
      id: episode.host.id,
      ...(episode.host.name ? { name: episode.host.name } : {}),
      ip: [first.record.source.ip],
    },
    ...(process?.user ? { user: process.user } : {}),
    ...(process
      ? {
          process: {
            ...processFields(process),
            parent: chain?.[1] && chain[1].asked === undefined ? processFields(chain[1]) : undefined,
          },
        }
      : {}),
    source: { ip: main.record.source.ip, port: main.record.source.port, bytes: sentBytes(episode) },
    destination: {
      ip: main.record.destination.ip,
      port: main.record.destination.port,
      ...(destination.fqdn ? { domain: destination.fqdn } : {}),
      ...(destination.registrable ? { registered_domain: destination.registrable } : {}),
      ...(destination.operator ? { as: operatorFields(destination.operator) } : {}),
    },
    network: {
      transport: main.record.network.transport,
      protocol: main.record.network.protocol,
      community_id: main.record.network.community_id,
      direction: main.record.network.direction,
    },
    ...(main.record.tls ? { tls: main.record.tls } : {}),
    ...(archive ? { file: archive } : {}),
    related: {
      ip: [...new Set(episode.flows.flatMap((f) => [f.record.source.ip, f.record.destination.ip]))].slice(0, 50),
      hosts: [episode.host.name ?? episode.host.id],
    },
    waybill: {
      ...(episode.drill === undefined ? {} : { drill: episode.drill }),
      tier: verdict.tier,
      score_db: round(verdict.db),
      probability: verdict.probability,
      model: verdict.model,
      gate: verdict.gate,
      prior: verdict.prior,
      groups: verdict.groups.map((g) => ({ ...g, db: round(g.db), sum: round(g.sum) })),
      terms: verdict.terms.map((t) => ({ ...t, db: round(t.db) })),
      attainable_db: round(verdict.attainableDb),
      missing: verdict.missing,
      without_groups: verdict.withoutGroup.map(({ group, db, probability, tier }) => ({
        ...{ group, score_db: round(db), lower_db: round(verdict.db - db) },
        ...{ probability: Math.round(probability * 1e4) / 1e4, tier },
      })),
      counterfactuals: verdict.counterfactuals,
      join: joinFields(main.join),
      browser: episode.browser,
      identity: episode.identity,
      destination: {
        entity: destination.entity,
        tenant_state: destination.tenantState,
        category: destination.category,
        hosting: destination.hosting,
      },
      lineage: (chain ?? [])
        .slice(0, LISTED_ANCESTORS)
        .map((each) => ({ ...processFields(each), ...(each.asked === undefined ? {} : { asked: each.asked }) })),
      flows: episode.flows.slice(0, LISTED_FLOWS).map(flowFields),
      flow_count: episode.flows.length,
      staging: episode.staging.slice(-LISTED_STAGING).map(stagingFields),
      events: rawEvents(episode),
    },
  };
}

export const sentBytes = (episode: Episode): number => episode.flows.reduce((sum, f) => sum + f.record.source.bytes, 0);

function processFields(p: ProcessInfo): Record<string, unknown> {
  return {
    entity_id: p.entityId,
    pid: p.pid,
    executable: p.image,
    name: p.image?.split(/[\\/]/).at(-1),
    command_line: p.commandLine,
    hash: p.hashes,
    code_signature: p.signer || p.signatureStatus ? { subject_name: p.signer, status: p.signatureStatus } : undefined,
    pe: p.originalName ? { original_file_name: p.originalName } : undefined,
    start: p.startedAt === undefined ? undefined : formatMicros(p.startedAt),
    user: p.user,
  };
}

const operatorFields = ({ number, organization }: Operator): Record<string, unknown> => ({
  number,
  ...(organization === undefined ? {} : { organization: { name: organization } }),
});

function flowFields({ record, join }: EpisodeFlow): Record<string, unknown> {
  return {
    flow_id: record.waybill.flow_id,
    start: record.event.start,
    end: record.event.end,
    destination: `${record.destination.ip}:${record.destination.port}`,
    domain: record.destination.domain,
    community_id: record.network.community_id,
    ja4: record.tls?.client?.ja4,
    bytes_out: record.source.bytes,
    bytes_in: record.destination.bytes,
    bytes_exact: record.waybill.bytes_exact,
    join: join.method,
    pid: join.process?.pid,
  };
}

function stagingFields({ story, link, gap }: LinkedStaging): Record<string, unknown> {
  return {
    at: formatMicros(story.at),
    until: formatMicros(story.until),
    state: story.state,
    reasons: story.reasons,
    techniques: story.techniques,
    strength: story.strength,
    link,
    gap_seconds: Math.round(gap / 1e6),
    archive: story.archive?.path,
    size: story.archive?.size,
    volumes: story.archive?.volumes,
    encoded: story.encoded,
    traits: story.traits,
    process: story.process.image,
    pid: story.process.pid,
    events: story.rawEventIds,
  };
}

function bestArchive(episode: Episode): Record<string, unknown> | undefined {
  const linked = episode.staging.filter((s) => s.story.archive && s.link !== 'other-user' && s.link !== 'host');
  const archive = linked.at(-1)?.story.archive;
  if (!archive) return undefined;
  return { path: archive.path, size: archive.size, mime_type: archive.mimeType };
}

/** Raw endpoint events that the alert rests on, in order of first mention. */
function rawEvents(episode: Episode): string[] {
  const ids = new Set<string>();
  for (const flow of episode.flows.slice(0, LISTED_FLOWS)) for (const event of flow.join.events) ids.add(event);
  for (const s of episode.staging) for (const event of s.story.rawEventIds) ids.add(event);
  for (const p of episode.chain ?? []) for (const event of p.events) ids.add(event);
  return [...ids].slice(0, LISTED_EVENTS);
}

const round = (value: number): number => Math.round(value * 100) / 100;
