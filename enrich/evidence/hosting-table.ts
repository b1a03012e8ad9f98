/**
 * Autonomous systems whose operators rent servers: `cloud` the large ones, behind which most of the web lies, `rented`
 * those whose main trade is a server for anybody with a card. Sources: the operators' entries in the registries
 * (RIPE, ARIN, APNIC) and their own pages. A row is no verdict: all of them have ordinary customers.
 */
export const HOSTING_TABLE_VERSION = '2026-11-01';

export type HostingKind = 'cloud' | 'rented';

type Line = readonly [kind: HostingKind, operator: string, numbers: string];

const LINES: readonly Line[] = [
  ['cloud', 'Amazon Web Services', '16509 14618 8987'],
  ['cloud', 'Microsoft Azure', '8075'],
  ['cloud', 'Google Cloud', '15169 396982'],
  ['cloud', 'Cloudflare', '13335'],
  ['cloud', 'Oracle Cloud', '31898'],
  ['cloud', 'Alibaba Cloud', '45102 37963'],
  ['cloud', 'Tencent Cloud', '132203 45090'],
  ['cloud', 'IBM Cloud', '36351'],
  ['cloud', 'Akamai', '20940 16625'],
  ['cloud', 'Fastly', '54113'],
  ['rented', 'DigitalOcean', '14061'],
  ['rented', 'Linode (Akamai)', '63949'],
  ['rented', 'Vultr', '20473'],
  ['rented', 'Hetzner', '24940 213230 212317'],
  ['rented', 'OVH', '16276'],
  ['rented', 'Contabo', '51167 40021 141995'],
  ['rented', 'Scaleway', '12876'],
  ['rented', 'netcup', '197540'],
  ['rented', 'IONOS', '8560'],
  ['rented', 'LeaseWeb', '60781 28753 30633 59253'],
  ['rented', 'M247', '9009'],
  ['rented', 'Hostinger', '47583'],
  ['rented', 'Namecheap', '22612'],
  ['rented', 'HostHatch', '63473'],
  ['rented', 'BuyVM (FranTech)', '53667'],
  ['rented', 'ColoCrossing', '36352'],
  ['rented', 'QuadraNet', '8100'],
  ['rented', 'Psychz', '40676'],
  ['rented', 'Clouvider', '62240'],
  ['rented', 'Datacamp', '60068 212238'],
  ['rented', 'G-Core', '199524'],
  ['rented', 'UpCloud', '202053'],
  ['rented', 'Kamatera', '36007'],
  ['rented', 'Selectel', '49505'],
  ['rented', 'Timeweb', '9123'],
  ['rented', 'Aeza', '210644 216246'],
  ['rented', 'Stark Industries', '44477'],
  ['rented', 'HostSailor', '60117'],
  ['rented', 'Zomro', '59504'],
  ['rented', 'Alexhost', '200019'],
  ['rented', 'ServerMania', '55286'],
];

/** By number of the autonomous system. */
export const HOSTING: ReadonlyMap<number, HostingKind> = new Map(
  LINES.flatMap(([kind, , numbers]) =>
    numbers.split(' ').map((number): [number, HostingKind] => [Number(number), kind]),
  ),
);
