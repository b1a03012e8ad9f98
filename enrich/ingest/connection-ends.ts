import { canonicalIp, isGroupAddress } from './ip-text.ts';
import { shortHostName } from './reading.ts';

export interface End {
  /** Canonical text; empty when the feed does not know. */
  readonly ip: string;
  /** 0 = unknown. */
  readonly port: number;
}

export const end = (ip: string | undefined, port: number): End => ({ ip: canonicalIp(ip) ?? '', port });

export const transportOf = (value: string | undefined): 'tcp' | 'udp' | 'other' => {
  const word = value?.trim().toLowerCase();
  if (word === 'tcp' || word === '6' || word === 'tcpv4' || word === 'tcpv6') return 'tcp';
  return word === 'udp' || word === '17' || word === 'udpv4' || word === 'udpv6' ? 'udp' : 'other';
};

/** What helps to tell which end opened a connection that was reported as not initiated by this host. */
export interface InboundHints {
  readonly computer: string | undefined;
  /** Reverse look-ups of the two ends; good for no more than recognising the host's own name. */
  readonly sourceName: string | undefined;
  readonly destinationName: string | undefined;
  /** What `source` means when nothing else tells: the local end (Sysmon until 2019) or the initiator (since 2020). */
  readonly sourceIs: 'local' | 'initiator';
}

const WELL_KNOWN_BELOW = 1024;

/**
 * Source and destination of an inbound connection with `source` the initiator. Sysmon changed what it calls source between
 * versions and says nothing of it in the record (FEEDS 11.6), so this asks, in order: can this end initiate at all, is
 * this end this host by name, is exactly one port a well-known service, and last the age of the recording.
 */
export function inboundEnds(source: End, destination: End, hints: InboundHints): { source: End; destination: End } {
  const swapped = { source: destination, destination: source };
  const kept = { source, destination };
  if (isGroupAddress(source.ip) !== isGroupAddress(destination.ip)) return isGroupAddress(source.ip) ? swapped : kept;

  const self = hints.computer === undefined ? undefined : shortHostName(hints.computer);
  const sourceIsSelf = self !== undefined && hints.sourceName !== undefined && shortHostName(hints.sourceName) === self;
  const destinationIsSelf =
    self !== undefined && hints.destinationName !== undefined && shortHostName(hints.destinationName) === self;
  if (sourceIsSelf !== destinationIsSelf) return sourceIsSelf ? swapped : kept;

  const sourceIsService = source.port > 0 && source.port < WELL_KNOWN_BELOW;
  const destinationIsService = destination.port > 0 && destination.port < WELL_KNOWN_BELOW;
  if (sourceIsService !== destinationIsService) return sourceIsService ? swapped : kept;
  return hints.sourceIs === 'local' ? swapped : kept;
}
