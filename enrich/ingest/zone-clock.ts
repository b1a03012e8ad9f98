import type { ClockSource } from './reading.ts';

const STEP_MICROS = 15 * 60 * 1_000_000;
const HOUR_MICROS = 3600 * 1_000_000;
/** Zones lie between UTC-12 and UTC+14; a greater distance is no zone. */
const MAX_STEPS = 14 * 4;
/** Most (sender, host) pairs, and hours of each, that offsets are learned for. */
const MAX_CLOCKS = 20_000;
const MAX_HOURS = 4_000;
/** Votes that make one hour's offset believable against the rest of the recording (daylight saving). */
const HOUR_QUORUM = 3;
/** A change of offset reaches at most this far beyond the hour that shows it. */
const HOUR_REACH = 48;

type Votes = Map<number, number>;

interface Learned {
  readonly all: Votes;
  readonly hours: Map<number, Votes>;
  readonly winners: Map<number, number | undefined>;
}

/**
 * Learns how far the log clock of each (sender, host) is from UTC, from records that carry both (FEEDS 11.3): their distance,
 * rounded to a quarter of an hour, is a vote. The answer depends on the set of votes and not on their order: the majority of
 * the nearest hour that has enough of them, else of the host, else of the sender.
 */
export class ZoneClock {
  private readonly clocks = new Map<string, Learned>();

  /** One record's log time beside its UTC time, both in microseconds. */
  observe(source: Pick<ClockSource, 'sender' | 'host'>, local: number, utc: number): void {
    const steps = Math.round((local - utc) / STEP_MICROS);
    if (Math.abs(steps) > MAX_STEPS) return;
    const hour = Math.floor(local / HOUR_MICROS);
    for (const key of [hostKey(source), senderKey(source)]) {
      const learned = this.learned(key);
      if (!learned) continue;
      vote(learned.all, steps);
      learned.winners.clear();
      const votes = learned.hours.get(hour) ?? new Map<number, number>();
      if (votes.size === 0 && learned.hours.size >= MAX_HOURS) continue;
      learned.hours.set(hour, votes);
      vote(votes, steps);
    }
  }

  /** Microseconds to take from a log time to get UTC; undefined when nothing is known of this clock. */
  offset(source: Pick<ClockSource, 'sender' | 'host'>, local: number): number | undefined {
    const learned = this.clocks.get(hostKey(source)) ?? this.clocks.get(senderKey(source));
    if (!learned) return undefined;
    const hour = Math.floor(local / HOUR_MICROS);
    if (learned.all.size === 1) return (winner(learned.all) ?? 0) * STEP_MICROS;
    if (!learned.winners.has(hour)) learned.winners.set(hour, nearestWinner(learned, hour));
    return (learned.winners.get(hour) ?? 0) * STEP_MICROS;
  }

  private learned(key: string): Learned | undefined {
    const found = this.clocks.get(key);
    if (found || this.clocks.size >= MAX_CLOCKS) return found;
    const fresh: Learned = { all: new Map(), hours: new Map(), winners: new Map() };
    this.clocks.set(key, fresh);
    return fresh;
  }
}

const hostKey = (source: { sender: string; host: string }): string => JSON.stringify([source.sender, source.host]);
const senderKey = (source: { sender: string }): string => JSON.stringify([source.sender]);

const vote = (votes: Votes, steps: number): void => {
  votes.set(steps, (votes.get(steps) ?? 0) + 1);
};

/** Most votes; of equals the one nearer to UTC, then the smaller. */
function winner(votes: Votes): number | undefined {
  let best: number | undefined;
  let count = 0;
  for (const [steps, votesFor] of votes) {
    const isBetter =
      votesFor > count ||
      (votesFor === count &&
        best !== undefined &&
        (Math.abs(steps) < Math.abs(best) || (Math.abs(steps) === Math.abs(best) && steps < best)));
    if (isBetter) {
      best = steps;
      count = votesFor;
    }
  }
  return best;
}

function nearestWinner(learned: Learned, hour: number): number | undefined {
  let nearest: Votes | undefined;
  let distance = HOUR_REACH + 1;
  let side = 0;
  for (const [votedHour, votes] of learned.hours) {
    const away = Math.abs(votedHour - hour);
    const isNearer = away < distance || (away === distance && votedHour < side);
    if (!isNearer || total(votes) < HOUR_QUORUM) continue;
    nearest = votes;
    distance = away;
    side = votedHour;
  }
  return winner(nearest ?? learned.all);
}

const total = (votes: Votes): number => [...votes.values()].reduce((sum, count) => sum + count, 0);
