/**
 * Records everything under pcaps/, as root on Linux:
 *
 *     sudo node_modules/.bin/tsx pcaps/record/record.ts [clients] [history] [stories] [STORY…]
 *
 * Without arguments it records all; a story by its name alone. Raw takes are kept in the work directory (a new one below the system's temporary
 * directory, or WAYBILL_RECORD_DIR), nothing outside it but /etc/netns/wb-* and namespaces named wb-* is touched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAuthority } from './authority.ts';
import { recordClients, recordQuic } from './clients.ts';
import { HTTPS_PORT } from './destinations.ts';
import { moveFacts } from './facts.ts';
import { HISTORY_DAYS, replicate } from './history.ts';
import { buildNetwork, SERVER_NAMESPACE, tearDownNetwork } from './network.ts';
import { recordOrdinaryDay } from './ordinary-day.ts';
import { publish } from './publish.ts';
import { buildRepositories } from './repositories.ts';
import { BENIGN_STORIES } from './stories-benign.ts';
import { EXFILTRATION_STORIES } from './stories-exfiltration.ts';
import type { Story } from './story.ts';
import { Take } from './take.ts';
import { dayZero, HOUR_MICROS, movePackets, moveTo, openGap } from './timeline.ts';
import { trimPayloads } from './trim.ts';

const here = dirname(fileURLToPath(import.meta.url));
const output = resolve(here, '..');

function startServers(workDirectory: string): Promise<ChildProcess> {
  const tsx = resolve(here, '../../node_modules/.bin/tsx');
  const command = ['netns', 'exec', SERVER_NAMESPACE, tsx, join(here, 'servers.ts'), workDirectory];
  const child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((done, fail) => {
    child.stdout.once('data', () => done(child));
    child.once('exit', (code) => fail(new Error(`servers ended with ${code}`)));
  });
}

/** Record numbers of the endpoint logs start here, a range for each set. */
const CLIENTS_FIRST_RECORD = 900_000;
const STORIES_FIRST_RECORD = 500_000;
const RECORDS_PER_STORY = 1000;

async function clients(workDirectory: string): Promise<void> {
  const authority = buildAuthority(join(workDirectory, 'pki'));
  const directory = join(output, 'clients');
  const set = await recordClients(workDirectory);
  publish(authority, {
    ...{ directory, name: 'clients-tls12-tls13', packets: set.packets, facts: set.facts, whole: true },
    firstRecord: CLIENTS_FIRST_RECORD,
    expectation: { shows: 'Handshakes of real clients with TLS 1.2 and 1.3; fingerprint and attribution goldens.' },
  });
  const quic = await recordQuic(workDirectory);
  publish(authority, {
    ...{ directory, name: 'clients-quic', packets: quic.packets, facts: quic.facts, whole: true },
    firstRecord: CLIENTS_FIRST_RECORD + 1000,
    expectation: { shows: 'HTTP/3: Chromium to Caddy over QUIC version 1.' },
  });
}

async function history(workDirectory: string): Promise<void> {
  const authority = buildAuthority(join(workDirectory, 'pki'));
  const day = await recordOrdinaryDay(workDirectory);
  const packets = trimPayloads(day.packets, HTTPS_PORT);
  const replicas = replicate({ ...day, packets }, dayZero());
  publish(authority, {
    ...{ directory: join(output, 'stories'), name: 'history', packets: replicas.packets, facts: replicas.facts },
    ...{ bulk: true, whole: true, firstRecord: 1 },
    expectation: {
      shows: `${HISTORY_DAYS} days of ordinary flows before the stories: what makes a destination familiar.`,
      expect: 'silent',
      why: 'Nothing here is new for long, and nothing is packed and sent to a place that is new.',
      constructed: [
        'One recorded ordinary day, replicated to earlier days slot by slot, with client ports renumbered; packets after the handshake are cut.',
      ],
    },
  });
}

async function story(workDirectory: string, entry: Story): Promise<void> {
  const authority = buildAuthority(join(workDirectory, 'pki'));
  const take = await Take.begin(workDirectory, entry.name);
  const mark = await entry.play(take);
  const recording = await take.end();
  const first = Math.min(recording.packets[0]!.at, recording.facts[0]!.at);
  const gap = mark === undefined ? undefined : openGap(mark, (entry.gapHours ?? 0) * HOUR_MICROS);
  const toHour = moveTo(first, dayZero() + entry.hour * HOUR_MICROS);
  const move = (at: number): number => toHour(gap === undefined ? at : gap(at));
  publish(authority, {
    ...{ directory: join(output, 'stories'), name: entry.name, whole: entry.whole === true },
    packets: movePackets(recording.packets, move),
    facts: moveFacts(recording.facts, move),
    firstRecord: STORIES_FIRST_RECORD + ALL_STORIES.indexOf(entry) * RECORDS_PER_STORY,
    expectation: entry.expectation,
  });
}

async function stories(workDirectory: string): Promise<void> {
  for (const entry of ALL_STORIES) {
    console.log(`  ${entry.name}`);
    await story(workDirectory, entry);
  }
}

const ALL_STORIES: readonly Story[] = [...BENIGN_STORIES, ...EXFILTRATION_STORIES];

const parts: ReadonlyMap<string, (workDirectory: string) => Promise<void>> = new Map([
  ['clients', clients],
  ['history', history],
  ['stories', stories],
]);

function oneStory(name: string): (workDirectory: string) => Promise<void> {
  const entry = ALL_STORIES.find((candidate) => candidate.name === name);
  if (entry === undefined)
    throw new Error(`no part or story named ${name}; parts are: ${[...parts.keys()].join(', ')}`);
  return (workDirectory) => story(workDirectory, entry);
}

async function main(names: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('recording needs root: namespaces, tcpdump and the kernel trace');
  const chosen = names.length === 0 ? [...parts.keys()] : names;
  const work = chosen.map((name) => parts.get(name) ?? oneStory(name));
  const workDirectory = process.env.WAYBILL_RECORD_DIR ?? mkdtempSync(join(tmpdir(), 'waybill-record-'));
  mkdirSync(workDirectory, { recursive: true });
  // The certificates may be those of an earlier run; the people start with empty homes.
  rmSync(join(workDirectory, 'homes'), { recursive: true, force: true });
  buildAuthority(join(workDirectory, 'pki'));
  buildRepositories(workDirectory);
  buildNetwork();
  const servers = await startServers(workDirectory);
  try {
    for (const [index, record] of work.entries()) {
      console.log(`recording ${chosen[index]}`);
      await record(workDirectory);
    }
  } finally {
    servers.removeAllListeners('exit');
    servers.kill('SIGTERM');
    tearDownNetwork();
  }
}

await main(process.argv.slice(2));
