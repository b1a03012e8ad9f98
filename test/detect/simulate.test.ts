import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { FEEDS } from '../bench/detect/feeds.ts';
import { isNew } from '../bench/detect/new-hosts.ts';
import { addressOf, organisation } from '../bench/detect/organisation.ts';
import { type Arrival, DAY, FIRST_DAY } from '../bench/detect/scene.ts';
import { type SimulationOptions, simulate } from '../bench/detect/simulate.ts';
import { sysmonLine } from '../bench/detect/sysmon-line.ts';
import { THEFT_KINDS } from '../bench/detect/theft-kinds.ts';
import { BLIND_SPOTS, bytesOf, goneBy } from '../bench/detect/truth.ts';

const SMALL: SimulationOptions = {
  seed: 7,
  hosts: 30,
  days: 7,
  thefts: 2 * THEFT_KINDS.length,
  warmUp: 1,
  newHosts: 4,
};

function played(options: SimulationOptions) {
  const simulation = simulate(options);
  const arrivals = [...simulation.batches].flat();
  return { ...simulation, arrivals };
}

/** Whole lists are compared by their hash: thousands of objects. */
function digestOf(list: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const each of list) hash.update(JSON.stringify(each));
  return hash.digest('hex');
}

// Played outside of the tests, which have a limit of time that a busy machine exceeds.
const small = played(SMALL);
const again = played(SMALL);
const ordinaryOnly = played({ ...SMALL, thefts: 0 });
const other = played({ ...SMALL, seed: 8, thefts: 0, days: 2 });
const texts = small.arrivals.map((arrival) => JSON.stringify(arrival));

describe('the simulated organisation', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(digestOf(again.arrivals)).toBe(digestOf(small.arrivals));
    expect(digestOf([...again.truth.flows])).toBe(digestOf([...small.truth.flows]));
    expect(again.truth.thefts).toEqual(small.truth.thefts);
    expect(other.arrivals[0]).not.toEqual(small.arrivals[0]);
  });

  it('leaves ordinary work as it is when thefts are added', () => {
    const known = new Set(texts);
    expect(ordinaryOnly.arrivals.filter((arrival) => !known.has(JSON.stringify(arrival)))).toEqual([]);
    expect(ordinaryOnly.truth.thefts).toEqual([]);
  });

  it('delivers in order of arrival, with some things late and some twice', () => {
    const disordered = small.arrivals.filter(({ at }, i) => i > 0 && at < small.arrivals[i - 1]!.at);
    // A batch is a day; what is late comes with a later one.
    expect(disordered).toEqual([]);
    const events = small.arrivals.flatMap((arrival) => ('event' in arrival ? [arrival] : []));
    expect(events.some(({ at, event }) => at - event.at > 3_600_000_000)).toBe(true);
    expect(new Set(events.map(({ event }) => event.id)).size).toBeLessThan(events.length);
  });

  it('gives every feed and every network segment to some host, and an address to one host at a time', () => {
    const { hosts } = organisation(3, 60);
    expect(new Set(hosts.map(({ feed }) => feed.feed)).size).toBe(FEEDS.length);
    expect(new Set(hosts.map(({ segment }) => segment)).size).toBe(3);
    for (const day of [0, 1, 40]) expect(new Set(hosts.map((host) => addressOf(host, day, 60))).size).toBe(60);
  });

  it('gives out new laptops on working days after the warm-up, of which nothing is seen before', () => {
    const issued = small.organisation.hosts.filter((host) => host.issued > 0);
    expect(issued).toHaveLength(4);
    for (const { issued: day, laptop } of issued) {
      expect(laptop).toBe(true);
      expect(day).toBeGreaterThanOrEqual(SMALL.warmUp);
      expect(day % 7).toBeLessThan(5);
    }
    const early = small.arrivals.filter(
      ({ at, host }) => at < FIRST_DAY + small.organisation.hosts[host]!.issued * DAY,
    );
    expect(early).toEqual([]);
    expect(organisation(SMALL.seed, SMALL.hosts).hosts.every((host) => host.issued === 0)).toBe(true);
    const [host] = issued;
    expect([-1, 0, 4, 5].map((days) => isNew(host!, host!.issued + days))).toEqual([false, true, true, false]);
    expect(isNew({ issued: 0 }, 0)).toBe(false);
  });

  it('shows of a host only what its feed has', () => {
    const { hosts } = small.organisation;
    const wrong = small.arrivals.filter((arrival) => {
      if (!('event' in arrival)) return false;
      const { feed } = hosts[arrival.host]!;
      const { event } = arrival;
      const file = 'op' in event && (!feed.files || (event.size !== undefined && !feed.sizes));
      const signer = 'process' in event && event.process.signer !== undefined && !feed.signers;
      return feed.feed === 'none' || file || signer || (event.kind === 'dns_query' && !feed.lookups);
    });
    expect(wrong).toEqual([]);
  });

  it('writes Sysmon records that are read back as the same events', () => {
    const normalizer = new FeedNormalizer();
    const host = small.organisation.hosts.find(({ feed }) => feed.feed === 'sysmon')!;
    const events = small.arrivals
      .flatMap((a) => ('event' in a && a.host === host.index ? [a.event] : []))
      .slice(0, 400);
    for (const [index, event] of events.entries()) {
      const line = sysmonLine(event, index);
      if (line === undefined) continue;
      const [read] = normalizer.normalize(JSON.parse(line));
      expect(read).toMatchObject({ kind: event.kind, host: { id: host.id } });
      if ('process' in event && read && 'process' in read) expect(read.process.entityId).toBe(event.process.entityId);
    }
  });
});

describe('planted thefts', () => {
  it('are some of them from new hosts, in their first days', () => {
    const fromNew = small.truth.thefts.filter(({ onNewHost }) => onNewHost);
    expect(fromNew.length).toBeGreaterThan(SMALL.thefts / 10);
    expect(fromNew.length).toBeLessThan(SMALL.thefts / 3);
    for (const { host, sent } of fromNew)
      expect(isNew(small.organisation.hosts[host]!, Math.floor((sent[0]!.start - FIRST_DAY) / DAY))).toBe(true);
  });

  it('are each there with flows whose records reach the service, all kinds of them', () => {
    const ended = new Set(
      small.arrivals.flatMap((a) =>
        'record' in a && a.record.event.action === 'flow_end' ? [a.record.waybill.flow_id] : [],
      ),
    );
    expect(new Set(small.truth.thefts.map(({ kind }) => kind)).size).toBe(THEFT_KINDS.length);
    for (const theft of small.truth.thefts) {
      expect(theft.sent.length, theft.kind).toBeGreaterThan(0);
      expect(theft.sent.filter(({ flow }) => !ended.has(flow))).toEqual([]);
      expect(theft.sent.every(({ flow }) => small.truth.flows.get(flow)?.theft === theft.id)).toBe(true);
      expect(bytesOf(theft)).toBeGreaterThan(1e6);
    }
  });

  it('are not to be told from ordinary work by any label', () => {
    const label = /"t7-\d+"|theft|benign|exfil|victim|blind|heist|malicious/i;
    expect(texts.filter((text) => label.test(text))).toEqual([]);
    const fields = new Set<string>();
    const keysOf = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
      for (const [key, inner] of Object.entries(value)) {
        fields.add(`${path}.${key}`);
        keysOf(inner, `${path}.${key}`);
      }
    };
    const stolen = (arrival: Arrival): boolean =>
      'record' in arrival && small.truth.flows.get(arrival.record.waybill.flow_id)?.theft !== undefined;
    for (const arrival of small.arrivals) if ('record' in arrival && !stolen(arrival)) keysOf(arrival.record, '');
    const ordinary = new Set(fields);
    // No field of a record appears with thefts only.
    fields.clear();
    for (const arrival of small.arrivals) if ('record' in arrival && stolen(arrival)) keysOf(arrival.record, '');
    expect([...fields].filter((field) => !ordinary.has(field))).toEqual([]);
  });

  it('turn through every blind spot', () => {
    expect(new Set(small.truth.thefts.map(({ blindSpot }) => blindSpot))).toEqual(new Set(BLIND_SPOTS));
  });

  it('withhold what their blind spot names', () => {
    const events = small.arrivals.flatMap((a) => ('event' in a ? [a] : []));
    const records = small.arrivals.flatMap((a) => ('record' in a ? [a.record] : []));
    const of = (spot: string) => small.truth.thefts.filter(({ blindSpot }) => blindSpot === spot);
    const recordsOf = (spot: string) =>
      of(spot).flatMap(({ sent }) => records.filter((r) => sent.some(({ flow }) => flow === r.waybill.flow_id)));
    expect(recordsOf('no server name').every((r) => r.destination.domain === undefined)).toBe(true);
    expect(recordsOf('packet loss').every((r) => !r.waybill.bytes_exact)).toBe(true);
    expect(
      recordsOf('explicit proxy').every(
        (r) => r.network.transport === 'udp' || r.destination.port === 8080 || r.destination.port === 22,
      ),
    ).toBe(true);
    for (const { host } of of('no endpoint feed')) expect(events.filter((e) => e.host === host)).toEqual([]);
    for (const theft of of('no join')) {
      for (const { flow } of theft.sent) {
        const port = records.find((r) => r.waybill.flow_id === flow)!.source.port;
        const told = events.filter(
          ({ host, event }) =>
            host === theft.host &&
            event.kind === 'connection' &&
            event.source.port === port &&
            Math.abs(event.at - theft.sent[0]!.start) < 60e6,
        );
        expect(told).toEqual([]);
      }
    }
  });

  it('are gone by the end of their last flow and not before their first', () => {
    for (const theft of small.truth.thefts) {
      const ends = theft.sent.map(({ end }) => end);
      const starts = theft.sent.map(({ start }) => start);
      expect(goneBy(theft, Math.min(...starts))).toBe(0);
      expect(goneBy(theft, Math.max(...ends))).toBe(bytesOf(theft));
    }
  });
});
