import type { UserRef } from '../event/endpoint-event.ts';
import { knownBy } from '../evidence/novelty.ts';
import type { NoveltyWeights } from '../evidence/weights.ts';
import type { FamiliarityKey, Store } from '../store/store.ts';

const HOUR = 3_600_000_000;
const HISTORY_DAYS = 30;
const WEEKDAYS = ['Thursday', 'Friday', 'Saturday', 'Sunday', 'Monday', 'Tuesday', 'Wednesday'];
/** Accounts that no person uses: their hours are the machine's. */
const MACHINE = /^s-1-5-(18|19|20)$/;

/** How an hour fits what its user, or host, did on the days before. All of it in UTC, so that no time zone is asked for. */
export interface Hours {
  readonly whose: 'user' | 'host';
  /** Distinct days with traffic in the last 30. */
  readonly days: number;
  /** Of the UTC day, 0 to 23. */
  readonly hour: number;
  readonly weekday: string;
  /** Traffic was seen in this hour, or the one before or after it (clocks change by an hour). */
  readonly isUsualHour: boolean;
  readonly isUsualWeekday: boolean;
}

const personOf = (user: UserRef | undefined): string | undefined => {
  const sid = user?.id?.toLowerCase();
  return sid === undefined || MACHINE.test(sid) || !sid.startsWith('s-1-') ? undefined : sid;
};

const scopeOf = (hostId: string, user: UserRef | undefined): string => {
  const person = personOf(user);
  return person === undefined ? `hours:host:${hostId}` : `hours:user:${person}`;
};
const hourOf = (at: number): number => Math.floor(at / HOUR) % 24;
const weekdayOf = (at: number): number => Math.floor(at / (24 * HOUR)) % 7;

/** What one flow teaches of the hours of its user, or of its host where no person is known. */
export function hoursKeys(hostId: string, user: UserRef | undefined, at: number): FamiliarityKey[] {
  const scope = scopeOf(hostId, user);
  return [
    { scope, destination: `hour:${hourOf(at)}` },
    { scope, destination: `weekday:${weekdayOf(at)}` },
  ];
}

/** Reads what was usual at the end of the day before. */
export async function hoursOf(
  store: Store,
  { hostId, user, at }: { readonly hostId: string; readonly user?: UserRef; readonly at: number },
  weights: NoveltyWeights,
): Promise<Hours> {
  const scope = scopeOf(hostId, user);
  const [hour, weekday] = [hourOf(at), weekdayOf(at)];
  const yesterday = Math.floor(at / (24 * HOUR)) - 1;
  const near = [hour, (hour + 1) % 24, (hour + 23) % 24].map((each) => ({ scope, destination: `hour:${each}` }));
  const known = await store.familiarity([...near, { scope, destination: `weekday:${weekday}` }]);
  const met = known.map((each) => knownBy(each, yesterday, weights).met);
  const days = await store.novelty(scope, yesterday - HISTORY_DAYS + 1, yesterday);
  return {
    whose: personOf(user) === undefined ? 'host' : 'user',
    days: days.length,
    hour,
    weekday: WEEKDAYS[weekday]!,
    isUsualHour: met.slice(0, 3).includes(true),
    isUsualWeekday: met[3] === true,
  };
}
