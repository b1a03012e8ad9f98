import type { MetricSpec } from '../../sensor/base/metrics.ts';
import type { Store } from '../store/store.ts';
import type { HttpCounters } from './http-server.ts';
import type { Inbox } from './inbox.ts';
import type { Outputs } from './outputs/outputs.ts';
import type { Receiver } from './receive.ts';
import type { Worker } from './worker.ts';

export interface Measured {
  readonly store: Store;
  readonly inbox: Inbox;
  readonly worker: Worker;
  readonly receiver: Receiver;
  readonly http: HttpCounters;
  readonly outputs: Outputs;
  readonly complaints: () => readonly string[];
}

/** What `waybill enrich` tells Prometheus. */
export function serviceMetrics({ store, inbox, worker, receiver, http, outputs, complaints }: Measured): MetricSpec[] {
  const metric =
    (type: MetricSpec['type'], suffix: string) =>
    (name: string, help: string, read: MetricSpec['read']): MetricSpec => ({
      name: `waybill_enrich_${name}${suffix}`,
      type,
      help,
      read,
    });
  const counter = metric('counter', '_total');
  const gauge = metric('gauge', '');
  const { counters } = worker;
  const { summary } = receiver;
  return [
    gauge('ready', 'Whether nothing is complained about on /readyz.', () => (complaints().length === 0 ? 1 : 0)),
    counter('requests', 'HTTP requests.', () => http.requests),
    counter('answers', 'HTTP answers, by class.', () => ({ label: 'class', values: http.answers })),
    counter('unauthorised', 'Requests without a valid token.', () => http.unauthorised),
    counter('limited', 'Requests told to come again later.', () => http.limited),
    counter('received_flows', 'Flow records accepted over HTTP.', () => receiver.flowsAccepted),
    counter('refused_flows', 'Flow records refused over HTTP.', () => receiver.flowsRefused),
    counter('received_records', 'Endpoint records received over HTTP, by what became of them.', () => ({
      label: 'fate',
      values: new Map([
        ['accepted', summary.accepted.total],
        ['ignored', summary.ignored.total],
        ['rejected', summary.rejected.total],
        ['unknown', summary.unknown.total],
        ['damaged', summary.damaged.total],
      ]),
    })),
    counter('flows', 'Flow records settled.', () => counters.flows),
    counter('events', 'Endpoint events settled.', () => counters.events),
    counter('alerts', 'Alerts told, revisions included.', () => counters.alerts),
    counter('held_alerts', 'Alerts beyond the alert budget of their day, revisions included.', () => counters.held),
    counter('settlings', 'Rounds of settling.', () => counters.settlings),
    counter('settle_seconds', 'Time spent on settling.', () => Math.round(counters.settleMillis) / 1000),
    counter('retries', 'Attempts that had to be repeated.', () => counters.retries),
    counter('dead_letters', 'Records given up by this worker.', () => counters.deadRecords),
    gauge('waiting_batches', 'Batches accepted and not settled.', () => inbox.state().waiting),
    gauge('oldest_seconds', 'Age of the oldest batch that is not settled.', () => inbox.state().oldestSeconds),
    gauge('inbox_fill_ratio', 'Room taken where batches wait: journal, or memory of Redis.', () => inbox.state().fill),
    counter('cut_off_batches', 'Batches cut off their stream before they were settled.', () => inbox.state().cutOff),
    counter('damaged_files', 'Files of the journal that were damaged.', () => inbox.state().damaged),
    counter('evicted_facts', 'Facts pushed out of full series.', () => store.counters().evictedFacts),
    counter(
      'dropped_sightings',
      'Sightings not stored because a scope met too many.',
      () => store.counters().droppedSightings,
    ),
    counter('evicted_alerts', 'Alerts pushed out by newer ones.', () => store.counters().evictedAlerts),
    ...outputs.metrics(),
    gauge('resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss()),
  ];
}
