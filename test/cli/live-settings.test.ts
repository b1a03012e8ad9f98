import { describe, expect, it } from 'vitest';
import { listInterfaces } from '../../sensor/capture/live-interface.ts';
import { LIVE_OPTIONS } from '../../sensor/cli/live-options.ts';
import { type LiveSettings, readLiveSettings } from '../../sensor/cli/live-settings.ts';
import { type CommandSpec, parseCommand } from '../../sensor/cli/options.ts';

const COMMAND: CommandSpec = {
  name: 'sensor',
  usage: '',
  summary: '',
  options: [
    { name: 'observer', argument: 'NAME', describe: '' },
    { name: 'community-id-seed', argument: 'N', describe: '' },
    { name: 'format', argument: 'NAME', fallback: 'ecs', describe: '' },
    { name: 'to', argument: 'URL', describe: '' },
    { name: 'verbose', describe: '' },
    { name: 'quiet', describe: '' },
    ...LIVE_OPTIONS,
  ],
};

/** Loopback is on every machine. */
const settings = (...args: string[]): LiveSettings =>
  readLiveSettings(parseCommand(COMMAND, ['-i', 'lo', '--driver', 'tcpdump', ...args]));

describe('the settings of a live sensor', () => {
  it('let everything through by default and listen for nobody but this machine', () => {
    const { capture, filtered, status } = settings();
    expect(capture).toMatchObject({ interface: 'lo', filter: '', promiscuous: true, snaplen: 65_535 });
    expect(filtered).toBe(false);
    expect(status).toEqual({ host: '127.0.0.1', port: 9477 });
  });
  it('count payload that a profile leaves out as left out, not as lost', () => {
    expect(settings('--profile', 'handshake').filtered).toBe(true);
    expect(settings('--profile', 'client').filtered).toBe(true);
    expect(settings('--shard', '1/2').filtered).toBe(false);
  });
  it('join the user’s filter to the profile’s', () => {
    expect(settings('-f', 'port 443').capture.filter).toBe('port 443');
    expect(settings('-f', 'port 443', '--profile', 'handshake').capture.filter).toContain('(port 443))))) and not ');
  });
  it('can do without a status page', () => expect(settings('--status', 'off').status).toBeUndefined());

  const mistakes: [string[], RegExp][] = [
    [['--profile', 'most'], /^--profile most: expected full, client or handshake$/],
    [['--driver', 'pcap'], /^--driver pcap: expected tcpdump, dumpcap or cap$/],
    [['--shard', '3/2'], /^--shard 3\/2: expected I\/N/],
    [['--status', '0.0.0.0:9477'], /^--status 0\.0\.0\.0:9477: only loopback/],
    [['--snaplen', '20'], /^--snaplen 20: expected a whole number from 96 to 262144$/],
    [['-f', 'vlan 5', '--profile', 'handshake'], /^--filter: vlan, mpls/],
    [['-f', 'x'.repeat(5_000)], /^--filter: 5000 characters/],
    [['--user', 'no-such-user'], /^--user/],
    [['--format', 'csv'], /^--format csv: expected ecs, zeek or eve$/],
    [['--to', 'redis://r', '--format', 'zeek'], /^--to publishes records as they are/],
    [['--log-level', 'loud'], /^--log-level loud: expected error, warn, info or silent$/],
  ];
  it.each(mistakes)('are refused in one line: %j', (args, text) => {
    expect(() => settings(...args)).toThrow(text);
  });
  it('name the interfaces of this machine when the one asked for is not there', () => {
    const names = listInterfaces().map((i) => i.name);
    expect(() => settings('-i', 'nosuch0')).toThrow(
      `cannot listen on nosuch0: no such interface. Interfaces here: ${names.join(', ')}.`,
    );
    expect(() => settings('-i', '../../etc')).toThrow(/no such interface/);
  });
});
