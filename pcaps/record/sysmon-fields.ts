/**
 * Sysmon events 1, 3, 5, 7, 11, 22 and 23 as EventData name and value pairs, in Sysmon's order. The three Sysmon
 * writers wrap these; none of them adds to what happened.
 */
import { createHash } from 'node:crypto';
import type { Fact, ProcessFact } from './facts.ts';
import { accountName, DNS_SUFFIX } from './hosts.ts';
import { PROGRAMS, type Program } from './programs.ts';

export interface SysmonEvent {
  readonly id: number;
  /** Microseconds since 1970 UTC. */
  readonly at: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export const SYSMON_VERSIONS: ReadonlyMap<number, number> = new Map([
  [1, 5],
  [3, 5],
  [5, 3],
  [7, 3],
  [11, 2],
  [22, 5],
  [23, 5],
]);

/** `2026-01-31 12:00:00.123`, Sysmon's UtcTime. */
export function utcTime(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toISOString().replace('T', ' ').slice(0, 23);
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Sysmon's ProcessGuid: machine, start second, and a part that is unique on the machine. */
export function processGuid(process: ProcessFact): string {
  const machine = createHash('sha256').update(process.host.name).digest('hex').slice(0, 8);
  const seconds = hex(Math.floor(process.startedAt / 1e6), 8);
  const unique = hex((process.pid * 0x10001 + Math.floor(process.startedAt % 1e6)) >>> 0, 8);
  return `{${machine}-${seconds.slice(4)}-${seconds.slice(0, 4)}-${unique.slice(0, 4)}-0000${unique}}`;
}

/** Hashes belong to the Windows names: they are made from the name in the mapping table, and stable. */
export function programHashes(entry: Program): {
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
} {
  const original = entry.copyOf === undefined ? entry : PROGRAMS.get(entry.copyOf)!;
  const of = (algorithm: string): string =>
    createHash(algorithm)
      .update(`waybill recording ${original.product} ${original.originalName} ${original.version}`)
      .digest('hex');
  return { md5: of('md5'), sha1: of('sha1'), sha256: of('sha256') };
}

function subject(process: ProcessFact): [string, string][] {
  return [
    ['ProcessGuid', processGuid(process)],
    ['ProcessId', String(process.pid)],
    ['Image', process.program.image],
  ];
}

const rule: [string, string] = ['RuleName', '-'];
const user = (process: ProcessFact): [string, string] => ['User', accountName(process.user)];

function processCreate(process: ProcessFact): SysmonEvent {
  const { program, parent, user: account } = process;
  const hashes = programHashes(program);
  const logonSeconds = hex(Math.floor((parent ?? process).startedAt / 1e6) - 3600, 8);
  const machine = processGuid(process).slice(1, 9);
  return {
    id: 1,
    at: process.startedAt,
    fields: [
      rule,
      ['UtcTime', utcTime(process.startedAt)],
      ...subject(process),
      ['FileVersion', program.version],
      ['Description', program.description],
      ['Product', program.product],
      ['Company', program.company],
      ['OriginalFileName', program.originalName],
      ['CommandLine', process.commandLine],
      ['CurrentDirectory', process.currentDirectory],
      user(process),
      [
        'LogonGuid',
        `{${machine}-${logonSeconds.slice(4)}-${logonSeconds.slice(0, 4)}-0000-${account.logonId.slice(2).padStart(12, '0')}}`,
      ],
      ['LogonId', account.logonId],
      ['TerminalSessionId', account.name === 'SYSTEM' ? '0' : '1'],
      ['IntegrityLevel', account.integrity],
      ['Hashes', `MD5=${hashes.md5.toUpperCase()},SHA256=${hashes.sha256.toUpperCase()}`],
      ['ParentProcessGuid', parent === undefined ? '-' : processGuid(parent)],
      ['ParentProcessId', parent === undefined ? '-' : String(parent.pid)],
      ['ParentImage', parent?.program.image ?? '-'],
      ['ParentCommandLine', parent?.commandLine ?? '-'],
      ['ParentUser', parent === undefined ? '-' : accountName(parent.user)],
    ],
  };
}

/** Event 7 of a process loading its own image: the only place where Sysmon shows a signer. */
function selfLoad(process: ProcessFact): SysmonEvent[] {
  const { program } = process;
  if (program.signer === undefined) return [];
  return [
    {
      id: 7,
      at: process.startedAt + 1000,
      fields: [
        rule,
        ['UtcTime', utcTime(process.startedAt + 1000)],
        ...subject(process),
        ['ImageLoaded', program.image],
        ['FileVersion', program.version],
        ['Description', program.description],
        ['Product', program.product],
        ['Company', program.company],
        ['OriginalFileName', program.originalName],
        ['Hashes', `SHA256=${programHashes(program).sha256.toUpperCase()}`],
        ['Signed', 'true'],
        ['Signature', program.signer],
        ['SignatureStatus', 'Valid'],
        user(process),
      ],
    },
  ];
}

/** The Sysmon events of one fact: none for what Sysmon does not see (renames). */
export function sysmonEvents(fact: Fact): SysmonEvent[] {
  const { process, at } = fact;
  const head: [string, string][] = [rule, ['UtcTime', utcTime(at)], ...subject(process)];
  switch (fact.kind) {
    case 'start':
      return [processCreate(process), ...selfLoad(process)];
    case 'end':
      return [{ id: 5, at, fields: [...head, user(process)] }];
    case 'dns':
      return [
        {
          id: 22,
          at,
          fields: [
            rule,
            ['UtcTime', utcTime(at)],
            ...subject(process).slice(0, 2),
            ['QueryName', fact.name],
            ['QueryStatus', '0'],
            ['QueryResults', `${fact.addresses.map((ip) => (ip.includes(':') ? ip : `::ffff:${ip}`)).join(';')};`],
            ['Image', process.program.image],
            user(process),
          ],
        },
      ];
    case 'connection': {
      const six = String(fact.source.ip.includes(':'));
      return [
        {
          id: 3,
          at,
          fields: [
            ...head,
            user(process),
            ['Protocol', fact.transport],
            ['Initiated', 'true'],
            ['SourceIsIpv6', six],
            ['SourceIp', fact.source.ip],
            ['SourceHostname', `${process.host.name}.${DNS_SUFFIX}`],
            ['SourcePort', String(fact.source.port)],
            ['SourcePortName', '-'],
            ['DestinationIsIpv6', six],
            ['DestinationIp', fact.destination.ip],
            ['DestinationHostname', '-'],
            ['DestinationPort', String(fact.destination.port)],
            ['DestinationPortName', fact.destination.port === 443 ? 'https' : '-'],
          ],
        },
      ];
    }
    case 'file': {
      if (fact.op === 'rename') return [];
      if (fact.op === 'delete') {
        return [
          {
            id: 23,
            at,
            fields: [
              ...head.slice(0, 4),
              user(process),
              ...head.slice(4),
              ['TargetFilename', fact.path],
              ['Hashes', '-'],
              ['IsExecutable', 'false'],
              ['Archived', 'false'],
            ],
          },
        ];
      }
      return [
        {
          id: 11,
          at,
          fields: [...head, ['TargetFilename', fact.path], ['CreationUtcTime', utcTime(at)], user(process)],
        },
      ];
    }
  }
}
