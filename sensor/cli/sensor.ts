import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Exit, UserError } from '../base/exit.ts';
import { listCaptures } from '../capture/list-captures.ts';
import { STDIN } from '../capture/open-capture.ts';
import { DEFAULT_LIMITS } from '../flow/tracker.ts';
import { EvidenceDirectory } from '../publish/evidence-directory.ts';
import { LineWriter } from '../publish/line-writer.ts';
import { MAX_JOBS, readSideBySide } from './capture-jobs.ts';
import { type CaptureReading, type CaptureReport, readOneCapture } from './capture-reading.ts';
import { LIVE_OPTIONS } from './live-options.ts';
import { type CommandSpec, helpText, type Parsed, parseCommand, wantsHelp } from './options.ts';
import { PUBLISH_OPTIONS, type SensorOutput } from './output.ts';
import { PLAIN_BYTES_OPTION, plainBytesOf } from './plain-option.ts';

export const SENSOR: CommandSpec = {
  name: 'sensor',
  usage: '-r FILE|DIR|- … | -i IFACE [-f BPF]',
  summary:
    'Reads packets and prints one JSON line per flow record: encrypted conversations with names, fingerprints and bytes.',
  options: [
    {
      name: 'read',
      short: 'r',
      argument: 'PATH',
      multiple: true,
      describe: 'Capture file, directory of captures, or - for standard input (pcap µs/ns, pcapng, gzip of either).',
    },
    {
      name: 'format',
      argument: 'NAME',
      fallback: 'ecs',
      describe: 'ecs (flow records), zeek (ssl and conn lines) or eve (Suricata tls, quic, ssh and flow events).',
    },
    { name: 'verbose', short: 'v', describe: 'Add ja3_string and supported_ciphers to records.' },
    { name: 'observer', argument: 'NAME', describe: 'observer.name of the records (default: this host’s name).' },
    { name: 'community-id-seed', argument: 'N', fallback: '0', describe: 'Seed of network.community_id, 0 to 65535.' },
    {
      name: 'evidence',
      argument: 'DIR',
      describe: 'Write the handshake packets of every encrypted flow into DIR, one small pcap file a flow.',
    },
    {
      name: 'max-flows',
      argument: 'N',
      fallback: String(DEFAULT_LIMITS.flows),
      describe: 'Flows of a capture followed at once, 0.3 kB each; beyond, the longest quiet one ends early.',
    },
    PLAIN_BYTES_OPTION,
    {
      name: 'jobs',
      short: 'j',
      argument: 'N',
      fallback: '1',
      describe: `Captures of -r read side by side, each by a core of its own, at most ${MAX_JOBS}. The output is the same. One with --evidence or standard input.`,
    },
    { name: 'quiet', short: 'q', describe: 'No summary on stderr.' },
    ...PUBLISH_OPTIONS,
    ...LIVE_OPTIONS,
  ],
  notes: 'Exit codes: 0 fine, 1 could not run, 2 usage, 3 a capture is damaged but was read up to the damage.',
};

/** `output`: where records go instead of standard output; made by the program that knows Redis. */
export async function sensorCommand(args: string[], output?: SensorOutput): Promise<number> {
  if (wantsHelp(args)) {
    process.stdout.write(helpText(SENSOR));
    return Exit.fine;
  }
  const options = parseCommand(SENSOR, args);
  const paths = [...options.list('read'), ...options.positionals];
  if (options.text('interface') !== undefined) {
    if (paths.length > 0) throw new UserError('-i listens, -r reads captures: name one of them', Exit.usage);
    return (await import('./live.ts')).liveCommand(options, output);
  }
  if (paths.length === 0)
    throw new UserError(
      'nothing to read: name a capture with -r, e.g. waybill sensor -r traffic.pcap, or an interface with -i',
      Exit.usage,
    );
  return readCaptures(paths, options, output);
}

async function readCaptures(paths: readonly string[], options: Parsed, output?: SensorOutput): Promise<number> {
  // Left alone the collector lets garbage grow to as much as is in use; most of what is in use stands in typed arrays.
  setFlagsFromString('--heap-growing-percent=20');
  const stream = output?.stream ?? process.stdout;
  const files = paths.flatMap((path) => capturesAt(path));
  const flows = options.integer('max-flows', 16, 16_777_216) ?? DEFAULT_LIMITS.flows;
  const reading: CaptureReading = {
    format: formatOf(options),
    record: {
      observer: options.text('observer') ?? hostname(),
      communityIdSeed: options.integer('community-id-seed', 0, 65_535) ?? 0,
      verbose: options.on('verbose'),
    },
    limits: { ...DEFAULT_LIMITS, flows, plainBytes: plainBytesOf(options, output !== undefined) },
  };
  const directory = openEvidence(options);
  const jobs = jobsFor(options, files, directory !== undefined);
  let code: number = Exit.fine;
  const report = (file: string, { damaged, summary }: CaptureReport): void => {
    if (damaged !== undefined) {
      process.stderr.write(`waybill: ${file}: ${damaged}\n`);
      code = Exit.damaged;
    }
    if (!options.on('quiet')) process.stderr.write(`waybill: ${file}: ${summary}\n`);
  };
  if (jobs > 1) await readSideBySide(files, reading, { jobs, stream, report });
  else {
    const out = new LineWriter(stream);
    for (const file of files) report(file, await readOneCapture(file, reading, out, directory));
  }
  if (directory?.complaint) process.stderr.write(`waybill: ${directory.complaint}\n`);
  return code;
}

/** The directory that `--evidence` names. */
function openEvidence(options: Parsed): EvidenceDirectory | undefined {
  const path = options.text('evidence');
  return path === undefined ? undefined : new EvidenceDirectory(path);
}

function formatOf(options: Parsed): CaptureReading['format'] {
  const format = options.text('format');
  if (format === 'ecs' || format === 'zeek' || format === 'eve') return format;
  throw new UserError(`--format ${format}: expected ecs, zeek or eve`, Exit.usage);
}

/** Captures read at once. Standard input and the one directory of evidence are for one reader. */
function jobsFor(options: Parsed, files: readonly string[], evidence: boolean): number {
  const jobs = Math.min(options.integer('jobs', 1, MAX_JOBS)!, files.length);
  return evidence || files.includes(STDIN) ? 1 : jobs;
}

function capturesAt(path: string): string[] {
  if (path === '-') return [path];
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch {
    throw new UserError(`${path}: no such file`, Exit.usage);
  }
  const { captures } = listCaptures(path);
  if (captures.length === 0) throw new UserError(`${path}: no captures in this directory`, Exit.usage);
  return [...captures];
}
