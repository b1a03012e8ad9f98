/** `waybill sensor`: with `--to`, joined to the Redis that it must not know itself. */
import { parseCommand, wantsHelp } from '../../sensor/cli/options.ts';
import { SENSOR, sensorCommand } from '../../sensor/cli/sensor.ts';

export async function sensorToCommand(args: string[]): Promise<number> {
  if (wantsHelp(args)) return sensorCommand(args);
  const options = parseCommand(SENSOR, args);
  const url = options.text('to');
  if (url === undefined) return sensorCommand(args);
  // What knows Redis and the log is loaded for it only: it takes as long to load as a small capture to read.
  return (await import('./sensor-publish.ts')).publishingSensor(args, options, url);
}
