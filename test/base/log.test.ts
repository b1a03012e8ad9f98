import { describe, expect, it } from 'vitest';
import { fieldText, jsonLog } from '../../sensor/base/log.ts';

function lines(write: (log: ReturnType<typeof jsonLog>) => void, level: 'info' | 'warn' = 'info'): unknown[] {
  const out: string[] = [];
  write(jsonLog({ name: 'sensor', level }, { write: (line) => void out.push(line) }));
  return out.map((line) => JSON.parse(line) as unknown);
}

describe('the log in JSON', () => {
  it('has time, level by name, who speaks, the fields and the message', () => {
    const [line] = lines((log) => log.warn({ interface: 'eth0', seconds: 2 }, 'capture is down'));
    expect(line).toMatchObject({
      level: 'warn',
      name: 'sensor',
      interface: 'eth0',
      seconds: 2,
      msg: 'capture is down',
    });
    expect((line as { time: string }).time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
  it('leaves out what is below its level', () => {
    expect(lines((log) => log.info({}, 'quiet'), 'warn')).toEqual([]);
  });
  it('keeps an event one line whatever its fields hold', () => {
    const text = 'a\nb\u001b[31m"';
    expect(lines((log) => log.info({ text }, 'm'))).toMatchObject([{ text }]);
  });
});

describe('fields on a terminal', () => {
  it('are plain words as they are, everything else quoted', () => {
    expect(fieldText({ interface: 'eth0', n: 3, on: true, gone: undefined })).toBe(' interface=eth0 n=3 on=true');
    expect(fieldText({ why: 'interface is gone' })).toBe(' why="interface is gone"');
  });
  it('cannot move the cursor, turn the text around or start a line', () => {
    const hostile = '\u001b[2J\r\n\u202e\u2066\u009b31m\u0000';
    expect(fieldText({ hostile })).toMatch(/^ hostile="[ -~]*"$/);
  });
});
