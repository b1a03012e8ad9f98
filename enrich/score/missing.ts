import { maturity } from '../evidence/novelty.ts';
import { isEncrypted } from '../join/encrypted.ts';
import type { Settings } from '../settings.ts';
import type { Episode } from './episode.ts';
import { weaken } from './weaken.ts';

/** Days of a baseline below which an alert says how young it is. */
const YOUNG_DAYS = 7;

/** What could not be seen, one sentence each. Never scored: neither as innocence nor as guilt. */
export function missing(episode: Episode): string[] {
  const reasons: string[] = [];
  const { process, flows, baseline, staging, hours } = episode;
  if (!process) {
    const { candidates } = flows[0]!.join;
    const several = candidates.length > 1 ? `: ${candidates.length} candidates, none named` : '';
    reasons.push(`no endpoint event names the process that opened the connection${several}`);
  } else {
    if (!process.started) reasons.push('the start of the process was not seen: command line and parent may be unknown');
    if (process.signatureStatus === undefined) reasons.push('the feed gives no signature of the program');
  }
  if (episode.hostProbability < 1)
    reasons.push('the connection came from an address that is not of one host: another one may have made it');
  if (!hasSize(episode)) reasons.push('no archive size is known: bytes sent cannot be compared with bytes packed');
  if (sentLess(episode)) {
    reasons.push(
      'much less was sent than was packed: what left for elsewhere, or in plain text past this sensor, is not counted',
    );
  }
  if (staging.every(({ link }) => link === 'host'))
    reasons.push('nothing but the host ties the packing to the sending');
  if (baseline.orgDays < YOUNG_DAYS) {
    reasons.push(`the baseline is ${baseline.orgDays} days old: little can be called unfamiliar`);
  }
  if (hours.days === 0) reasons.push(`no history of this ${hours.whose}: its usual hours are not known`);
  if (flows.some((f) => f.record.destination.domain === undefined && isEncrypted(f.record)))
    reasons.push('a connection names no server (no SNI)');
  if (flows.some((f) => f.record.tls?.client?.ech === 'outer'))
    reasons.push('ECH: the visible server name may be an outer one');
  if (flows.some((f) => !f.record.waybill.bytes_exact))
    reasons.push('packets were missing: some byte counts are from sequence numbers');
  if (flows.every((f) => f.record.tls?.server?.subject === undefined)) {
    reasons.push('no certificate was visible (TLS 1.3, resumption or QUIC)');
  }
  if (episode.lookedUp === undefined) reasons.push('the host shows no DNS look-ups');
  return reasons;
}

/** The largest archive of the episode is more than twice of what it sent. */
const sentLess = ({ staging, flows }: Episode): boolean =>
  Math.max(0, ...staging.map((s) => s.story.archive?.size ?? 0)) >
  2 * flows.reduce((sum, f) => sum + f.record.source.bytes, 0);

const hasSize = ({ staging }: Episode): boolean => staging.some((s) => s.story.archive?.size !== undefined);

/**
 * The highest score that the telemetry at hand could have given: each group up to its cap, or to what is left of it
 * without the evidence that nothing here could show.
 */
export function attainable(episode: Episode, historyDays: number, { model: w, score }: Settings): number {
  const { groups, novelty, link, time, volume, context } = w;
  const { process, suspect, hours, earlierVolumes, flows, staging } = episode;
  const m = maturity(historyDays, novelty);
  const direction = volume.pcrHigh + volume.chunk + volume.zCap;
  const certificates = flows.some((f) => f.record.tls?.server?.subject !== undefined);
  const held = staging.some(({ holder }) => holder !== undefined);
  const withoutProcess = (held ? weaken(link.referenced, link.holderShare) : link.unknown) + time.ceiling + w.traitCap;
  const hoursKnown = hours.days >= context.hoursDays;
  const most = {
    novelty: (novelty.rung.F0 + novelty.correctionUp) * m,
    staging: process ? groups.staging.cap : withoutProcess,
    volume: hasSize(episode) ? groups.volume.cap : direction,
    process: process || suspect ? groups.process.cap : 0,
    tls: certificates ? groups.tls.cap : w.tls.addressWithoutName + w.tls.nameWithoutLookup + w.tls.fileSharing,
    context:
      (hoursKnown ? context.offHours : 0) +
      (process ? context.noSession : 0) +
      (earlierVolumes.length > 0 ? context.mostEver : 0),
  };
  const odds = 10 * Math.log10(score.prior / (1 - score.prior));
  return (Object.keys(most) as (keyof typeof most)[]).reduce(
    (sum, group) => sum + Math.min(groups[group].cap, most[group]),
    odds,
  );
}
