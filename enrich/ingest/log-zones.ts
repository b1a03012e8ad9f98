import type { ClockSource, RecordContext } from './reading.ts';
import { clockSource, sysmonClockSample } from './windows/sysmon-events.ts';
import type { WindowsRecord } from './windows/windows-record.ts';
import { ZoneClock } from './zone-clock.ts';

/** What Windows records tell of the zones in which logs write their times, by how good a witness they are. */
export class LogZones {
  private readonly sure: ZoneClock;
  /** Weaker witnesses, asked only when there is no better one. */
  private readonly hints = new ZoneClock();
  private readonly drifting = new ZoneClock();

  constructor(sure: ZoneClock = new ZoneClock()) {
    this.sure = sure;
  }

  observe(record: WindowsRecord, context: RecordContext): void {
    if (record.logged?.zone !== 'local') return;
    const source = clockSource(record, context, record.logged.zoned);
    const sample = record.log === 'sysmon' ? sysmonClockSample(record) : undefined;
    if (sample) (sample.drifts ? this.drifting : this.sure).observe(source, sample.local, sample.utc);
    if (record.zoneHint) this.hints.observe(source, record.zoneHint.local, record.zoneHint.utc);
  }

  /** Microseconds that the clock of a source is ahead of UTC at a time of its own; undefined when nothing told. */
  offset(source: ClockSource, at: number): number | undefined {
    for (const clock of [this.sure, this.hints, this.drifting]) {
      const found = clock.offset(source, at);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
