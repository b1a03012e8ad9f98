import { ROBUST_Z_MIN_SAMPLE } from '../evidence/pcr.ts';
import { isSignedAgent } from '../evidence/uploader.ts';
import { isSessionRoot, type ProcessInfo } from '../join/lineage.ts';
import type { Settings } from '../settings.ts';
import type { Episode } from './episode.ts';
import { formatBytes } from './format.ts';
import type { Hours } from './hours.ts';
import type { Term } from './verdict.ts';

/** At whose start a person sits before the screen. */
const DESKTOP = /[\\/](explorer|userinit|winlogon)\.exe$/i;
const SERVICE_USERS = new Set(['s-1-5-18', 's-1-5-19', 's-1-5-20']);

/** Circumstances: the hour, whether anybody is there, and whether this program ever sent so much. */
export function contextTerms(episode: Episode, sent: number, { model, knowledge }: Settings): Term[] {
  const w = model.context;
  const terms: Term[] = [];
  const add = (name: string, db: number, detail: string) =>
    terms.push({ group: 'T', name, db, detail, evidence: [episode.flows[0]!.record.waybill.flow_id] });
  const unusual = unusualTime(episode.hours, w);
  if (unusual !== undefined) add('off_hours', w.offHours, unusual);
  const { chain, process, earlierVolumes } = episode;
  if (process && chain && sessionOf(chain) === 'none' && !isSignedAgent(process, knowledge)) {
    add('no_session', w.noSession, 'it runs where nobody is logged on, and is no signed service');
  }
  const most = Math.max(0, ...earlierVolumes);
  if (earlierVolumes.length >= ROBUST_Z_MIN_SAMPLE && sent > w.mostEverTimes * most) {
    const before = `never more than ${formatBytes(most)} in ${earlierVolumes.length} sums before`;
    add('most_ever', w.mostEver, `this program sent ${formatBytes(sent)} to one place, ${before}`);
  }
  return terms;
}

function unusualTime(hours: Hours, w: Settings['model']['context']): string | undefined {
  const { whose, days, hour, weekday, isUsualHour, isUsualWeekday } = hours;
  if (days >= w.hoursDays && !isUsualHour) {
    return `${String(hour).padStart(2, '0')}:00 UTC and the hours beside it: no traffic of this ${whose} on ${days} days before`;
  }
  if (days >= w.weekdayDays && !isUsualWeekday) {
    return `${weekday} (UTC): no traffic of this ${whose} on ${days} days before`;
  }
  return undefined;
}

/**
 * Whether a desktop stands behind a process: its lineage reaches one, or it ends at what starts services, or it runs as
 * the system. Undefined when the lineage shows neither.
 */
export function sessionOf(chain: readonly ProcessInfo[]): 'desktop' | 'none' | undefined {
  if (chain.some((process) => DESKTOP.test(process.image ?? ''))) return 'desktop';
  if (SERVICE_USERS.has(chain[0]?.user?.id?.toLowerCase() ?? '')) return 'none';
  return chain.slice(1).some(isSessionRoot) ? 'none' : undefined;
}
