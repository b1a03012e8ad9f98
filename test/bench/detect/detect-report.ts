/** The figures of one or more runs as one object and as text. */
import {
  falseAlerts,
  foundIn,
  OUT_OF_REACH,
  perThousand,
  recallBy,
  recallOf,
  type Share,
  share,
  timeToAlert,
} from './figures.ts';
import { ablation, calibration, joinReport } from './model-figures.ts';
import { ruleFigures } from './rule-figures.ts';
import type { Outcome } from './run-detection.ts';

export type DetectReport = ReturnType<typeof reportOf>;

export function reportOf(outcomes: readonly Outcome[]) {
  const found = outcomes.flatMap(foundIn);
  return {
    runs: outcomes.map(({ options, records, events, seconds, enricherSeconds, peakMegabytes, flows }) => ({
      seed: options.seed,
      hosts: options.hosts,
      days: options.days,
      warmUp: options.warmUp,
      flows: flows.size,
      records,
      events,
      seconds: round(seconds),
      enricherSeconds: round(enricherSeconds),
      peakMegabytes: round(peakMegabytes),
    })),
    recall: {
      full: recallOf(
        'all evidence there',
        found.filter(({ theft }) => theft.blindSpot === 'full'),
      ),
      inReach: recallOf(
        'some of it missing, within reach',
        found.filter(({ theft }) => theft.blindSpot !== 'full' && !OUT_OF_REACH.has(theft.blindSpot)),
      ),
      all: recallOf('all thefts', found),
      fromNewHosts: recallOf(
        'from hosts in their first days',
        found.filter(({ theft }) => theft.onNewHost),
      ),
      byBlindSpot: recallBy(found, ({ theft }) => theft.blindSpot),
      byKind: recallBy(found, ({ theft }) => theft.kind),
    },
    missed: found
      .filter(({ tier }) => tier === 'none')
      .map(({ theft, seed }) => ({ seed, id: theft.id, kind: theft.kind, blindSpot: theft.blindSpot })),
    falseAlerts: falseAlerts(outcomes),
    timeToAlert: timeToAlert(found),
    judgedByPeers: outcomes.flatMap(({ candidates }) => candidates).filter(({ peers }) => peers !== undefined).length,
    calibration: calibration(outcomes.flatMap(({ candidates }) => candidates)),
    joins: joinReport(outcomes),
    rules: ruleFigures(outcomes),
    ablation: ablation(outcomes),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;

const percent = (value: number): string => `${Math.round(value * 100)} %`;
const shareText = ({ count, of, low, high }: Share): string =>
  of === 0 ? '–' : `${count}/${of} ${percent(count / of)} (${Math.round(low * 100)}–${Math.round(high * 100)})`;

export function textOf(report: DetectReport): string {
  const { recall, falseAlerts: wrong, timeToAlert: time, calibration: calibrated, joins } = report;
  const recallRow = ({ name, high, any }: typeof recall.all): string[] => [name, shareText(high), shareText(any)];
  const rate = (count: number): string => perThousand(count, wrong.hostDays).toFixed(1);
  return [
    table(
      ['seed', 'hosts', 'days', 'warm-up', 'flows', 'records', 'events', 's', 'peak MB'],
      report.runs.map((run) =>
        [
          run.seed,
          run.hosts,
          run.days,
          run.warmUp,
          run.flows,
          run.records,
          run.events,
          run.seconds,
          run.peakMegabytes,
        ].map(String),
      ),
    ),
    table(
      ['thefts found, of all: count, share (95 % interval)', 'high', 'high or medium'],
      [recall.full, recall.inReach, recall.all, recall.fromNewHosts].map(recallRow),
    ),
    table(['by what cannot be seen', 'high', 'high or medium'], recall.byBlindSpot.map(recallRow)),
    table(['by kind', 'high', 'high or medium'], recall.byKind.map(recallRow)),
    table(
      [`alerts about ordinary work (${wrong.hostDays} host-days)`, 'high', 'medium'],
      [
        ['a day on 1,000 hosts', rate(wrong.high), rate(wrong.medium)],
        [
          '  while learning',
          perThousand(wrong.whileLearning.high, wrong.whileLearning.hostDays).toFixed(1),
          perThousand(wrong.whileLearning.medium, wrong.whileLearning.hostDays).toFixed(1),
        ],
        [
          `  on hosts in their first days (${wrong.onNewHosts.hostDays} host-days), count`,
          String(wrong.onNewHosts.high),
          String(wrong.onNewHosts.medium),
        ],
        ...wrong.causes.map(({ activity, high, medium }) => [`  ${activity}`, String(high), String(medium)]),
      ],
    ),
    time.beforeHalf.of === 0
      ? 'no theft was found'
      : `bytes gone at the first alert: quartiles ${time.quartiles.map(percent).join(', ')}; before half of them ${shareText(time.beforeHalf)}; of those of whose sender the feed had told by then ${shareText(time.beforeHalfWhenTold)}`,
    table(
      [
        `probability (${calibrated.candidates} candidates, ${calibrated.thefts} of thefts)`,
        'candidates',
        'mean',
        'thefts',
      ],
      calibrated.bins.map((bin) => [
        `${bin.from} to ${bin.to}`,
        String(bin.candidates),
        bin.meanProbability.toPrecision(2),
        String(bin.thefts),
      ]),
    ),
    `judged by a peer group: ${report.judgedByPeers}`,
    `Brier score ${calibrated.brier.toFixed(4)}, of the bare share of thefts ${calibrated.brierOfShare.toFixed(4)}`,
    table(
      ['join', 'flows', 'named', 'wrong', 'laid to a wrong host'],
      joins.byMethod.map((each) => [each.method, ...[each.flows, each.named, each.wrong, each.wrongHost].map(String)]),
    ),
    `a process is named for ${shareText(joins.coverage)} of the flows that the endpoint told of; the right one in ${joins.precision.count} of ${joins.precision.of}`,
    table(
      ['on the same events', 'found, within reach', 'found, of all', 'false a day on 1,000 hosts'],
      [
        [
          'Waybill, high',
          shareText(sum(recall.full.high, recall.inReach.high)),
          shareText(recall.all.high),
          rate(wrong.high),
        ],
        [
          'Waybill, high or medium',
          shareText(sum(recall.full.any, recall.inReach.any)),
          shareText(recall.all.any),
          rate(wrong.high + wrong.medium),
        ],
        ...report.rules.map((each) => [
          each.rule,
          shareText(each.inReach),
          shareText(each.recall),
          each.falseAlerts.toFixed(1),
        ]),
      ],
    ),
    table(
      [
        'without the group (single episodes, as they stand at the end)',
        'high',
        'high or medium',
        'false high',
        'false high or medium',
      ],
      report.ablation.map((row) => [
        row.without,
        shareText(row.high),
        shareText(row.any),
        row.falseHigh.toFixed(1),
        row.falseAny.toFixed(1),
      ]),
    ),
  ].join('\n\n');
}

const sum = (a: Share, b: Share): Share => share(a.count + b.count, a.of + b.of);

/** First column to the left, the others to the right. */
function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}
