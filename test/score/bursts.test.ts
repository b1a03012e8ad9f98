import { describe, expect, it } from 'vitest';
import { Enricher } from '../../enrich/enricher.ts';
import type { EndpointEvent, FileEvent, ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { HostClocks } from '../../enrich/join/clock.ts';
import { type Episode, episodesOfHost } from '../../enrich/score/episode.ts';
import { scoreEpisode } from '../../enrich/score/score.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { archive, connection, DAY, flow, HOST, HOUR, MINUTE, MORNING, program, SECOND, start } from '../join/world.ts';

const shell = program('shell', 'C:\\Windows\\System32\\cmd.exe');

/** Documents copied one by one to one folder. */
function heap(count: number): FileEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    ...archive(MORNING + i * SECOND, shell, `C:\\Users\\Public\\heap\\plan${String.fromCharCode(97 + i)}.docx`, 41_000),
    mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  }));
}

const tool = program('tool', 'C:\\Tools\\report.exe');

async function storiesOf(files: readonly FileEvent[], span: readonly [number, number]) {
  const episodes = await episodesAfter(files, span, tool);
  return episodes.flatMap((episode) => episode.staging.map(({ story }) => story));
}

async function episodesAfter(files: readonly EndpointEvent[], span: readonly [number, number], sender: ProcessRef) {
  const store = openMemory();
  const settings = defaultSettings();
  const enricher = new Enricher(store, settings);
  const sent = flow(MORNING + 5 * MINUTE, { port: 52_000, sent: 1_000_000 });
  const events: EndpointEvent[] = [...files, connection(MORNING + 5 * MINUTE, sender, sent)];
  await enricher.putEvents(events);
  await enricher.putFlows([sent]);
  await enricher.settle();
  const clocks = new HostClocks(store);
  return episodesOfHost(store, clocks, HOST.id, ...span, settings);
}

describe('a heap of files', () => {
  it('is staging: twenty documents gathered in a minute make an episode of what is sent afterwards', async () => {
    const stories = await storiesOf(heap(24), [MORNING, MORNING + HOUR]);
    expect(stories).toHaveLength(1);
    expect(stories[0]).toMatchObject({ kinds: ['burst'], files: 24, strength: 'D' });
    expect(await storiesOf(heap(12), [MORNING, MORNING + HOUR])).toEqual([]);
  });

  const span = [MORNING, MORNING + HOUR] as const;
  const rclone = (folder: string): ProcessRef =>
    program('rclone', 'C:\\Tools\\rclone.exe', { commandLine: `rclone.exe copy ${folder} s3:in` });
  const balanceOf = (episode: Episode | undefined) =>
    scoreEpisode(episode!, defaultSettings()).terms.find(({ name }) => name === 'byte_balance')?.db;

  it('is handed over by its folder, and its bytes are compared as those of an archive are', async () => {
    const [named] = await episodesAfter(heap(24), span, rclone('C:\\Users\\Public\\heap'));
    expect(named!.staging[0]!.link).toBe('referenced-directory');
    expect(balanceOf(named)).toBeGreaterThan(14);
    const [other] = await episodesAfter(heap(24), span, rclone('D:\\else'));
    expect(other!.staging[0]!.link).not.toBe('referenced-directory');
    const [first, ...rest] = heap(24);
    const { size: _, ...unsized } = first!;
    const [partly] = await episodesAfter([unsized, ...rest], span, rclone('C:\\Users\\Public\\heap'));
    expect(balanceOf(partly)).toBeUndefined();
  });

  it('that a command copied to a folder is handed over by that folder', async () => {
    const copier = program('copier', 'C:\\Windows\\System32\\robocopy.exe', {
      commandLine: 'robocopy \\\\fs01\\projects C:\\PerfLogs\\data49 *.docx /S',
    });
    const copied = [start(MORNING, copier)];
    const [named] = await episodesAfter(copied, span, rclone('C:\\PerfLogs\\data49'));
    expect(named!.staging[0]!.link).toBe('referenced-directory');
    const [other] = await episodesAfter(copied, span, rclone('C:\\PerfLogs\\data50'));
    expect(other!.staging[0]!.link).not.toBe('referenced-directory');
  });

  it('is the same story whatever span of time is looked at', async () => {
    const narrow = await storiesOf(heap(24), [MORNING + 5 * MINUTE, MORNING + 5 * MINUTE]);
    const wide = await storiesOf(heap(24), [MORNING - 3 * DAY, MORNING + 3 * DAY]);
    expect(narrow).toHaveLength(1);
    expect(wide).toEqual(narrow);
  });
});
