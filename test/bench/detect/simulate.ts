/** The simulated organisation, day by day: what arrives at the service, and beside it the truth. */
import { poisson, streamOf, uniform } from './chance.ts';
import { COMMON_HABITS, type Habit } from './common-habits.ts';
import { Heist } from './heist.ts';
import { isNew, NEW_DAYS } from './new-hosts.ts';
import { rollout, rolloutsOn } from './ordinary-work.ts';
import { type Host, type Organisation, organisation } from './organisation.ts';
import { ROLE_HABITS } from './role-work.ts';
import { type Arrival, DAY, FIRST_DAY, Scene } from './scene.ts';
import { THEFT_KINDS, type TheftKind } from './theft-kinds.ts';
import { BLIND_SPOTS, type BlindSpot, newTruth, type Theft, type Truth } from './truth.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly hosts: number;
  readonly days: number;
  /** Thefts planted; kinds in turn. */
  readonly thefts: number;
  /** Days before the first theft, in which the baseline grows. */
  readonly warmUp: number;
  /** Laptops given out after the warm-up, on working days; some of the thefts are from them. By default none. */
  readonly newHosts?: number;
}

export interface Simulation {
  readonly organisation: Organisation;
  readonly truth: Truth;
  /** What arrives on each day, by time of arrival; the last batch is what comes after the last day. */
  readonly batches: Iterable<readonly Arrival[]>;
}

interface Plan {
  readonly theft: Theft;
  readonly kind: TheftKind;
  readonly host: Host;
  readonly day: number;
}

const HABITS: readonly Habit[] = [...COMMON_HABITS, ...ROLE_HABITS];
/** Share of a work day's work that is done on a day off. */
const WEEKEND = 0.06;
const ABSENT = 0.12;
/** Of so many thefts one is from a new host, where there are any. */
const FROM_NEW = 5;

export function simulate(options: SimulationOptions): Simulation {
  const { seed, hosts, days, warmUp, newHosts = 0 } = options;
  const org = organisation(seed, hosts, { count: newHosts, from: warmUp, to: days - 2 });
  const truth = newTruth();
  const plans = planThefts(options, org);
  truth.thefts.push(...plans.map(({ theft }) => theft));
  return { organisation: org, truth, batches: batches(options, org, plans, truth) };
}

function* batches(
  options: SimulationOptions,
  org: Organisation,
  plans: readonly Plan[],
  truth: Truth,
): Generator<readonly Arrival[]> {
  let waiting: Arrival[] = [];
  for (let day = 0; day < options.days; day++) {
    for (const host of org.hosts) workDay(org, host, day, waiting, truth);
    for (const plan of plans) stealOn(org, plan, day, waiting, truth);
    const end = FIRST_DAY + (day + 1) * DAY;
    const due = waiting.filter(({ at }) => at < end).sort(byArrival);
    waiting = waiting.filter(({ at }) => at >= end);
    yield due;
  }
  yield waiting.sort(byArrival);
}

const byArrival = (a: Arrival, b: Arrival): number => a.at - b.at || a.host - b.host;

const isWeekend = (day: number): boolean => day % 7 >= 5;

/** A host that is away (a laptop on leave) or switched off does nothing. */
function isUp(org: Organisation, host: Host, day: number): boolean {
  if (day < host.issued) return false;
  if (host.role === 'server') return true;
  const chance = streamOf(org.seed, 'up', host.index, day);
  if (isWeekend(day)) return chance.chance(0.25);
  return !(host.laptop && chance.chance(ABSENT));
}

function workDay(org: Organisation, host: Host, day: number, arrivals: Arrival[], truth: Truth): void {
  if (!isUp(org, host, day)) return;
  const scene = new Scene(org, host, day, arrivals, truth);
  for (const [index, habit] of HABITS.entries()) {
    const own = streamOf(org.seed, 'habit', host.index, index);
    if (!own.chance(habit.hosts ?? 1)) continue;
    // People differ: some do a thing twice as often as others.
    const eager = 0.4 + 1.2 * uniform(own);
    const quiet = habit.when === 'work' && isWeekend(day) ? WEEKEND : 1;
    const times = poisson(scene.random, (habit.rate[host.role] ?? 0) * eager * quiet);
    scene.activity = habit.kind;
    for (let i = 0; i < times; i++) habit.act(scene, timeOf(scene, habit.when));
  }
  for (const { number, share } of rolloutsOn(org.seed, day)) {
    if (streamOf(org.seed, number, host.index).chance(share)) {
      scene.activity = 'roll-out';
      rollout(scene, timeOf(scene, 'on'), number);
    }
  }
  scene.finish();
}

function timeOf(scene: Scene, when: Habit['when']): number {
  const { random } = scene;
  const server = scene.host.role === 'server';
  if (when === 'night') return scene.hour(server ? 4 + 2 * uniform(random) : 17.5 + uniform(random));
  if (when === 'on') return scene.hour(server ? 4 + 19 * uniform(random) : 7.6 + 10.5 * uniform(random));
  return scene.hour(8 + 5 * (uniform(random) + uniform(random)));
}

/** Kinds in turn; every second one with all evidence there is, the others with the blind spots in turn. */
function planThefts({ seed, days, thefts, warmUp }: SimulationOptions, org: Organisation): Plan[] {
  const random = streamOf(seed, 'thefts');
  const turning = BLIND_SPOTS.slice(1, BLIND_SPOTS.indexOf('browser'));
  const used = new Set<number>();
  const offset = random.below(THEFT_KINDS.length * turning.length);
  let turn = random.below(turning.length);
  return Array.from({ length: thefts }, (_, i) => {
    const at = i + offset;
    const kind = THEFT_KINDS[at % THEFT_KINDS.length]!;
    const whole = ((at % THEFT_KINDS.length) + Math.floor(at / THEFT_KINDS.length)) % 2 === 0;
    const blindSpot = kind.blindSpot ?? (whole ? 'full' : turning[turn++ % turning.length]!);
    const host = victim(org, blindSpot, i % FROM_NEW === FROM_NEW - 1, used, random.next());
    used.add(host.index);
    const length = kind.days ?? 1;
    const from = Math.max(warmUp, host.issued);
    const latest = Math.max(1, days - from - length);
    const day = from + random.below(host.issued > 0 ? Math.min(NEW_DAYS, latest) : latest);
    const onNewHost = isNew(host, day);
    const theft: Theft = { id: `t${seed}-${i}`, kind: kind.kind, blindSpot, host: host.index, onNewHost, sent: [] };
    return { theft, kind, host, day };
  });
}

/** A host on which the evidence is there, or is missing, as the blind spot says; not robbed before while there are others. */
function victim(org: Organisation, spot: BlindSpot, fromNew: boolean, used: ReadonlySet<number>, number: number): Host {
  const all = org.hosts.filter((host) => suits(host, spot));
  const wanted = all.filter(({ issued }) => issued > 0 === fromNew);
  const fits = wanted.length > 0 ? wanted : all;
  const fresh = fits.filter(({ index }) => !used.has(index));
  const from = fresh.length > 0 ? fresh : fits.length > 0 ? fits : org.hosts;
  return from[number % from.length]!;
}

function suits(host: Host, spot: BlindSpot): boolean {
  const skewed = Math.abs(host.skewSeconds) > 5;
  const { feed } = host;
  if (spot === 'pids only') return feed.feed === 'security';
  if (spot === 'no endpoint feed') return feed.feed === 'none';
  if (spot === 'wrong clock') return skewed && feed.files;
  if (spot === 'explicit proxy') return host.segment === 'proxied' && feed.sizes && feed.files;
  if (spot === 'address translation') return host.segment === 'translated' && feed.feed !== 'none';
  const seen = host.segment === 'plain' && !skewed && feed.files && feed.feed !== 'none';
  return spot === 'no size' ? seen && !feed.sizes : seen && feed.sizes;
}

function stealOn(
  org: Organisation,
  { theft, kind, host, day: first }: Plan,
  day: number,
  arrivals: Arrival[],
  truth: Truth,
): void {
  const last = first + (kind.days ?? 1) - 1;
  if (day < first || day > last) return;
  const scene = new Scene(org, host, day, arrivals, truth, theft.id);
  scene.activity = kind.kind;
  scene.theft = theft;
  scene.blindSpot = theft.blindSpot;
  const hour = kind.offHours ? 0.5 + 3 * uniform(scene.random) : 9 + 6 * uniform(scene.random);
  const heist = new Heist(scene, scene.hour(hour));
  kind.play(heist, day - first);
  scene.finish();
}
