/**
 * What the parsing process and the capture launcher say to each other.
 *
 * The launcher keeps the privilege to capture. It is told everything when it is started and takes only the four words of
 * `LauncherOrder` afterwards, so whoever takes over the parsing process can make it do nothing new.
 *
 * Packets go another way: the capture programs, one after the other, write pcap into one pipe. When a program has ended,
 * the launcher writes the marker into the pipe and says `ended`; the next program starts only after `drained`. So each
 * program's bytes are told apart even when it was killed in the middle of a packet.
 */
export const DRIVERS = ['tcpdump', 'dumpcap', 'cap'] as const;

export type Driver = (typeof DRIVERS)[number];

export interface CaptureRequest {
  readonly driver: Driver;
  readonly interface: string;
  /** pcap-filter(7) expression; empty for everything. */
  readonly filter: string;
  /** Bytes kept of each packet; `cap` keeps 65,535 whatever is asked. */
  readonly snaplen: number;
  /** Kernel buffer, KiB. */
  readonly bufferKiB: number;
  readonly promiscuous: boolean;
  /** Whom a capture program becomes once the interface is open; absent when we are not root. */
  readonly user: UserIds | undefined;
  /** MARKER_BYTES bytes in hexadecimal, unknown to the network. */
  readonly marker: string;
}

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

export const MARKER_BYTES = 32;

export type LauncherOrder =
  /** The bytes of the program that ended have been read. */
  | 'drained'
  /** End the program and start it at once. */
  | 'reopen'
  /** The program writes what cannot be read: the same, as after a failure. */
  | 'replace'
  | 'stop';

export type LauncherReport =
  /** Packets of a new capture program follow. */
  | { readonly is: 'listening' }
  /** The kernel did not take the filter: libpcap filters after every packet was copied. */
  | { readonly is: 'filtering late' }
  /** Counted by the kernel since this program began. */
  | { readonly is: 'counts'; readonly received: number; readonly dropped: number }
  | { readonly is: 'ended'; readonly end: CaptureEnd };

/** How a capture program ended. */
export interface CaptureEnd {
  /** It had been listening: then it is worth trying again. */
  readonly listened: boolean;
  readonly code: number | null;
  readonly signal: string | null;
  /** Error code of the operating system when it could not be started, e.g. ENOENT. */
  readonly startError: string | undefined;
  /** Last lines it wrote to standard error, at most STDERR_CHARS. */
  readonly said: string;
}

export const STDERR_CHARS = 1_000;

export const isLauncherOrder = (value: unknown): value is LauncherOrder =>
  value === 'drained' || value === 'reopen' || value === 'replace' || value === 'stop';
