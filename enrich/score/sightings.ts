import { MICROS_PER_SECOND, parseMicros } from '../../sensor/base/timestamp.ts';
import type { JoinedBody } from '../join/facts.ts';
import type { ProcessInfo } from '../join/lineage.ts';
import type { Settings } from '../settings.ts';
import type { Observation } from '../store/store.ts';
import { observationsOf } from './familiarity.ts';

/** Sightings are of days and hours; no part of one is finer. */
const HOUR = 3_600 * MICROS_PER_SECOND;
/** Kinds of flows remembered, about 100 bytes each, and descriptions of processes, about 1 KB each. */
const MAX_KNOWN = 200_000;
const MAX_PROCESSES = 20_000;

export interface Sighting {
  /** What has to be observed; nothing when it has been before. */
  readonly observations: readonly Observation[];
  readonly key: string;
}

/**
 * What the flows of the past have added to the baseline already. A sighting is never taken back, so what the same process
 * did with the same destination in the same hour needs no second one.
 */
export class Sightings {
  hits = 0;
  private readonly known = new Set<string>();
  /** Numbers of processes by their description: everything that may go into a sighting. */
  private readonly numbers = new Map<string, number>();
  private readonly described = new WeakMap<ProcessInfo, number>();
  private nextNumber = 1;

  /** @param process of the flow, as fully as it is known */
  of(
    process: ProcessInfo | undefined,
    body: JoinedBody,
    settings: Pick<Settings, 'knowledge' | 'peer_groups'>,
  ): Sighting {
    const { record, join } = body;
    const at = parseMicros(record.event.start) ?? 0;
    const { ip, domain } = record.destination;
    const hello = join.method === 'tuple' ? record.tls?.client?.ja4 : undefined;
    const number = process === undefined ? 0 : this.numberOf(process);
    const key = `${Math.floor(at / HOUR)} ${number} ${hello ?? ''} ${ip} ${domain ?? ''} ${join.host?.id ?? ''} ${join.host?.name ?? ''}`;
    if (this.known.has(key)) {
      this.hits++;
      return { observations: [], key };
    }
    return { observations: observationsOf(process, body, false, settings), key };
  }

  /** They have been observed. */
  written(keys: readonly string[]): void {
    if (this.known.size + keys.length > MAX_KNOWN) this.known.clear();
    for (const key of keys) this.known.add(key);
  }

  /** Other tables, or a store that may have lost something: all has to be observed again. */
  forget(): void {
    this.known.clear();
  }

  private numberOf(process: ProcessInfo): number {
    const described = this.described.get(process);
    if (described !== undefined) return described;
    const text = JSON.stringify(process);
    let number = this.numbers.get(text);
    if (number === undefined) {
      // A number is never used again, so a key of a forgotten process matches nothing.
      if (this.numbers.size >= MAX_PROCESSES) this.numbers.clear();
      number = this.nextNumber++;
      this.numbers.set(text, number);
    }
    this.described.set(process, number);
    return number;
  }
}
