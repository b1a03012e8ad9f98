/**
 * The recording network: one namespace with every server, the resolver and a bridge, and one namespace per client
 * machine. There is no route out, so nothing recorded can leave, and nothing outside can be recorded.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { DESTINATIONS, PROXY_IP, RESOLVER_IP } from './destinations.ts';
import { HOSTS, type Host } from './hosts.ts';
import { sh, shQuiet } from './shell.ts';

export const SERVER_NAMESPACE = 'wb-net';
export const BRIDGE = 'br0';
const GATEWAY_IP = '10.20.0.1';
const GATEWAY_IP6 = 'fd20::1';
/** An ordinary office uplink; also keeps the two cores of a small machine from being the bottleneck. */
const UPLINK_RATE = '40mbit';

export const namespaceOf = (host: Host): string => `wb-${host.number}`;

const ip = (...args: string[]): string => sh('ip', ...args);
const inNamespace = (namespace: string, ...args: string[]): string => sh('ip', 'netns', 'exec', namespace, ...args);

/** Segmentation offload would put 64 KB "packets" with unfinished checksums into the capture. */
function wireLikeDevice(namespace: string, device: string): void {
  inNamespace(namespace, 'ethtool', '-K', device, 'tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off');
}

export function buildNetwork(): void {
  tearDownNetwork();
  ip('netns', 'add', SERVER_NAMESPACE);
  ip('-n', SERVER_NAMESPACE, 'link', 'set', 'lo', 'up');
  ip('-n', SERVER_NAMESPACE, 'link', 'add', BRIDGE, 'address', '02:00:00:00:00:01', 'type', 'bridge');
  ip('-n', SERVER_NAMESPACE, 'link', 'set', BRIDGE, 'up');
  wireLikeDevice(SERVER_NAMESPACE, BRIDGE);
  for (const address of [GATEWAY_IP, RESOLVER_IP, PROXY_IP]) {
    ip('-n', SERVER_NAMESPACE, 'addr', 'add', `${address}/24`, 'dev', BRIDGE);
  }
  ip('-n', SERVER_NAMESPACE, 'addr', 'add', `${GATEWAY_IP6}/64`, 'dev', BRIDGE, 'nodad');
  for (const address of new Set(DESTINATIONS.map((entry) => entry.ip))) {
    ip('-n', SERVER_NAMESPACE, 'addr', 'add', `${address}/32`, 'dev', 'lo');
  }
  for (const { ip6 } of DESTINATIONS) {
    if (ip6 !== undefined) ip('-n', SERVER_NAMESPACE, 'addr', 'add', `${ip6}/128`, 'dev', 'lo', 'nodad');
  }
  for (const host of HOSTS) addHost(host);
}

function addHost(host: Host): void {
  const namespace = namespaceOf(host);
  const outer = `h${host.number}`;
  const hexNumber = host.number.toString(16).padStart(2, '0');
  ip('netns', 'add', namespace);
  ip('-n', SERVER_NAMESPACE, 'link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  ip('-n', SERVER_NAMESPACE, 'link', 'set', outer, 'master', BRIDGE, 'up');
  ip('-n', namespace, 'link', 'set', 'eth0', 'address', `02:00:00:00:00:${hexNumber}`);
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
  ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  ip('-n', namespace, 'addr', 'add', `${host.ip}/24`, 'dev', 'eth0');
  ip('-n', namespace, 'addr', 'add', `${host.ip6}/64`, 'dev', 'eth0', 'nodad');
  ip('-n', namespace, 'route', 'add', 'default', 'via', GATEWAY_IP);
  ip('-n', namespace, '-6', 'route', 'add', 'default', 'via', GATEWAY_IP6);
  wireLikeDevice(namespace, 'eth0');
  wireLikeDevice(SERVER_NAMESPACE, outer);
  // Kernels without the shaper still record; the uploads are then only faster.
  shQuiet(
    'tc',
    '-n',
    namespace,
    'qdisc',
    'add',
    'dev',
    'eth0',
    'root',
    'tbf',
    'rate',
    UPLINK_RATE,
    'burst',
    '64kb',
    'latency',
    '60ms',
  );
  mkdirSync(`/etc/netns/${namespace}`, { recursive: true });
  writeFileSync(`/etc/netns/${namespace}/resolv.conf`, `nameserver ${RESOLVER_IP}\noptions timeout:2 attempts:2\n`);
  writeFileSync(`/etc/netns/${namespace}/hosts`, `127.0.0.1 localhost\n${host.ip} ${host.name.toLowerCase()}\n`);
}

/** Deletes only namespaces that `buildNetwork` made. */
export function tearDownNetwork(): void {
  for (const namespace of [SERVER_NAMESPACE, ...HOSTS.map(namespaceOf)]) {
    shQuiet('ip', 'netns', 'del', namespace);
    rmSync(`/etc/netns/${namespace}`, { recursive: true, force: true });
  }
}
