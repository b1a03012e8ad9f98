import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Data goes one way: a folder imports from itself and from folders to its left. */
const SENSOR = ['base', 'record', 'capture', 'wire', 'tls', 'dns', 'flow', 'publish', 'cli'];
const ENRICH = [
  'event',
  'store',
  'ingest',
  'evidence',
  'join',
  'score',
  'alert',
  'bundle',
  'drill',
  'pipeline',
  'service',
  'web',
  'cli',
];
/** Files at the top of enrich, by the layer they belong to. */
const TOP: Readonly<Record<string, string>> = {
  'yaml-file.ts': 'event',
  'output-settings.ts': 'event',
  'settings.ts': 'evidence',
  'enricher.ts': 'pipeline',
};
/** What enrich may use of the sensor: everything in cli (it drives the sensor), else base and record. */
const FOR_ENRICH = ['base', 'record'];

interface Import {
  readonly from: string;
  readonly to: string;
}

function imports(): Import[] {
  const files = ['sensor', 'enrich'].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((f) => f.endsWith('.ts'))
      .map((f) => join(root, f)),
  );
  return files.flatMap((from) =>
    [...readFileSync(from, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((m) => ({
      from,
      to: normalize(join(dirname(from), m[1]!)),
    })),
  );
}

function layer(file: string): { program: string; folder: string } {
  const [program, folder] = file.split('/') as [string, string];
  return { program, folder: TOP[folder] ?? folder };
}

function complaint({ from, to }: Import): string | undefined {
  const a = layer(from);
  const b = layer(to);
  if (a.program === 'sensor' && b.program === 'enrich')
    return `${from} imports ${to}: the sensor knows nothing of enrich`;
  if (a.program === 'enrich' && b.program === 'sensor') {
    if (a.folder === 'cli' || FOR_ENRICH.includes(b.folder)) return undefined;
    return `${from} imports ${to}: enrich uses the sensor's ${FOR_ENRICH.join(' and ')} only`;
  }
  const order = a.program === 'sensor' ? SENSOR : ENRICH;
  if (!order.includes(a.folder)) return `${from}: no layer is named ${a.folder}`;
  return order.indexOf(b.folder) <= order.indexOf(a.folder)
    ? undefined
    : `${from} imports ${to}, which lies to its right`;
}

describe('layers', () => {
  it('lets data go one way', () => {
    expect(
      imports()
        .map(complaint)
        .filter((c) => c !== undefined),
    ).toEqual([]);
  });

  it('sees an import that goes the wrong way', () => {
    expect(complaint({ from: 'sensor/wire/tcp.ts', to: 'sensor/flow/tracker.ts' })).toMatch(/to its right/);
    expect(complaint({ from: 'sensor/base/ip.ts', to: 'enrich/store/store.ts' })).toMatch(/knows nothing/);
    expect(complaint({ from: 'enrich/join/facts.ts', to: 'sensor/wire/segment.ts' })).toMatch(/only/);
  });
});
