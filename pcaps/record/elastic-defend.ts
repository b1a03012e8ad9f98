/** Elastic Defend (ECS 8) lines: the feed here that carries file sizes, first bytes and code signatures. */
import { createHash } from 'node:crypto';
import type { Fact, FileFact, ProcessFact } from './facts.ts';
import { DOMAIN, type Host } from './hosts.ts';
import { programHashes } from './sysmon-fields.ts';
import { isoMicros } from './sysmon-writers.ts';

/** 100 ns ticks between 1601 and 1970. */
const FILETIME_EPOCH = 116_444_736_000_000_000n;

const agentId = (host: Host): string => {
  const hex = createHash('sha256').update(`agent ${host.name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

function entityId(process: ProcessFact): string {
  const filetime = BigInt(process.startedAt) * 10n + FILETIME_EPOCH;
  return Buffer.from(`${agentId(process.host)}-${process.pid}-${filetime}`).toString('base64');
}

function ancestry(process: ProcessFact): string[] {
  const ids: string[] = [];
  for (let ancestor = process.parent; ancestor !== undefined; ancestor = ancestor.parent) ids.push(entityId(ancestor));
  return ids;
}

function codeSignature({ program }: ProcessFact) {
  if (program.signer === undefined) return { exists: false };
  return { exists: true, trusted: true, status: 'trusted', subject_name: program.signer };
}

const fileName = (path: string): string => path.slice(path.lastIndexOf('\\') + 1);

function processFields(process: ProcessFact) {
  return {
    entity_id: entityId(process),
    pid: process.pid,
    name: fileName(process.program.image),
    executable: process.program.image,
    code_signature: codeSignature(process),
    Ext: { ancestry: ancestry(process), code_signature: [codeSignature(process)] },
  };
}

function startedProcess(process: ProcessFact) {
  const { parent, program, user } = process;
  const base = processFields(process);
  return {
    ...base,
    command_line: process.commandLine,
    args: process.commandLine.split(' '),
    working_directory: process.currentDirectory,
    start: isoMicros(process.startedAt),
    hash: programHashes(program),
    pe: {
      original_file_name: program.originalName,
      product: program.product,
      company: program.company,
      description: program.description,
      file_version: program.version,
    },
    parent: parent && { ...processFields(parent), Ext: undefined, command_line: parent.commandLine },
    Ext: {
      ...base.Ext,
      authentication_id: user.logonId,
      token: { integrity_level_name: user.integrity.toLowerCase() },
    },
  };
}

interface Body {
  readonly dataset: 'process' | 'network' | 'file';
  readonly category: string;
  readonly type: string;
  readonly action: string;
  /** When it differs from the fact's own time. */
  readonly at?: number;
  readonly fields: object;
}

function fileBody(fact: FileFact): Body {
  const name = fileName(fact.path);
  const action = { create: 'creation', rename: 'rename', delete: 'deletion' }[fact.op];
  const type = { create: 'creation', rename: 'change', delete: 'deletion' }[fact.op];
  const dot = name.lastIndexOf('.');
  const original = fact.oldPath === undefined ? {} : { original: { path: fact.oldPath, name: fileName(fact.oldPath) } };
  return {
    ...({ dataset: 'file', category: 'file', type, action } as const),
    // Written when the file is closed: that is when its size is known.
    at: fact.completeAt,
    fields: {
      process: processFields(fact.process),
      file: {
        path: fact.path,
        name,
        ...(dot > 0 ? { extension: name.slice(dot + 1) } : {}),
        size: fact.size,
        Ext: { ...original, ...(fact.header === '' ? {} : { header_bytes: fact.header }) },
      },
    },
  };
}

function networkBody(fact: Extract<Fact, { kind: 'connection' }>): Body {
  return {
    ...({ dataset: 'network', category: 'network', type: 'start', action: 'connection_attempted' } as const),
    fields: {
      process: processFields(fact.process),
      source: address(fact.source),
      destination: address(fact.destination),
      network: { transport: fact.transport, type: fact.source.ip.includes(':') ? 'ipv6' : 'ipv4', direction: 'egress' },
    },
  };
}

const address = ({ ip, port }: { readonly ip: string; readonly port: number }) => ({ address: ip, ip, port });

function bodyOf(fact: Fact): Body {
  switch (fact.kind) {
    case 'start':
      return {
        dataset: 'process',
        category: 'process',
        type: 'start',
        action: 'start',
        fields: { process: startedProcess(fact.process) },
      };
    case 'end':
      return {
        dataset: 'process',
        category: 'process',
        type: 'end',
        action: 'end',
        fields: { process: startedProcess(fact.process) },
      };
    case 'dns':
      return {
        ...({ dataset: 'network', category: 'network', type: 'protocol', action: 'lookup_result' } as const),
        fields: {
          process: processFields(fact.process),
          dns: {
            question: { name: fact.name, type: fact.addresses[0]?.includes(':') ? 'AAAA' : 'A' },
            resolved_ip: fact.addresses,
          },
          network: { protocol: 'dns' },
        },
      };
    case 'file':
      return fileBody(fact);
    case 'connection':
      return networkBody(fact);
  }
}

/** One line of the feed, with the time it is sorted by. */
export interface FeedLine {
  readonly at: number;
  readonly text: string;
}

/** @param sequence running number of the agent, for `event.sequence` and `event.id` */
export function elasticDefendLine(fact: Fact, sequence: number): FeedLine {
  const { host, user } = fact.process;
  const body = bodyOf(fact);
  const at = body.at ?? fact.at;
  const id = createHash('sha256').update(`${host.name} ${sequence} ${at}`).digest('base64').slice(0, 20);
  const text = JSON.stringify({
    '@timestamp': `${isoMicros(at).slice(0, -1)}0Z`,
    agent: { id: agentId(host), type: 'endpoint', version: '8.12.2' },
    data_stream: { namespace: 'default', type: 'logs', dataset: `endpoint.events.${body.dataset}` },
    ecs: { version: '8.10.0' },
    event: {
      ...{ action: body.action, category: [body.category], type: [body.type], kind: 'event', module: 'endpoint' },
      ...{ dataset: `endpoint.events.${body.dataset}`, id, sequence, created: `${isoMicros(at).slice(0, -1)}0Z` },
    },
    host: {
      ...{
        hostname: host.name,
        name: host.name.toLowerCase(),
        id: agentId(host),
        ip: [host.ip, host.ip6, '127.0.0.1', '::1'],
      },
      os: {
        family: 'windows',
        name: 'Windows',
        type: 'windows',
        platform: 'windows',
        full: 'Windows 11 Enterprise 23H2',
      },
    },
    user: { name: user.name, domain: user.name === 'SYSTEM' ? 'NT AUTHORITY' : DOMAIN, id: user.sid },
    ...body.fields,
  });
  return { at, text };
}
