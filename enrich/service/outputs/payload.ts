import { readFileSync } from 'node:fs';
import { inertJson } from '../../alert/terminal-text.ts';
import { toCef } from '../../alert/to-cef.ts';
import { toOcsf } from '../../alert/to-ocsf.ts';
import type { OutputFormat } from '../../output-settings.ts';
import type { Outgoing } from './sink.ts';

/** The alert in a format, on one line without characters that act on a terminal. */
export function payloadOf({ alert, isKnown }: Outgoing, format: OutputFormat): string {
  switch (format) {
    case 'ecs':
      return inertJson(alert.body);
    case 'ocsf':
      return inertJson(toOcsf(alert, isKnown));
    case 'cef':
      return toCef(alert, version());
  }
}

/** One hand-over's id: the same however often it is repeated, another one for another revision. */
export const deliveryId = ({ alert, turn }: Outgoing): string =>
  [encodeURIComponent(alert.id), alert.revision, ...(turn === undefined ? [] : [turn])].join('.');

let known: string | undefined;

/** Of this program; its package.json lies at the root of sources and of the built package alike. */
function version(): string {
  known ??= ['../../../', '../../../../']
    .map((up) => new URL(`${up}package.json`, import.meta.url))
    .map(versionIn)
    .find((text) => text !== undefined);
  return known ?? '0';
}

function versionIn(file: URL): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version;
  } catch {
    return undefined; // it lies elsewhere
  }
}
