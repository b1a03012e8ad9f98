import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileEvent } from '../../enrich/event/endpoint-event.ts';
import { burstsFrom } from '../../enrich/evidence/burst.ts';
import { file, parent } from './endpoint-builder.ts';

const SECOND = 1_000_000;
const writes = (count: number, fields: Parameters<typeof file>[1] = {}, folder = 'C:\\Temp\\stage'): FileEvent[] =>
  Array.from({ length: count }, (_, index) =>
    file(`${folder}\\report${index}x.docx`, {
      at: (index + 1) * SECOND,
      id: `${folder}-${index}`,
      size: 100,
      ...fields,
    }),
  );

describe('burstsFrom', () => {
  it('sees many data files written into one tree', () => {
    expect(burstsFrom(writes(20))).toMatchObject([
      {
        kind: 'burst',
        strength: 'D',
        technique: 'T1074.001',
        files: 20,
        bytes: 2000,
        traits: ['staging-dir'],
        at: 20 * SECOND,
      },
    ]);
    expect(burstsFrom(writes(19))).toEqual([]);
  });
  it('wants distinct files, close together in time, of kinds that people keep work in', () => {
    expect(burstsFrom(writes(20).map((event) => ({ ...event, path: 'C:\\Temp\\stage\\one.docx' })))).toEqual([]);
    expect(burstsFrom(writes(40).map((event, index) => ({ ...event, at: index * 30 * SECOND })))).toEqual([]);
    expect(burstsFrom(writes(20).map((event) => ({ ...event, path: event.path.replace('.docx', '.dll') })))).toEqual(
      [],
    );
    expect(burstsFrom(writes(20, { origin: 'https://example.com' }))).toEqual([]);
  });
  it('counts the children of one shell together, those of the desktop not', () => {
    const children = (image: string) =>
      writes(20).map((event, index) => ({
        ...event,
        process: { ...event.process, entityId: `c-${index}`, parent: parent({ entityId: 'sh', image }) },
      }));
    expect(burstsFrom(children('C:\\Windows\\System32\\cmd.exe'))).toHaveLength(1);
    expect(burstsFrom(children('C:\\Windows\\explorer.exe'))).toEqual([]);
  });
  it('takes reads for a sweep only when they come from several folders', () => {
    const reads = (folder: string): FileEvent[] => writes(12, { kind: 'file_read', op: 'read' }, folder);
    expect(burstsFrom([...reads('C:\\Users\\a\\Docs'), ...reads('C:\\Users\\a\\Mail')])).toMatchObject([
      { kind: 'bulk-read', strength: 'E', technique: 'T1005', traits: ['mass-read'], files: 24 },
    ]);
    expect(burstsFrom(writes(24, { kind: 'file_read', op: 'read' }))).toEqual([]);
  });
  it('is not misled by a few files elsewhere', () => {
    expect(burstsFrom([...writes(20), ...writes(3, {}, 'D:\\log')])).toMatchObject([{ files: 20 }]);
  });
  it('does not call files all over several disks a heap', () => {
    expect(burstsFrom([...writes(15, {}, 'C:\\a'), ...writes(15, {}, 'D:\\b')])).toEqual([]);
  });
  it('sees data cut into numbered parts of one size, but no rotated log', () => {
    const parts = (ext: string): FileEvent[] =>
      [1, 2, 3, 4].map((part) =>
        file(`C:\\t\\chunk.${part}${ext}`, { at: part * SECOND, size: part < 4 ? 500 : 20, id: `c${part}` }),
      );
    expect(burstsFrom(parts('.bin'))).toMatchObject([{ technique: 'T1030', files: 4, bytes: 1520, traits: ['split'] }]);
    expect(burstsFrom(parts('.log'))).toEqual([]);
    expect(burstsFrom(parts('.bin').filter((_, index) => index !== 1))).toEqual([]);
    expect(burstsFrom(parts('.bin').map((event) => ({ ...event, size: event.at })))).toEqual([]);
  });
  it('gives the same facts for any order and repetition of the events', () => {
    const reads = writes(12, { kind: 'file_read', op: 'read' }, 'C:\\x\\y');
    const more = writes(12, { kind: 'file_read', op: 'read' }, 'C:\\x\\w');
    const events = [...writes(25), ...reads, ...more, ...writes(3, {}, 'C:\\x\\z')];
    const expected = burstsFrom(events);
    expect(expected.map((fact) => fact.kind)).toEqual(['bulk-read', 'burst']);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(events, { minLength: events.length }),
        fc.shuffledSubarray(events),
        (order, again) => {
          expect(burstsFrom([...order, ...again])).toEqual(expected);
        },
      ),
    );
  });
});
