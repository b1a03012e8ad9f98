import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PEER_GROUPS, MAX_PEER_PATTERNS, peerGroupOf } from '../../enrich/evidence/peer-group.ts';
import { readSettings } from '../../enrich/settings.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-peers-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The groups of a settings file; throws what it complains of. */
function groupsOf(yaml: string) {
  const path = join(directory, 'waybill.yaml');
  writeFileSync(path, yaml);
  return readSettings(path).peer_groups;
}
function complaintsAbout(yaml: string): string[] {
  try {
    groupsOf(yaml);
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(`${directory}/`, ''));
  }
  return [];
}

const GROUPS = `
peer_groups:
  - { name: finance, hosts: ['FIN-*', 'ledger01'], users: ['CORP\\acc-*'] }
  - { name: admins, users: [adm-*] }
  - { name: everyone, hosts: ['*'] }
`;

describe('the peer group of a host', () => {
  it.each([
    ['FIN-0123', 'ann', 'finance'],
    ['fin-0123.corp.example', 'ann', 'finance'],
    ['LEDGER01', 'adm-eve', 'finance'],
    ['LEDGER01.corp.example', 'ann', 'finance'],
    ['LEDGER011', 'ann', 'everyone'],
    ['WS1', 'CORP\\acc-bob', 'finance'],
    ['WS1', 'OTHER\\acc-bob', 'everyone'],
    ['WS1', 'OTHER\\ADM-eve', 'admins'],
    ['WS1', 'SYSTEM', 'everyone'],
  ])('of %s, %s is %s', (host, user, group) => {
    expect(peerGroupOf(groupsOf(GROUPS), { name: host }, { name: user })).toBe(group);
  });

  it('takes the domain beside the name as that in it', () => {
    expect(peerGroupOf(groupsOf(GROUPS), { name: 'WS1' }, { name: 'acc-bob', domain: 'Corp' })).toBe('finance');
  });

  it('compares a pattern with a dot with the whole name', () => {
    const groups = groupsOf("peer_groups: [{ name: lab, hosts: ['*.lab.example'] }]");
    expect(peerGroupOf(groups, { name: 'PC1.lab.example' }, undefined)).toBe('lab');
    expect(peerGroupOf(groups, { name: 'PC1' }, undefined)).toBeUndefined();
  });

  it('is named when it can be no other any more, whatever comes to be known of host and user', () => {
    const groups = groupsOf(GROUPS);
    const hosts = fc.constantFrom('FIN-1', 'WS1', 'ledger01', 'x.y');
    const users = fc.constantFrom('CORP\\acc-1', 'adm-1', 'SYSTEM', 'ann');
    fc.assert(
      fc.property(hosts, users, fc.boolean(), fc.boolean(), (host, user, hasHost, hasUser) => {
        const part = peerGroupOf(groups, hasHost ? { name: host } : undefined, hasUser ? { name: user } : undefined);
        if (part !== undefined) expect(peerGroupOf(groups, { name: host }, { name: user })).toBe(part);
      }),
      { numRuns: 200 },
    );
    expect(peerGroupOf(groups, { name: 'WS1' }, undefined)).toBeUndefined();
    expect(peerGroupOf(groups, { name: 'FIN-1' }, undefined)).toBe('finance');
  });

  it('is none without the setting', () => {
    expect(groupsOf('score: {}')).toEqual([]);
    expect(peerGroupOf([], { name: 'WS1' }, { name: 'ann' })).toBeUndefined();
  });
});

describe('mistakes in peer_groups', () => {
  it('are all listed with their line', () => {
    const complaints = complaintsAbout(`peer_groups:
  - { name: finance, hosts: ['FIN-\\d+'] }
  - { name: admins }
  - { name: 'a|b', users: ['adm?'] }
  - { name: dev, hosts: [d], members: [x] }
`);
    expect(complaints).toEqual([
      'waybill.yaml:2:30 peer_groups.0.hosts.0: expected a host name, in which * stands for any characters',
      'waybill.yaml:3:5 peer_groups.1: expected hosts, users or both',
      'waybill.yaml:4:13 peer_groups.2.name: expected 1 to 64 letters, digits, spaces, dots, _ or -',
      'waybill.yaml:4:28 peer_groups.2.users.0: expected NAME or DOMAIN\\NAME, in which * stands for any characters',
      'waybill.yaml:5:39 peer_groups.3.members: Unrecognized key',
    ]);
    expect(complaintsAbout('peer_groups: [{ name: a, hosts: [x] }, { name: a, hosts: [y] }]')).toEqual([
      'waybill.yaml:1:48 peer_groups.1.name: two groups have this name',
    ]);
  });

  it('are too many groups, and too many patterns', () => {
    const many = (count: number, one: (n: number) => string) => `[${Array.from({ length: count }, (_, n) => one(n))}]`;
    const group = (n: number) => `{ name: g${n}, hosts: [h] }`;
    expect(complaintsAbout(`peer_groups: ${many(MAX_PEER_GROUPS, group)}`)).toEqual([]);
    expect(complaintsAbout(`peer_groups: ${many(MAX_PEER_GROUPS + 1, group)}`)).toHaveLength(1);
    const hosts = (count: number) => `peer_groups: [{ name: a, hosts: ${many(count, (n) => `h${n}`)} }]`;
    expect(complaintsAbout(hosts(MAX_PEER_PATTERNS))).toEqual([]);
    expect(complaintsAbout(hosts(MAX_PEER_PATTERNS + 1))).toHaveLength(1);
  });
});
