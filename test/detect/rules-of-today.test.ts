import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { type Packing, packingOf, raisedBy, type SeenFlow } from '../bench/detect/rules-of-today.ts';

const MINUTE = 60_000_000;
const NOON = Date.UTC(2026, 8, 14, 12) * 1000;
const YESTERDAY = NOON - 1440 * MINUTE;

const flow = (more: Partial<SeenFlow> = {}): SeenFlow => ({
  id: 'f',
  source: '10.0.0.1',
  host: 'pc',
  entityId: 'sender',
  image: 'curl.exe',
  destination: 'strange.example',
  start: NOON,
  sent: 1_000,
  ...more,
});
const packing = (more: Partial<Packing> = {}): Packing => ({
  host: 'pc',
  at: NOON - MINUTE,
  entityId: 'packer',
  parent: 'shell',
  ...more,
});

const raised = (
  flows: readonly SeenFlow[],
  packings: readonly Packing[] = [],
  parents: readonly [string, string][] = [],
): Record<string, string[]> =>
  Object.fromEntries([...raisedBy(flows, packings, new Map(parents))].map(([rule, ids]) => [rule, [...ids]]));

describe('AN1413, read literally', () => {
  const rule = (...args: Parameters<typeof raised>) => raised(...args)['AN1413, read literally'];

  it('raises a program that meets a destination for the first time within five minutes of packing', () => {
    expect(rule([flow()], [packing()])).toEqual(['f']);
  });
  it('is silent six minutes after, before the packing, and on another host', () => {
    expect(rule([flow()], [packing({ at: NOON - 6 * MINUTE })])).toEqual([]);
    expect(rule([flow()], [packing({ at: NOON + MINUTE })])).toEqual([]);
    expect(rule([flow()], [packing({ host: 'other' })])).toEqual([]);
  });
  it('is silent about browsers, unnamed processes and destinations of earlier days', () => {
    expect(rule([flow({ image: 'chrome.exe' })], [packing()])).toEqual([]);
    expect(rule([flow({ image: undefined })], [packing()])).toEqual([]);
    expect(rule([flow({ id: 'old', start: YESTERDAY }), flow()], [packing()])).toEqual([]);
  });
});

describe('archive, then network', () => {
  const rule = (...args: Parameters<typeof raised>) => raised(...args)['archive, then network'];

  it('raises the packer itself, its child and its sibling, to any destination', () => {
    const before = flow({ id: 'old', start: YESTERDAY });
    expect(rule([before, flow({ entityId: 'packer' })], [packing()])).toEqual(['f']);
    expect(rule([before, flow()], [packing()], [['sender', 'packer']])).toEqual(['f']);
    expect(rule([before, flow()], [packing()], [['sender', 'shell']])).toEqual(['f']);
  });
  it('is silent about strangers', () => {
    expect(rule([flow()], [packing()], [['sender', 'elsewhere']])).toEqual([]);
    expect(rule([flow()], [packing({ parent: undefined })])).toEqual([]);
  });
});

describe('rare destination', () => {
  const rule = (...args: Parameters<typeof raised>) => raised(...args)['rare destination'];

  it('raises what one address meets on the first day that anybody does, whatever the program', () => {
    expect(rule([flow({ image: 'chrome.exe' })])).toEqual(['f']);
  });
  it('is silent when a second address meets it that day, and on the second day', () => {
    expect(rule([flow(), flow({ id: 'g', source: '10.0.0.2' })])).toEqual([]);
    expect(rule([flow({ id: 'old', start: YESTERDAY }), flow()])).toEqual(['old']);
  });
});

describe('volume', () => {
  it('raises 50 MB sent on one connection, and not a byte less', () => {
    const flows = [flow({ id: 'large', sent: 50_000_000 }), flow({ id: 'small', sent: 49_999_999 })];
    expect(raised(flows)['volume']).toEqual(['large']);
  });
});

describe('what these rules take for packing', () => {
  const event = (more: object): EndpointEvent =>
    ({
      kind: 'process_start',
      id: 'e',
      feed: 'sysmon',
      at: NOON,
      timeQuality: 'exact',
      host: { id: 'pc' },
      process: { entityId: 'packer', entityKind: 'vendor' },
      ...more,
    }) as EndpointEvent;
  const command = (commandLine: string): EndpointEvent =>
    event({ process: { entityId: 'p', entityKind: 'vendor', commandLine } });

  it('is a command that packs, or a file with the name of an archive', () => {
    for (const line of [
      '7z.exe a x.7z *',
      'Rar.exe a x d',
      'powershell Compress-Archive a b',
      'makecab a b',
      'tar -czf a b',
    ]) {
      expect(packingOf(command(line)), line).toBeDefined();
    }
    expect(packingOf(event({ kind: 'file_write', op: 'create', path: 'C:\\a.zip' }))).toMatchObject({
      host: 'pc',
      at: NOON,
      entityId: 'packer',
    });
  });
  it('is no unpacking, no reading and no other file', () => {
    expect(packingOf(command('7z.exe x x.7z'))).toBeUndefined();
    expect(packingOf(command('tar -xf a'))).toBeUndefined();
    expect(packingOf(event({ kind: 'file_read', op: 'read', path: 'C:\\a.zip' }))).toBeUndefined();
    expect(packingOf(event({ kind: 'file_write', op: 'create', path: 'C:\\a.txt' }))).toBeUndefined();
  });
});
