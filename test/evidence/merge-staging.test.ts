import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { mergeStaging, STORY_GAP, type StagingStory } from '../../enrich/evidence/merge-staging.ts';
import { stagingFrom } from '../../enrich/evidence/staging.ts';
import { file, parent, start } from './endpoint-builder.ts';

const tell = (events: readonly EndpointEvent[]): readonly StagingStory[] =>
  mergeStaging(events.flatMap((event) => stagingFrom(event)));

const SECOND = 1_000_000;
const seven = { entityId: 'p-7z', image: 'C:\\t\\7z.exe' };
/** cmd runs 7z, 7z writes two volumes; the feed names the volume by the kernel. */
const SPLIT: readonly EndpointEvent[] = [
  start(
    'cmd /c "7z a -v10m C:\\t\\s.7z docs"',
    { entityId: 'p-cmd', image: 'C:\\Windows\\System32\\cmd.exe' },
    1 * SECOND,
    'cmd',
  ),
  start('7z a -v10m C:\\t\\s.7z docs', { ...seven, parent: parent({ entityId: 'p-cmd' }) }, 2 * SECOND, '7z'),
  file('\\Device\\HarddiskVolume3\\t\\s.7z.001', { at: 3 * SECOND, size: 4, process: seven }),
  file('C:\\t\\s.7z.001', { at: 4 * SECOND, op: 'modify', size: 10, process: seven, id: 'm1' }),
  file('C:\\t\\s.7z.002', { at: 5 * SECOND, size: 7, process: seven }),
];

describe('mergeStaging', () => {
  it('tells shell, archiver and volumes as one story with the summed last sizes', () => {
    const stories = tell(SPLIT);
    expect(stories).toHaveLength(1);
    expect(stories[0]).toMatchObject({
      state: 'created',
      strength: 'B',
      at: 1 * SECOND,
      until: 5 * SECOND,
      process: { entityId: 'p-7z' },
      archive: { key: 'c:\\t\\s.7z', size: 17, volumes: 2, unsized: 0 },
    });
    expect(stories[0]?.traits).toContain('split');
    expect(stories[0]?.rawEventIds).toHaveLength(5);
  });
  it('calls a command without a file an attempt', () => {
    expect(tell(SPLIT.slice(0, 2))).toMatchObject([{ state: 'attempt', process: { entityId: 'p-7z' } }]);
  });
  it('says that a size is not known instead of taking it for none', () => {
    const [story] = tell([file('C:\\t\\a.7z.001', { size: 5 }), file('C:\\t\\a.7z.002', { at: 3_000_000 })]);
    expect(story?.archive).toMatchObject({ size: 5, volumes: 2, unsized: 1 });
    expect(tell([file('C:\\t\\a.7z')])[0]?.archive?.size).toBeUndefined();
  });
  it('joins a relative output with the file by process, or by the shell that started it', () => {
    const cwd = { currentDirectory: undefined };
    const command = {
      ...start('rar a loot d', { entityId: 'p-rar' }),
      process: { entityId: 'p-rar', entityKind: 'vendor' as const, commandLine: 'rar a loot d' },
    };
    expect(cwd.currentDirectory).toBeUndefined();
    expect(tell([command, file('C:\\x\\loot.rar', { process: { entityId: 'p-rar' } })])).toMatchObject([
      { state: 'created', archive: { key: 'c:\\x\\loot.rar' } },
    ]);
    expect(tell([command, file('C:\\x\\loot.rar', { process: { entityId: 'p-other' } })])).toHaveLength(2);
    const child = { entityId: 'p-child', parent: parent({ entityId: 'p-rar' }) };
    expect(tell([command, file('C:\\x\\loot.rar', { process: child })])).toHaveLength(1);
  });
  it('follows a temporary name to the final one without counting it twice', () => {
    const [story, ...rest] = tell([
      file('C:\\t\\s.7z.tmp', { mimeType: 'application/x-7z-compressed', size: 9, at: 1, process: seven }),
      file('C:\\t\\s.7z', { op: 'rename', oldPath: 'C:\\t\\s.7z.tmp', at: 2, process: seven }),
    ]);
    expect(rest).toEqual([]);
    expect(story).toMatchObject({ strength: 'A', archive: { key: 'c:\\t\\s.7z', size: 9, volumes: 1 } });
  });
  it('keeps readers and the deletion, and makes no story of them alone', () => {
    const reader = file('C:\\t\\s.7z', {
      kind: 'file_read',
      op: 'read',
      at: 9 * SECOND,
      process: { entityId: 'p-curl' },
    });
    const gone = file('C:\\t\\s.7z', { kind: 'file_delete', op: 'delete', at: 10 * SECOND, id: 'gone' });
    expect(tell([reader, gone])).toEqual([]);
    const [story] = tell([file('C:\\t\\s.7z', { at: SECOND, size: 5 }), reader, gone]);
    expect(story).toMatchObject({ readers: ['p-curl'], deletedAt: 10 * SECOND, until: SECOND, archive: { size: 5 } });
    expect(story?.traits).toContain('deleted-after');
  });
  it('tells tonight’s archive and last night’s of the same name apart', () => {
    const day = 4 * STORY_GAP;
    const nightly = [1, 2].map((night) =>
      file('C:\\b\\n.zip', { at: night * day, id: `n${night}`, size: night, process: { entityId: `p-${night}` } }),
    );
    expect(tell(nightly).map((story) => story.archive?.size)).toEqual([1, 2]);
    expect(tell([...nightly].reverse())).toEqual(tell(nightly));
    expect(
      tell([
        ...nightly,
        file('C:\\b\\n.zip', { kind: 'file_read', op: 'read', at: 2 * day + 1, process: { entityId: 'p-r' } }),
      ]).map((story) => story.readers),
    ).toEqual([[], ['p-r']]);
  });
  it('keeps hosts apart', () => {
    const other = { ...file('C:\\t\\s.7z'), host: { id: 'host-2' } };
    expect(tell([file('C:\\t\\s.7z'), other])).toHaveLength(2);
  });
  it('believes the mark of the web only from the writer, and only when nobody is seen packing', () => {
    const write = file('C:\\t\\s.7z', { process: { entityId: 'p-w' } });
    const mark = (entityId: string) =>
      file('C:\\t\\s.7z:Zone.Identifier', { op: 'stream', at: 3_000_000, process: { entityId } });
    expect(tell([write, mark('p-w')])[0]?.traits).toContain('low:download');
    expect(tell([write, mark('p-x')])[0]?.traits).not.toContain('low:download');
    expect(tell([write, mark('p-w'), start('7z a C:\\t\\s.7z d', { entityId: 'p-w' })])[0]?.traits).not.toContain(
      'low:download',
    );
  });
  it('links an encoded file to the archive it was made of', () => {
    const stories = tell([...SPLIT, start('certutil -encode C:\\t\\s.7z C:\\t\\s.txt', {}, 6 * SECOND, 'enc')]);
    expect(stories[1]).toMatchObject({
      encoded: 'base64',
      derivedFrom: ['c:\\t\\s.7z'],
      archive: { key: 'c:\\t\\s.txt' },
    });
  });
  it('does not depend on the order or the repetition of facts', () => {
    const facts = [
      ...SPLIT,
      file('C:\\t\\s.7z.002', { kind: 'file_delete', op: 'delete', at: 8 * SECOND, id: 'd' }),
      start('tar cf C:\\t\\u.tar d', { entityId: 'p-t' }, 6 * SECOND, 't'),
      file('C:\\t\\u.tar', { op: 'rename', oldPath: 'C:\\t\\u.tmp.tar', at: 7 * SECOND, process: { entityId: 'p-t' } }),
      file('C:\\t\\u.tmp.tar', { at: 7 * SECOND, size: 3, id: 'u', process: { entityId: 'p-t' } }),
      file('C:\\t\\s.7z.001', { kind: 'file_read', op: 'read', at: 8 * SECOND, id: 'r', size: 11 }),
    ].flatMap((event) => stagingFrom(event));
    const expected = mergeStaging(facts);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(facts, { minLength: facts.length }),
        fc.shuffledSubarray(facts),
        (order, again) => {
          expect(mergeStaging([...order, ...again])).toEqual(expected);
        },
      ),
    );
  });
});
