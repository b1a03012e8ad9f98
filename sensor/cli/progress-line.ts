import { monotonicMillis } from '../base/clock.ts';
import type { RecordLines } from '../publish/record-lines.ts';
import { percent } from './live-metrics.ts';
import type { LiveSensor } from './live-sensor.ts';

/** One line on a terminal that is written over, once a second. */
export class ProgressLine {
  private readonly on: boolean;
  private shown = 0;
  private packets = 0;
  private at = monotonicMillis();

  constructor(on: boolean) {
    this.on = on;
  }

  show(sensor: LiveSensor, records: RecordLines): void {
    if (!this.on) return;
    const now = monotonicMillis();
    const rate = ((sensor.capture.packets - this.packets) * 1000) / Math.max(1, now - this.at);
    this.packets = sensor.capture.packets;
    this.at = now;
    const line = [
      sensor.capture.up ? `${Math.round(rate).toLocaleString('en')} packets/s` : `down: ${sensor.capture.why}`,
      `${sensor.flows.toLocaleString('en')} flows`,
      `${sensor.count('encryptedFlows').toLocaleString('en')} encrypted`,
      `${records.written.toLocaleString('en')} records`,
      `loss ${percent(sensor.loss.worst)}`,
    ]
      .join(' · ')
      .slice(0, Math.max(20, (process.stderr.columns ?? 80) - 1));
    process.stderr.write(`\r${line.padEnd(this.shown)}`);
    this.shown = line.length;
  }

  clear(): void {
    if (this.shown > 0) process.stderr.write(`\r${' '.repeat(this.shown)}\r`);
    this.shown = 0;
  }
}
