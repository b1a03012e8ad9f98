/**
 * `npm run bench -- million [options]`: a month of flows of a thousand hosts through `waybill replay --flows`: how long it
 * takes, and how much memory.
 */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { connectionLine, flowLine } from './enrich-records.ts';
import { measure } from './measure.ts';

const MONTH = 30 * 86_400_000_000;
/** One flow in so many has a connection event: feeds cap what they tell, and leases do the rest. */
const TOLD = 5;

const HELP = `npm run bench -- million [options]

  --flows N      flows, spread over 30 days (default 1000000)
  --hosts N      hosts they belong to (default 1000)
`;

export async function millionBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      flows: { type: 'string', default: '1000000' },
      hosts: { type: 'string', default: '1000' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const [flows, hosts] = [Number(values.flows), Number(values.hosts)];
  const step = Math.floor(MONTH / flows);
  const directory = mkdtempSync(join(tmpdir(), 'waybill-million-'));
  const [flowFile, endpointFile] = [join(directory, 'flows.ndjson'), join(directory, 'sysmon.ndjson')];
  try {
    await write(flowFile, flows, 1, (i) => flowLine(i, hosts, step));
    await write(endpointFile, flows, TOLD, (i) => connectionLine(i, hosts, step));
    const command = [process.execPath, 'dist/enrich/cli/main.js', 'replay', '--flows', flowFile];
    const cost = await measure([...command, '--endpoint', endpointFile], join(directory, 'alerts'));
    const rate = Math.round(flows / cost.seconds).toLocaleString('en');
    console.log(
      `${flows} flows of ${hosts} hosts in 30 days: ${cost.seconds.toFixed(0)} s (${rate} flows/s, CPU ` +
        `${cost.cpuSeconds?.toFixed(0) ?? '?'} s), at most ${cost.peakMegabytes?.toFixed(0) ?? '?'} MB resident`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function write(file: string, count: number, every: number, line: (i: number) => string): Promise<void> {
  async function* blocks(): AsyncGenerator<string> {
    for (let i = 0; i < count; ) {
      const lines: string[] = [];
      for (; i < count && lines.length < 1_000; i += every) lines.push(line(i));
      yield lines.join('');
    }
  }
  await pipeline(blocks, createWriteStream(file));
}
