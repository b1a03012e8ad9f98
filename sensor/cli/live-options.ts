import type { OptionSpec } from './options.ts';

export const DEFAULT_STATUS = '127.0.0.1:9477';

/** What `waybill sensor` takes to listen on an interface; live-settings.ts gives it meaning. */
export const LIVE_OPTIONS: readonly OptionSpec[] = [
  { name: 'interface', short: 'i', argument: 'IFACE', describe: 'Listen on this interface (see: waybill interfaces).' },
  {
    name: 'filter',
    short: 'f',
    argument: 'BPF',
    describe: 'Live: only packets that match this pcap-filter(7) expression.',
  },
  {
    name: 'profile',
    argument: 'NAME',
    fallback: 'full',
    describe: 'Live: what the kernel lets through. full: all; client: no bulk sent by servers; handshake: no bulk.',
  },
  {
    name: 'shard',
    argument: 'I/N',
    describe: 'Live: only the I-th of N shares of the hosts, to run N sensors on one interface.',
  },
  {
    name: 'driver',
    argument: 'NAME',
    fallback: 'auto',
    describe: 'Live: tcpdump, dumpcap or cap; auto takes the first that is here.',
  },
  {
    name: 'user',
    argument: 'NAME',
    describe: 'Live: whom root becomes to read packets (default: waybill, else nobody).',
  },
  {
    name: 'out',
    short: 'o',
    argument: 'FILE',
    describe: 'Live: append records to this file instead of standard output.',
  },
  {
    name: 'status',
    argument: 'HOST:PORT',
    describe: `Live: /metrics, /healthz and /readyz on loopback, or off (default: ${DEFAULT_STATUS}).`,
  },
  { name: 'snaplen', argument: 'BYTES', fallback: '65535', describe: 'Live: bytes kept of each packet.' },
  { name: 'buffer', argument: 'MIB', fallback: '128', describe: 'Live: kernel buffer.' },
  { name: 'no-promiscuous', describe: 'Live: only packets from and to this machine.' },
  { name: 'log-level', argument: 'LEVEL', fallback: 'info', describe: 'Live: error, warn, info or silent.' },
];
