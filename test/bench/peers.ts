/** The programs that are measured side by side, and how their recall is read from what they print. */
import { spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** ClientHellos found. */
export interface Found {
  readonly tls: number;
  readonly quic: number;
}

export interface Peer {
  readonly name: string;
  /** The command line; what it prints to standard output goes to `output`. */
  command(file: string, output: string): readonly string[];
  /** Reads from its output what it found; absent when it does not look for hellos. */
  found?(output: string): Promise<Found>;
  /** Takes part in the crowd too: others need gigabytes or minutes there. */
  readonly light?: boolean;
}

export const FLOOR = 'tcpdump';
export const OURS = 'waybill';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

const waybill = (name: string, dist: string): Peer => ({
  name,
  light: true,
  command: (file) => [process.execPath, join(dist, 'enrich/cli/main.js'), 'sensor', '--quiet', '-r', file],
  async found(output) {
    let tls = 0;
    let quic = 0;
    for await (const line of lines(output)) {
      if (!line.includes('"action":"flow_open"')) continue;
      if (line.includes('"ja4":"t')) tls++;
      else if (line.includes('"ja4":"q')) quic++;
    }
    return { tls, quic };
  },
});

const tcpdump: Peer = { name: FLOOR, light: true, command: (file) => ['tcpdump', '-r', file, '-w', '/dev/null'] };

const TSHARK_FIELDS = [
  'ip.src',
  'tcp.srcport',
  'udp.srcport',
  'ip.dst',
  'tls.handshake.extensions_server_name',
  'tls.handshake.ja3',
];

const tshark: Peer = {
  name: 'tshark',
  command: (file) => [
    ...['tshark', '-r', file, '-Y', 'tls.handshake.type==1', '-T', 'fields'],
    ...TSHARK_FIELDS.flatMap((field) => ['-e', field]),
  ],
  async found(output) {
    let tls = 0;
    let quic = 0;
    for await (const line of lines(output)) {
      const [, tcpPort, udpPort] = line.split('\t');
      if (tcpPort) tls++;
      else if (udpPort) quic++;
    }
    return { tls, quic };
  },
};

const ndpi: Peer = {
  name: 'ndpiReader',
  command: (file, output) => ['ndpiReader', '-q', '-i', file, '-C', `${output}.csv`],
  async found(output) {
    let tls = 0;
    let quic = 0;
    let ja3Column = -1;
    for await (const line of lines(`${output}.csv`)) {
      const columns = line.split(',');
      if (ja3Column < 0) ja3Column = columns.indexOf('ja3c');
      else if (columns[ja3Column]) columns[1] === '17' ? quic++ : tls++;
    }
    return { tls, quic };
  },
};

const installed = (program: string): boolean => spawnSync('which', [program]).status === 0;

/** The floor, ours, and whatever else is installed; and the names of what is not. */
export function builtInPeers(): { readonly peers: readonly Peer[]; readonly absent: readonly string[] } {
  const others = [tcpdump, tshark, ndpi];
  return {
    peers: [...others.filter((p) => installed(p.name)), waybill(OURS, DIST)].sort((a, b) => rank(a) - rank(b)),
    absent: others.filter((p) => !installed(p.name)).map((p) => p.name),
  };
}

const rank = (peer: Peer): number => [FLOOR, OURS].indexOf(peer.name) + 1 || 3;

/** Another build of ours, for before and after: `name=directory` as dist/ is. */
export function peerOfBuild(text: string): Peer {
  const [, name, directory] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || directory === undefined) throw new Error(`--build ${text}: expected 'name=directory'`);
  return waybill(name, resolve(directory));
}

/** A peer of the user's: `name=command with {file}`, run by the shell. What it finds is not known. */
export function peerOfText(text: string): Peer {
  const [, name, command] = /^([^=]+)=(.*\{file\}.*)$/s.exec(text) ?? [];
  if (name === undefined || command === undefined) throw new Error(`--peer ${text}: expected 'name=command {file}'`);
  return { name, light: true, command: (file) => ['sh', '-c', command.replaceAll('{file}', `'${file}'`)] };
}

const lines = (path: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(path, { highWaterMark: 1 << 20 }), crlfDelay: Number.POSITIVE_INFINITY });
