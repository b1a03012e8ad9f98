/**
 * The golden file beside each capture: every TCP flow with its owner from the recorder, its byte counts from sequence
 * numbers, and what tshark says of its handshake. Nothing in it comes from the code under test.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Authority } from './authority.ts';
import { DESTINATIONS, HTTPS_PORT } from './destinations.ts';
import type { ConnectionFact, Fact } from './facts.ts';
import { type Flow, readFlows, readQuicFlows } from './frames.ts';
import { accountName } from './hosts.ts';
import type { CapturedPacket } from './pcap-file.ts';
import { sh } from './shell.ts';
import { isoMicros } from './sysmon-writers.ts';

interface Handshake {
  readonly serverName: string;
  readonly ja3: string;
  ja3s?: string;
  version?: string;
  /** A Certificate message was seen in clear. */
  certificate?: boolean;
}

const VERSIONS: ReadonlyMap<string, string> = new Map([
  ['0x0303', '1.2'],
  ['0x0304', '1.3'],
]);

const first = (text: string | undefined): string => (text ?? '').split(',')[0]!;

/** tshark's reading, keyed by client address and port and the start second of the TCP stream. */
function tsharkHandshakes(file: string): Map<string, Handshake> {
  const fields = [
    ...['ip.src', 'ipv6.src', 'tcp.srcport', 'udp.srcport', 'tls.handshake.type'],
    ...['tls.handshake.extensions_server_name', 'tls.handshake.ja3', 'tls.handshake.ja3s'],
    ...['tls.handshake.version', 'tls.handshake.extensions.supported_version', 'tcp.stream', 'udp.stream'],
  ];
  const query = 'tls.handshake.type in {1, 2, 11}';
  const text = sh('tshark', '-r', file, '-Y', query, '-T', 'fields', ...fields.flatMap((name) => ['-e', name]));
  const byStream = new Map<string, Handshake>();
  const byTuple = new Map<string, Handshake>();
  for (const line of text.split('\n')) {
    const [source, source6, tcpPort, udpPort, type, name, ja3, ja3s, legacy, supported, tcp, udp] = line.split('\t');
    if (udp === undefined) continue;
    const sourcePort = tcpPort || udpPort;
    const stream = tcp ? `tcp ${tcp}` : `udp ${udp}`;
    const known = byStream.get(stream);
    if (first(type) === '1' && known === undefined) {
      const handshake = { serverName: first(name), ja3: first(ja3) };
      byStream.set(stream, handshake);
      byTuple.set(`${source || source6} ${sourcePort}`, handshake);
    } else if (known !== undefined) {
      const types = (type ?? '').split(',');
      if (types.includes('11')) known.certificate = true;
      if (!types.includes('2')) continue;
      known.ja3s = first(ja3s);
      const version = VERSIONS.get(first(supported) || first(legacy));
      if (version !== undefined) known.version = version;
    }
  }
  return byTuple;
}

export interface Expectation {
  /** Why this recording exists. */
  readonly shows: string;
  /** Stories only: whether the pipeline must raise this, and on what grounds. */
  readonly expect?: 'alert' | 'silent';
  readonly why?: string;
  /** What the alert has to name, or which look-alike must stay silent. */
  readonly focus?: object;
  /** Times that were moved, in words. */
  readonly constructed?: readonly string[];
}

export interface GoldenInput {
  readonly file: string;
  readonly packets: readonly CapturedPacket[];
  readonly facts: readonly Fact[];
  readonly authority: Authority;
  readonly expectation: Expectation;
}

export function goldenText(input: GoldenInput): string {
  const handshakes = tsharkHandshakes(input.file);
  const certificates = new Map(
    DESTINATIONS.map((entry) => {
      const leaf = new X509Certificate(readFileSync(input.authority.chainFile(entry)));
      return [entry.name, leaf.fingerprint256.replaceAll(':', '').toLowerCase()];
    }),
  );
  const owners = input.facts.filter((fact): fact is ConnectionFact => fact.kind === 'connection');
  const flows = [...readFlows(input.packets), ...readQuicFlows(input.packets, HTTPS_PORT)].map((flow) => {
    const owner = owners.find(
      (fact) => fact.source.port === flow.clientPort && fact.source.ip === flow.client && fact.at === flow.at,
    );
    return goldenFlow(flow, owner, handshakes.get(`${flow.client} ${flow.clientPort}`), certificates);
  });
  return `${JSON.stringify({ ...input.expectation, flows }, null, 1)}\n`;
}

function goldenFlow(
  flow: Flow,
  owner: ConnectionFact | undefined,
  handshake: Handshake | undefined,
  certificates: ReadonlyMap<string, string>,
) {
  const certificate = handshake?.certificate === true ? certificates.get(handshake.serverName) : undefined;
  return {
    start: isoMicros(flow.at),
    transport: flow.transport,
    client: { ip: flow.client, port: flow.clientPort, bytes: flow.clientBytes },
    server: { ip: flow.server, port: flow.serverPort, bytes: flow.serverBytes },
    ...(handshake === undefined
      ? {}
      : {
          tls: {
            ...(handshake.serverName === '' ? {} : { serverName: handshake.serverName }),
            ...(handshake.version === undefined ? {} : { version: handshake.version }),
            ja3: handshake.ja3,
            ...(handshake.ja3s === undefined ? {} : { ja3s: handshake.ja3s }),
            ...(certificate === undefined ? {} : { certificateSha256: certificate }),
          },
        }),
    ...(owner === undefined
      ? {}
      : {
          owner: {
            host: owner.process.host.name,
            user: accountName(owner.process.user),
            pid: owner.process.pid,
            executable: owner.process.program.image,
            recordedWith: owner.process.program.linux,
          },
        }),
  };
}
