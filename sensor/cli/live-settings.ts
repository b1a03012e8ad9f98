/** The options of `waybill sensor -i`, and what they mean together. */
import { Exit, UserError } from '../base/exit.ts';
import { LOG_LEVELS, type LogLevel } from '../base/log.ts';
import { kernelFilter, looksIntoTags, MAX_SHARDS, parseShard, type Shard } from '../capture/filter.ts';
import { PROFILES, type Profile } from '../capture/filter-profile.ts';
import { isInstalled } from '../capture/live-driver.ts';
import { noSuchInterface } from '../capture/live-failure.ts';
import { interfaceState, isEthernet, isInterfaceName } from '../capture/live-interface.ts';
import { type CaptureRequest, DRIVERS, type Driver, type UserIds } from '../capture/live-messages.ts';
import { findUser } from '../capture/live-privilege.ts';
import { eveLines } from '../record/eve.ts';
import type { FlowRecord } from '../record/flow-record.ts';
import { zeekLines } from '../record/zeek.ts';
import { DEFAULT_STATUS } from './live-options.ts';
import type { Parsed } from './options.ts';
import { parseStatusAddress, type StatusAddress } from './status.ts';

/** Whom root becomes when no user is named: the service's own user where it exists. */
const DEFAULT_USERS = ['waybill', 'nobody'];
/** Longest filter of a user, characters; it is written three times into the kernel filter. */
const MAX_FILTER_CHARS = 4_096;

const FORMAT_NAMES = ['ecs', 'zeek', 'eve'] as const;

const FORMATS: Readonly<Record<(typeof FORMAT_NAMES)[number], LiveSettings['lines']>> = {
  ecs: (record) => [record],
  zeek: zeekLines,
  eve: eveLines,
};

export interface LiveSettings {
  readonly capture: Omit<CaptureRequest, 'marker'>;
  /** The user's part of the kernel filter. */
  readonly userFilter: string | undefined;
  /** The profile leaves bulk out. */
  readonly filtered: boolean;
  readonly out: string | undefined;
  /** The lines that one record becomes. */
  readonly lines: (record: FlowRecord) => readonly unknown[];
  readonly status: StatusAddress | undefined;
  readonly observer: string | undefined;
  readonly seed: number;
  readonly verbose: boolean;
  readonly progress: boolean;
  readonly logLevel: LogLevel;
}

/** Reads and checks all of it before anything is started; a mistake is a `UserError`. */
export function readLiveSettings(options: Parsed): LiveSettings {
  const name = options.text('interface') ?? '';
  if (!isInterfaceName(name) || interfaceState(name) === 'absent') throw noSuchInterface(name);
  const profile = oneOf(options, 'profile', PROFILES);
  if (options.text('to') !== undefined && (options.text('out') !== undefined || options.text('format') !== 'ecs')) {
    throw new UserError(
      '--to publishes records as they are: it does not go with --out or another --format',
      Exit.usage,
    );
  }
  const userFilter = readFilter(options, profile);
  const shard = readShard(options);
  const status = options.text('status');
  return {
    capture: {
      driver: chooseDriver(options, name),
      interface: name,
      filter: kernelFilter({ profile, shard, user: userFilter, ethernet: isEthernet(name) }),
      snaplen: options.integer('snaplen', 96, 262_144)!,
      bufferKiB: options.integer('buffer', 1, 2_047)! * 1024,
      promiscuous: !options.on('no-promiscuous'),
      user: chooseUser(options),
    },
    userFilter,
    filtered: profile !== 'full',
    out: options.text('out'),
    lines: FORMATS[oneOf(options, 'format', FORMAT_NAMES)],
    status: status === 'off' ? undefined : parseStatusAddress(status ?? DEFAULT_STATUS),
    observer: options.text('observer'),
    seed: options.integer('community-id-seed', 0, 65_535) ?? 0,
    verbose: options.on('verbose'),
    // Records that scroll by on the same terminal are progress enough.
    progress: process.stderr.isTTY === true && process.stdout.isTTY !== true && !options.on('quiet'),
    logLevel: options.on('quiet') ? 'warn' : oneOf(options, 'log-level', LOG_LEVELS),
  };
}

function oneOf<T extends string>(options: Parsed, name: string, allowed: readonly T[]): T {
  const text = options.text(name);
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UserError(`--${name} ${text}: expected ${list(allowed)}`, Exit.usage);
  return found;
}

const list = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

function readFilter(options: Parsed, profile: Profile): string | undefined {
  const filter = options.text('filter')?.trim();
  if (filter === undefined || filter === '') return undefined;
  if (filter.length > MAX_FILTER_CHARS) {
    throw new UserError(`--filter: ${filter.length} characters, at most ${MAX_FILTER_CHARS}`, Exit.usage);
  }
  if (looksIntoTags(filter) && (profile !== 'full' || options.text('shard') !== undefined)) {
    throw new UserError(
      '--filter: vlan, mpls, pppoes, geneve and vxlan change what follows them and do not go with --profile or --shard. VLAN tags are looked behind anyway; leave the word out.',
      Exit.usage,
    );
  }
  return filter;
}

function readShard(options: Parsed): Shard | undefined {
  const text = options.text('shard');
  if (text === undefined) return undefined;
  const shard = parseShard(text);
  if (!shard)
    throw new UserError(`--shard ${text}: expected I/N with I from 1 to N and N up to ${MAX_SHARDS}`, Exit.usage);
  return shard;
}

function chooseDriver(options: Parsed, name: string): Driver {
  if (options.text('driver') !== 'auto') return oneOf(options, 'driver', DRIVERS);
  if (isInstalled('tcpdump')) return 'tcpdump';
  if (isInstalled('dumpcap')) return 'dumpcap';
  return name === 'any' ? 'tcpdump' : 'cap';
}

function chooseUser(options: Parsed): UserIds | undefined {
  const name = options.text('user');
  if (process.getuid?.() !== 0) {
    if (name !== undefined) throw new UserError('--user: only root can become another user', Exit.usage);
    return undefined;
  }
  if (name === undefined) {
    for (const candidate of DEFAULT_USERS) {
      const found = findUser(candidate);
      if (found) return found;
    }
    throw new UserError('there is no user nobody here; name with --user whom root becomes to read packets', Exit.usage);
  }
  const user = findUser(name);
  if (!user) throw new UserError(`--user ${JSON.stringify(name)}: no such user`, Exit.usage);
  return user;
}
