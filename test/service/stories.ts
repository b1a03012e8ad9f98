import { readFileSync } from 'node:fs';
import { replay } from '../../enrich/cli/replay.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import type { Store } from '../../enrich/store/store.ts';
import { readCapture } from '../../sensor/capture/open-capture.ts';
import { buildLinePipeline } from '../../sensor/flow/pipeline.ts';

/** Two thefts whose bytes match an archive, which needs no history, and two ordinary stories. */
const STORIES = ['exfil-archive', 'exfil-two-hours', 'backup-agent', 'browser-upload'];

const pathsOf = (name: string) => ({
  capture: `pcaps/stories/story-${name}.pcap.gz`,
  endpoint: `pcaps/stories/story-${name}.endpoint.${name === 'backup-agent' ? 'xml' : 'jsonl'}`,
});

export interface StoryInput {
  /** Flow records as JSON lines with their line feed: the last of each flow and those before it. */
  readonly flows: readonly string[];
  /** Bodies of endpoint records as the EDR writes them. */
  readonly endpoint: readonly string[];
  /** `id score` of each alert that replay gives. */
  readonly expected: readonly string[];
}

/** The records of one theft, as sensor and EDR would send them: one alert, high. */
export async function oneTheft(): Promise<{ readonly flows: string; readonly endpoint: string }> {
  const { capture, endpoint } = pathsOf('exfil-archive');
  return { flows: (await flowsOf(capture)).join(''), endpoint: readFileSync(endpoint, 'utf8') };
}

async function flowsOf(capture: string): Promise<string[]> {
  const flows: string[] = [];
  const pipeline = buildLinePipeline((line) => flows.push(Buffer.from(line).toString()), {
    observer: 'replay',
    communityIdSeed: 0,
    verbose: false,
  });
  await readCapture(capture, pipeline);
  pipeline.drain();
  return flows;
}

export async function storyInput(): Promise<StoryInput> {
  const flows: string[] = [];
  for (const { capture } of STORIES.map(pathsOf)) flows.push(...(await flowsOf(capture)));
  const paths = STORIES.map(pathsOf);
  const { alerts } = await replay({
    captures: paths.map((p) => p.capture),
    endpoints: paths.map((p) => p.endpoint),
    settings: defaultSettings(),
  });
  const bodies = paths.flatMap(({ endpoint }) => {
    const text = readFileSync(endpoint, 'utf8');
    if (endpoint.endsWith('.xml')) return [text];
    const lines = text.trimEnd().split('\n');
    return [0, 1, 2, 3].map((part) => lines.filter((_, i) => i % 4 === part).join('\n'));
  });
  return { flows, endpoint: bodies, expected: alerts.map(({ body }) => scoreLine(body)).sort() };
}

/** What has to be the same: which alert, how many decibels, and every term of them. */
export function scoreLine(body: unknown): string {
  const { event, waybill } = body as {
    event: { id: string };
    waybill: { score_db: number; tier: string; terms: readonly { name: string; db: number }[] };
  };
  const terms = waybill.terms.map(({ name, db }) => `${name}=${db}`).sort();
  return `${event.id} ${waybill.tier} ${waybill.score_db} ${terms.join(' ')}`;
}

export async function alertsIn(store: Store): Promise<string[]> {
  return (await store.listAlerts({ limit: 1_000 })).map(({ body }) => scoreLine(body)).sort();
}

/** In an order of its own for every seed. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
