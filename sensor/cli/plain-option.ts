import { PLAIN_BYTES } from '../record/plain-bytes.ts';
import type { OptionSpec, Parsed } from './options.ts';

/** Far above what one connection sends in a day, so that a typing mistake is told. */
const MOST = 1_099_511_627_776;

export const PLAIN_BYTES_OPTION: OptionSpec = {
  name: 'plain-bytes',
  argument: 'N',
  describe: `Also record TCP connections in plain text that sent N payload bytes, from then on; 0: none. Enrich counts them beside the encrypted ones: with --to and in waybill run the default is ${PLAIN_BYTES}, else 0.`,
};

/** Records that go to enrich have them unless told otherwise; lines on standard output are of encrypted flows. */
export const plainBytesOf = (options: Parsed, toEnrich: boolean): number =>
  options.integer('plain-bytes', 0, MOST) ?? (toEnrich ? PLAIN_BYTES : 0);
