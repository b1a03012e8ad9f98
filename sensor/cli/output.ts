import type { Writable } from 'node:stream';
import type { MetricSpec } from '../base/metrics.ts';
import type { OptionSpec } from './options.ts';

/** Where records go instead of standard output. */
export interface SensorOutput {
  /** Takes records as JSON lines. */
  readonly stream: Writable;
  readonly metrics: readonly MetricSpec[];
  /** Why it is degraded, one line each. */
  readonly complaints: () => readonly string[];
}

export const PUBLISH_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'to',
    argument: 'URL',
    describe:
      'Publish records to the streams of this Redis (redis://, rediss://, redis+cluster://, redis+sentinel://).',
  },
  {
    name: 'spool',
    argument: 'DIR',
    fallback: '.waybill/spool',
    describe: 'With --to: records wait here while Redis takes none.',
  },
  {
    name: 'spool-mib',
    argument: 'MIB',
    fallback: '512',
    describe: 'With --to: most of the spool; then the oldest go, and are counted.',
  },
];
