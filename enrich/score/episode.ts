import { createHash } from 'node:crypto';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import type { HostRef, ProcessRef } from '../event/endpoint-event.ts';
import { type BrowserVerdict, browserClass } from '../evidence/browser.ts';
import type { DestinationEntity } from '../evidence/destination.ts';
import { mergeStaging, type StagingStory } from '../evidence/merge-staging.ts';
import type { StagingFact } from '../evidence/staging.ts';
import type { Tables } from '../evidence/tables.ts';
import type { HostClocks } from '../join/clock.ts';
import { destinationOf } from '../join/destination-of.ts';
import { drillById, drillOfArchive, fitsDrill } from '../join/drill-mark.ts';
import { isEncrypted } from '../join/encrypted.ts';
import { hostShard, type JoinedBody } from '../join/facts.ts';
import { HostProcesses } from '../join/host-processes.ts';
import type { JoinResult } from '../join/join-flow.ts';
import { currentJoins } from '../join/learner.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import { tellerOf } from '../join/on-behalf.ts';
import type { Settings } from '../settings.ts';
import type { Fact, Store } from '../store/store.ts';
import { burstsOfHost } from './bursts.ts';
import { type DrillStory, type Group, grouped, mostBytes } from './episode-groups.ts';
import { type Baseline, baselineOf, metBefore } from './familiarity.ts';
import { type Fingerprint, fingerprintsOf } from './fingerprint.ts';
import type { Holder } from './holder.ts';
import { type Hours, hoursOf } from './hours.ts';
import { type Identities, identitiesOf } from './identities.ts';
import { type LinkedStaging, linkStory } from './linked-staging.ts';
import { lookedUpBy, lookedUpOnHost } from './look-up.ts';
import { type Rollout, rolloutOn, rolloutScope } from './rollout.ts';
import { holdersOfGroup, isBrowsing, type Suspect, suspectOf, withoutHolder } from './suspect.ts';
import { earlierVolumes } from './volume-history.ts';

/** Flows and staging facts of one host looked at in one scoring; the newest are kept. */
const MAX_FLOWS = 20_000;
const MAX_STAGING = 2_000;
/** Flows of one episode that its verdict lists; all are summed. */
export const LISTED_FLOWS = 50;
/** Days by which a host's habit of packing is judged. */
const HABIT_DAYS = 30;
const HABIT = HABIT_DAYS * 86_400_000_000;

export interface EpisodeFlow {
  readonly record: FlowRecord;
  readonly join: JoinResult;
  readonly start: number;
  readonly end: number;
}

/** One activity (host, process lineage, destination) within one horizon: what is scored. */
export interface Episode extends Identities {
  readonly id: string;
  /** Microseconds since 1970 UTC, by the sensor's clock; the window is as long as the horizon. */
  readonly windowStart: number;
  readonly host: HostRef;
  /** The process that sent most, merged from everything known; undefined when no join names one. */
  readonly process: ProcessInfo | undefined;
  /** `process` and its ancestors, nearest first. */
  readonly chain: readonly ProcessInfo[] | undefined;
  readonly browser: BrowserVerdict;
  /** Where no join names a process: the only one that held an archive when the flows began, with its ancestors. */
  readonly suspect: Suspect | undefined;
  readonly destination: DestinationEntity;
  /** By start, then id. */
  readonly flows: readonly EpisodeFlow[];
  /** Strongest link first is not assumed: by time, then id. */
  readonly staging: readonly LinkedStaging[];
  readonly baseline: Baseline;
  /** Whether the hour of the first flow is usual for its user or host. */
  readonly hours: Hours;
  /** Bytes that this program of this host sent to each destination on each of the days before. */
  readonly earlierVolumes: readonly number[];
  /** Bytes that it sent to this destination, on each of those days with any. */
  readonly earlierHere: readonly number[];
  readonly fingerprints: readonly Fingerprint[];
  /** Set when hosts enough met the destination with this program on this day. */
  readonly rollout: Rollout | undefined;
  /** Scope of that count; undefined for programs that can have no rollout. */
  readonly rolloutScope: string | undefined;
  /** Packings on this host per day, this episode's own horizon left out. */
  readonly archivesPerDay: number;
  /** Look-ups of the destination's name were seen; undefined when the host shows no look-ups at all. */
  readonly lookedUp: boolean | undefined;
  /** Probability of the attribution that carries the process evidence. */
  readonly joinProbability: number;
  /** Probability that this host made the flows, where their address is not of one host; else 1. */
  readonly hostProbability: number;
  /** Id of the announced drill that this is; undefined for everything else. */
  readonly drill: string | undefined;
}

/**
 * The candidate episodes of a host that touch [from, to]: flows that followed staging, grouped by lineage and destination.
 * Pure in what the store holds: the same facts give the same episodes, whatever part of them is asked for.
 */
export async function episodesOfHost(
  store: Store,
  clocks: HostClocks,
  hostId: string,
  from: number,
  to: number,
  settings: Settings,
): Promise<Episode[]> {
  const shard = hostShard(hostId);
  const horizon = settings.horizonMicros;
  const packed = await store.between(shard, 'staging', from - HABIT - 2 * horizon, to + horizon, MAX_STAGING);
  const heaps = await burstsOfHost(store, clocks, hostId, from - 2 * horizon, to + horizon);
  const facts = await Promise.all(packed.map((fact) => bySensorClock(fact, clocks, hostId)));
  const told = mergeStaging([...facts, ...heaps]);
  // Most hosts have packed nothing: their flows, of which there are many, need not be read.
  if (told.length === 0) return [];
  const known = await store.between(shard, 'joined', from - horizon, to + horizon, MAX_FLOWS);
  if (known.length === 0) return [];
  const joined = await currentJoins(clocks, hostId, known);
  const stories = await drillStories(store, told, joined);
  const processes = new HostProcesses(store, clocks, hostId);
  const groups = await grouped(joined, stories, processes, settings);
  const episodes: Episode[] = [];
  for (const group of groups) {
    // A window at the edge may have flows that were not read: it is looked at when it is asked for as a whole.
    if (group.windowStart > to || group.windowStart + horizon < from) continue;
    const own = stories.filter((story) => story.drill === group.drill);
    const holders = await holdersOfGroup(store, clocks, hostId, group, own, facts, joined);
    episodes.push(await assemble(store, clocks, hostId, group, own, holders, processes, settings));
  }
  return episodes.filter((episode) => episode.staging.length > 0);
}

/**
 * Says of each story which drill it is about: packed by nobody but the processes that made the drill's own connections.
 * What another process packs under the drill's name says as much as anything else does.
 */
function drillStories(
  store: Store,
  stories: readonly StagingStory[],
  joined: readonly Fact[],
): readonly DrillStory[] | Promise<readonly DrillStory[]> {
  const senders = new Set<string>();
  for (const { body } of joined) {
    const { drill, join } = body as JoinedBody;
    if (drill !== undefined && join.process) senders.add(`${drill}|${join.process.entityId}`);
  }
  if (senders.size === 0) return stories;
  return Promise.all(
    stories.map(async (story) => {
      const drill = story.archive && (await drillOfArchive(store, { ...story.archive, at: story.at }));
      const isItsOwn = story.processes.every(({ entityId }) => senders.has(`${drill?.id}|${entityId}`));
      return drill && isItsOwn ? { ...story, drill: drill.id } : story;
    }),
  );
}

/** The drill of a group whose connections together send no more than it was announced with. */
async function drillOf(store: Store, { drill: id, members }: Group): Promise<string | undefined> {
  const drill = id === undefined ? undefined : await drillById(store, id);
  const sent = members.reduce((sum, { flow }) => sum + flow.record.source.bytes, 0);
  return drill && fitsDrill(drill, sent) ? drill.id : undefined;
}

/** A staging fact with the learned error of its host's clock taken off. */
async function bySensorClock(fact: Fact, clocks: HostClocks, hostId: string): Promise<StagingFact> {
  const staging = fact.body as StagingFact;
  const { offset } = await clocks.of(hostId, fact.at);
  return offset === 0 ? staging : { ...staging, at: staging.at - offset };
}

async function assemble(
  store: Store,
  clocks: HostClocks,
  hostId: string,
  group: Group,
  stories: readonly StagingStory[],
  holders: ReadonlyMap<string, Holder>,
  processes: HostProcesses,
  settings: Settings,
): Promise<Episode> {
  const flows = group.members.map((m) => m.flow);
  const main = mostBytes(group.members.filter(({ flow }) => isEncrypted(flow.record)));
  const chain = main.chain;
  const process = chain?.[0];
  const host = main.flow.join.host ?? { id: hostId };
  // Of the names under one domain the one that got most bytes is the one that must be familiar.
  const destination = destinationOf(main.flow.record, settings.knowledge);
  const identities = identitiesOf(process);
  const { identity } = identities;
  const linked: LinkedStaging[] = [];
  for (const story of stories) {
    const staging = await linkStory(story, group.members, chain, processes, settings);
    const holder = holders.get(story.id);
    if (staging) linked.push(holder ? { ...staging, holder } : staging);
  }
  const first = flows[0]!;
  // How often this host packs, before the episode's own day.
  const habit = stories.filter(
    (s) => !isHeap(s) && s.at >= first.start - HABIT && s.at < first.start - settings.horizonMicros,
  );
  const baseline = await baselineOf(
    store,
    {
      ...{ hostId, identities, destination, at: first.start },
      ...(host.name === undefined ? {} : { hostName: host.name }),
      ...(process?.user ? { user: process.user } : {}),
    },
    settings,
  );
  // A place that the host met on earlier days explains itself.
  const held = metBefore(baseline, settings.model.novelty) ? linked.map(withoutHolder) : linked;
  const suspect = chain ? undefined : await suspectOf(held, main.flow.start, processes, settings);
  const fingerprints = await fingerprintsOf(
    store,
    identity,
    group.members.filter((m) => m.flow.join.method === 'tuple').map((m) => m.flow.record),
    baseline.day,
    settings.knowledge,
  );
  const { entity } = destination;
  const volumes = await earlierVolumes(store, clocks, hostId, process, baseline.day, entity, settings.knowledge);
  const scope = process
    ? rolloutScope((chain && tellerOf(chain)) ?? process, identity, destination.ladder.name, settings.knowledge)
    : undefined;
  return {
    id: episodeId(hostId, group),
    windowStart: group.windowStart,
    host,
    process,
    chain,
    browser: process ? browserOf(process, chain.slice(1), fingerprints, settings.knowledge) : browserClass(NOBODY),
    ...identities,
    destination,
    flows,
    suspect: isBrowsing(suspect) ? undefined : suspect,
    // A browser that opens an archive is at work that is not looked for here.
    staging: isBrowsing(suspect) ? held.map(withoutHolder) : held,
    baseline,
    hours: await hoursOf(
      store,
      { hostId, at: first.start, ...(process?.user ? { user: process.user } : {}) },
      settings.model.novelty,
    ),
    earlierVolumes: volumes.sums,
    earlierHere: volumes.here,
    fingerprints,
    rollout: await rolloutOn(store, scope, baseline.day),
    rolloutScope: scope,
    archivesPerDay: habit.length / Math.max(1, Math.min(HABIT_DAYS, baseline.days)),
    lookedUp: lookedUpBy(main.flow.record, await lookedUpOnHost(store, clocks, hostId, main.flow)),
    joinProbability: main.flow.join.probability,
    hostProbability: main.flow.join.hosts?.find((each) => each.host.id === hostId)?.probability ?? 1,
    drill: await drillOf(store, group),
  };
}

/** Heaps are read for the days at hand only, so a habit is not counted by them. */
const isHeap = (story: StagingStory): boolean =>
  story.kinds.every((kind) => kind === 'burst' || kind === 'bulk-read') && story.archive === undefined;

const NOBODY: ProcessRef = { entityId: '', entityKind: 'none' };

/** One handshake of another library than the browser's is enough to doubt it. */
function browserOf(
  process: ProcessInfo,
  ancestors: readonly ProcessInfo[],
  fingerprints: readonly Fingerprint[],
  tables: Tables,
): BrowserVerdict {
  const plain = browserClass(process, ancestors, {}, tables);
  for (const { family } of fingerprints) {
    if (family === undefined) continue;
    const doubted = browserClass(process, ancestors, { ja4Family: family }, tables);
    if (doubted.class !== plain.class) return doubted;
  }
  return plain;
}

/** Stable: what the episode is about, and its window. */
function episodeId(hostId: string, { root, entity, window, drill }: Group): string {
  const about = JSON.stringify([hostId, root, entity, window, ...(drill === undefined ? [] : [drill])]);
  return `wb-${createHash('sha256').update(about).digest('hex').slice(0, 16)}`;
}
