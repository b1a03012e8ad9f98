import type { Store } from '../store/store.ts';
import type { AlertIndex } from './alert-index.ts';
import { isoOf, type SeenHost, type TrafficScan } from './traffic-scan.ts';
import type { HealthAnswer, HealthRow } from './view.ts';

/** Endpoint events this much behind the flows of their host mean a feed that stopped or lags, microseconds. */
const LATE_FEED = 3_600_000_000;

export interface ConsoleCounters {
  /** Things the browser's content policy stopped and reported. */
  policyReports: number;
  refused: number;
}

export interface HealthSources {
  readonly store: Store;
  readonly alerts: AlertIndex;
  readonly scan: TrafficScan;
  readonly counters: ConsoleCounters;
  /** Sections of the program around the console. */
  readonly more?: () => HealthAnswer['sections'];
}

export async function healthOf({ store, alerts, scan, counters, more }: HealthSources): Promise<HealthAnswer> {
  const traffic = await scan.traffic();
  const list = await alerts.list({ text: '', tier: '', state: 'all', sort: 'rank', offset: 0, limit: 1 });
  const { evictedFacts, droppedSightings, evictedAlerts } = store.counters();
  return {
    sections: [
      {
        title: 'What can be seen',
        rows: [
          ...sight(traffic.hosts),
          fact('Alerts in the store', list.known, list.capped ?? `${list.open} not decided yet`),
        ],
      },
      {
        title: 'What the store had to give up',
        rows: [
          loss('Facts pushed out', evictedFacts, 'A host had more of one kind than the store keeps; its oldest went.'),
          loss('Sightings not kept', droppedSightings, 'A scope met too many new destinations in one day.'),
          loss('Alerts pushed out', evictedAlerts, 'The store held its most; the oldest went.'),
        ],
      },
      {
        title: 'This console',
        rows: [
          loss(
            'Content policy reports',
            counters.policyReports,
            'The browser stopped something on this page: look why.',
          ),
          loss('Requests refused', counters.refused, 'Wrong token, wrong host name, or another site.'),
        ],
      },
      ...(more?.() ?? []),
    ],
  };
}

function sight(hosts: readonly SeenHost[]): HealthRow[] {
  const flows = hosts.reduce((sum, h) => sum + h.looked, 0);
  const named = hosts.reduce((sum, h) => sum + h.named, 0);
  const silent = hosts.filter((h) => h.processEvents === 0);
  const late = hosts.filter(
    (h) => h.lastFlow !== undefined && h.lastEvent !== undefined && h.lastFlow - h.lastEvent > LATE_FEED,
  );
  const gaps = hosts.reduce((sum, h) => sum + h.gaps, 0);
  return [
    fact('Hosts', hosts.length, 'Hosts with joined flows or process events.'),
    {
      name: 'Flows that name their process',
      value: flows === 0 ? 'no flows yet' : `${named} of ${flows} (${Math.floor((100 * named) / flows)} %)`,
      note: 'The rest have no endpoint event that fits: no agent, or an agent that does not report connections.',
      state: flows > 0 && named < flows / 2 ? 'look' : 'fine',
    },
    loss(
      'Hosts without process events',
      silent.length,
      namesOf(silent) || 'Every host with flows has an endpoint feed.',
    ),
    loss(
      'Hosts whose feed is behind',
      late.length,
      namesOf(late) || 'No host has flows over an hour newer than its events.',
    ),
    loss('Gaps reported by feeds', gaps, 'Times in which an agent says it was off, or sent faster than it may.'),
    fact('Newest flow', newest(hosts.map((h) => h.lastFlow)), 'Its start in UTC, by the sensor.'),
    fact('Newest endpoint event', newest(hosts.map((h) => h.lastEvent)), 'In UTC, by the host’s own clock.'),
  ];
}

const LISTED_NAMES = 8;
const namesOf = (hosts: readonly SeenHost[]): string =>
  hosts
    .slice(0, LISTED_NAMES)
    .map((h) => h.name)
    .join(', ') + (hosts.length > LISTED_NAMES ? ', …' : '');

function newest(times: readonly (number | undefined)[]): string {
  const latest = times.reduce<number | undefined>(
    (a, b) => (b !== undefined && (a === undefined || b > a) ? b : a),
    undefined,
  );
  return isoOf(latest)?.slice(0, 19).replace('T', ' ') ?? 'none yet';
}

const fact = (name: string, value: number | string, note: string): HealthRow => ({
  name,
  value: String(value),
  note,
  state: 'fact',
});

const loss = (name: string, value: number, note: string): HealthRow => ({
  name,
  value: String(value),
  note,
  state: value > 0 ? 'look' : 'fine',
});
