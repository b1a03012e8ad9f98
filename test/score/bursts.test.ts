import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent, FileEvent } from '../../enrich/event/endpoint-event.ts';
import { HostClocks } from '../../enrich/join/clock.ts';
import { episodesOfHost } from '../../enrich/score/episode.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { archive, connection, DAY, flow, HOST, HOUR, MINUTE, MORNING, program, SECOND } from '../join/world.ts';

const shell = program('shell', 'C:\\Windows\\System32\\cmd.exe');

/** Documents copied one by one to one folder. */
function heap(count: number): FileEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    ...archive(MORNING + i * SECOND, shell, `C:\\Users\\Public\\heap\\plan${String.fromCharCode(97 + i)}.docx`, 40_000),
    mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  }));
}

async function storiesOf(files: readonly FileEvent[], span: readonly [number, number]) {
  const store = openMemory();
  const settings = defaultSettings();
  const enricher = new Enricher(store, settings);
  const tool = program('tool', 'C:\\Tools\\report.exe');
  const sent = flow(MORNING + 5 * MINUTE, { port: 52_000, sent: 1_000_000 });
  const events: EndpointEvent[] = [...files, connection(MORNING + 5 * MINUTE, tool, sent)];
  await enricher.putEvents(events);
  await enricher.putFlows([sent]);
  await enricher.settle();
  const clocks = new HostClocks(store);
  const episodes = await episodesOfHost(store, clocks, HOST.id, ...span, settings);
  return episodes.flatMap((episode) => episode.staging.map(({ story }) => story));
}

describe('a heap of files', () => {
  it('is staging: twenty documents gathered in a minute make an episode of what is sent afterwards', async () => {
    const stories = await storiesOf(heap(24), [MORNING, MORNING + HOUR]);
    expect(stories).toHaveLength(1);
    expect(stories[0]).toMatchObject({ kinds: ['burst'], files: 24, strength: 'D' });
    expect(await storiesOf(heap(12), [MORNING, MORNING + HOUR])).toEqual([]);
  });

  it('is the same story whatever span of time is looked at', async () => {
    const narrow = await storiesOf(heap(24), [MORNING + 5 * MINUTE, MORNING + 5 * MINUTE]);
    const wide = await storiesOf(heap(24), [MORNING - 3 * DAY, MORNING + 3 * DAY]);
    expect(narrow).toHaveLength(1);
    expect(wide).toEqual(narrow);
  });
});
