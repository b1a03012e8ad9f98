/** Facts of many hosts as the feeds of those hosts: JSON lines of three shapes, and event XML of the fourth. */
import { elasticDefendLine, type FeedLine } from './elastic-defend.ts';
import type { Fact } from './facts.ts';
import type { Host } from './hosts.ts';
import { type SysmonEvent, sysmonEvents } from './sysmon-fields.ts';
import { eventXmlLine, nxlogLine, winlogbeatLine } from './sysmon-writers.ts';

type SysmonWriter = (host: Host, event: SysmonEvent, record: number) => string;

const SYSMON_WRITERS: ReadonlyMap<string, SysmonWriter> = new Map([
  ['winlogbeat', winlogbeatLine],
  ['nxlog', nxlogLine],
  ['event-xml', eventXmlLine],
]);

export interface Feeds {
  readonly jsonLines: readonly string[];
  readonly xmlLines: readonly string[];
}

/** @param firstRecord record numbers go on from here, so that files of one host do not repeat them */
export function writeFeeds(facts: readonly Fact[], firstRecord: number): Feeds {
  const json: FeedLine[] = [];
  const xml: FeedLine[] = [];
  let record = firstRecord;
  for (const fact of facts.toSorted((a, b) => a.at - b.at)) {
    const { host } = fact.process;
    const writer = SYSMON_WRITERS.get(host.feed);
    if (writer === undefined) {
      json.push(elasticDefendLine(fact, record++));
      continue;
    }
    for (const event of sysmonEvents(fact)) {
      (host.feed === 'event-xml' ? xml : json).push({ at: event.at, text: writer(host, event, record++) });
    }
  }
  const lines = (list: FeedLine[]): string[] => list.sort((a, b) => a.at - b.at).map(({ text }) => text);
  return { jsonLines: lines(json), xmlLines: lines(xml) };
}
