/**
 * `npm run bench -- [options]`: the sensor beside tcpdump, tshark and ndpiReader on the same generated captures, in one
 * interleaved run. It reports; it has no thresholds.
 */
import { createReadStream, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory, INPUT_NAMES, type Input, type InputName, prepareInput } from './inputs.ts';
import { type Cost, hasGnuTime, measure } from './measure.ts';
import { builtInPeers, FLOOR, type Found, type Peer, peerOfBuild, peerOfText } from './peers.ts';
import { type InputResult, median, type PeerResult, tableOf } from './report.ts';

const HELP = `npm run bench -- [sensor] [options]     (-- enrich --help for the service, -- store for its stores,
                                                -- detect --help for how well thefts are found)

  --input NAMES    hello,bulk,crowd (default: all). hello: many short flows; bulk: few large ones; crowd: flows that all
                   stay open, for memory
  --packets N      packets of hello and of bulk (default 500000)
  --flows N        flows of crowd (default 1000000)
  --full           2000000 packets each
  --runs N         runs of each peer, interleaved (default 3; crowd: 1)
  --only NAMES     only these peers, of tcpdump,waybill,tshark,ndpiReader
  --peer 'NAME=COMMAND {file}'   one more peer; may be repeated
  --build NAME=DIRECTORY   another build of Waybill (a directory like dist/), for before and after; may be repeated
  --one-core       every peer on one core (taskset)
  --json FILE      the figures of every run
`;

if (process.argv[2] === 'enrich') {
  await (await import('./enrich-bench.ts')).enrichBench(process.argv.slice(3));
  process.exit();
}
if (process.argv[2] === 'store') {
  await (await import('./store-bench.ts')).storeBench();
  process.exit();
}
if (process.argv[2] === 'million') {
  await (await import('./million-bench.ts')).millionBench(process.argv.slice(3));
  process.exit();
}

if (process.argv[2] === 'detect') {
  await (await import('./detect/detect-bench.ts')).detectBench(process.argv.slice(3));
  process.exit();
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    input: { type: 'string', default: INPUT_NAMES.join(',') },
    packets: { type: 'string', default: '500000' },
    flows: { type: 'string', default: '1000000' },
    full: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    peer: { type: 'string', multiple: true, default: [] },
    build: { type: 'string', multiple: true, default: [] },
    'one-core': { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

await main();

async function main(): Promise<void> {
  if (options.help || positionals.some((suite) => suite !== 'sensor')) {
    process.stdout.write(HELP);
    return;
  }
  const { peers, absent } = chosenPeers();
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? arch()}, Node ${process.version}`);
  if (absent.length > 0) console.log(`not installed, not measured: ${absent.join(', ')}`);
  if (!hasGnuTime) console.log('no /usr/bin/time (GNU time): CPU time and memory are not measured');
  const results: InputResult[] = [];
  for (const name of chosenInputs()) {
    const input = await prepareInput(name, sizeOf(name));
    const takesPart = name === 'crowd' ? peers.filter((p) => p.light) : peers;
    const result = await runAll(input, takesPart, name === 'crowd' ? 1 : wholeNumber('runs', 1));
    results.push(result);
    console.log(`\n${tableOf(result)}`);
  }
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
}

function chosenPeers(): { peers: readonly Peer[]; absent: readonly string[] } {
  const { peers, absent } = builtInPeers();
  const only = options.only?.split(',');
  const kept = only ? peers.filter((p) => only.includes(p.name)) : peers;
  return { peers: [...kept, ...options.build.map(peerOfBuild), ...options.peer.map(peerOfText)], absent };
}

function chosenInputs(): InputName[] {
  const names = options.input.split(',');
  const unknown = names.find((name) => !INPUT_NAMES.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`--input ${unknown}: expected any of ${INPUT_NAMES.join(', ')}`);
  return INPUT_NAMES.filter((name) => names.includes(name));
}

function sizeOf(name: InputName): number {
  if (name === 'crowd') return wholeNumber('flows', 1);
  return options.full ? 2_000_000 : wholeNumber('packets', 1_000);
}

function wholeNumber(name: 'runs' | 'packets' | 'flows', min: number): number {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < min)
    throw new Error(`--${name} ${options[name]}: expected a number from ${min}`);
  return value;
}

interface Tally {
  readonly peer: Peer;
  readonly runs: Cost[];
  found: Found | undefined;
  failed: string | undefined;
}

/** Round after round, so that a slow moment of the machine meets every peer. */
async function runAll(input: Input, peers: readonly Peer[], rounds: number): Promise<InputResult> {
  const tallies: Tally[] = peers.map((peer) => ({ peer, runs: [], found: undefined, failed: undefined }));
  // The first reader of a file would pay for the disk.
  for await (const _ of createReadStream(input.file, { highWaterMark: 1 << 20 }));
  for (let round = 0; round < rounds; round++) {
    for (const tally of tallies) {
      if (tally.failed === undefined) await runOnce(input, tally);
    }
  }
  const floor = tallies.find((t) => t.peer.name === FLOOR && t.runs.length > 0);
  const results = tallies.map(
    ({ peer, runs, found, failed }): PeerResult => ({ peer: peer.name, runs, found, failed }),
  );
  return { input, peers: results, floorSeconds: floor && median(floor.runs.map((r) => r.seconds)) };
}

async function runOnce(input: Input, tally: Tally): Promise<void> {
  const { peer } = tally;
  const output = join(cacheDirectory(), `${process.pid}.out`);
  const command = peer.command(input.file, output);
  try {
    tally.runs.push(await measure(options['one-core'] ? ['taskset', '-c', '0', ...command] : command, output));
    if (peer.found && !tally.found) tally.found = await peer.found(output);
  } catch (error) {
    tally.failed = `failed: ${(error as Error).message}`;
  } finally {
    for (const file of [output, `${output}.csv`, `${output}.times`]) rmSync(file, { force: true });
  }
}
