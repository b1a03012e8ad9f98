import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointEvent } from '../../enrich/event/endpoint-event.ts';
import { valueText } from '../../enrich/ingest/evtx/bin-xml-value.ts';
import { EvtxReader } from '../../enrich/ingest/evtx/evtx-file.ts';
import { eventXml, SECURITY_SAMPLES, SYSMON_SAMPLES, sysmon } from '../build/endpoint.ts';
import { EvtxChunk, evtxFile } from '../build/evtx.ts';
import { readAll } from '../build/read-records.ts';

function readLog(bytes: Buffer, pieceSize = bytes.length): { events: EndpointEvent[]; damage: string[] } {
  const events: EndpointEvent[] = [];
  const damage: string[] = [];
  const reader = new EvtxReader({
    event: (xml) => events.push(...readAll(xml)),
    damage: (_chunk, why) => damage.push(why),
  });
  for (let at = 0; at < bytes.length; at += pieceSize) reader.push(bytes.subarray(at, at + pieceSize));
  reader.end();
  return { events, damage };
}

const SAMPLES = [...Object.values(SYSMON_SAMPLES), ...Object.values(SECURITY_SAMPLES)].map((make) => make());

describe('a binary event log', () => {
  it('says what the XML of the same events says', () => {
    const { events, damage } = readLog(evtxFile(new EvtxChunk(SAMPLES).bytes));
    expect(damage).toEqual([]);
    expect(events).toEqual(SAMPLES.flatMap((event) => readAll(eventXml(event))));
  });

  it('is read the same in pieces of any size, over several chunks', () => {
    const log = evtxFile(
      new EvtxChunk(SAMPLES.slice(0, 6)).bytes,
      Buffer.alloc(65_536),
      new EvtxChunk(SAMPLES.slice(6)).bytes,
    );
    const whole = readLog(log);
    expect(whole.events).toHaveLength(SAMPLES.length);
    expect(whole.damage).toEqual([]);
    for (const size of [1000, 4096, 65_537]) expect(readLog(log, size)).toEqual(whole);
  });

  it('cannot smuggle markup into the XML by its values', () => {
    const name = 'a"/></Data><EventID>1</EventID>&lt;.zip';
    expect(readLog(evtxFile(new EvtxChunk([sysmon(11, { TargetFilename: name })]).bytes)).events).toMatchObject([
      { kind: 'file_write', path: name },
    ]);
  });

  it('loses a damaged record and reads the next ones', () => {
    const chunk = new EvtxChunk(SAMPLES.slice(0, 3)).bytes;
    const second = chunk.indexOf(Buffer.from([0x2a, 0x2a, 0, 0]), 513);
    chunk[second + 24 + 4] = 0x77;
    const { events, damage } = readLog(evtxFile(chunk));
    expect(events).toHaveLength(2);
    expect(damage).toEqual(['a record of the event log is damaged']);
  });

  it('that is cut off is read as far as it goes', () => {
    const log = evtxFile(new EvtxChunk(SAMPLES).bytes);
    const cut = readLog(log.subarray(0, 4096 + 4000));
    expect(cut.events.length).toBeGreaterThan(0);
    expect(cut.damage).toEqual(['a chunk of the event log is cut off']);
    expect(readLog(log.subarray(0, 100)).damage).toEqual(['the event log is cut off']);
  });

  it('never throws and always ends, whatever bytes are changed', () => {
    const chunk = new EvtxChunk(SAMPLES).bytes;
    const used = chunk.readUInt32LE(48);
    const change = fc.tuple(
      fc.integer({ min: 0, max: used - 1 }),
      fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0x0c, 0x0d, 0x0e, 0x21, 0x81, 0xff)),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const spoiled = Buffer.from(chunk);
        for (const [at, value] of changes) spoiled[at] = value;
        readLog(evtxFile(spoiled));
      }),
      { numRuns: 400 },
    );
  });

  it('cannot grow by a template that uses itself', () => {
    // Every value is BinXML that uses the one template again, with the same values.
    const bytes = Buffer.alloc(65_536);
    const w = { at: 512 };
    const put = (...values: number[]) => {
      for (const value of values) w.at = bytes.writeUInt8(value, w.at);
    };
    const put32 = (value: number) => {
      w.at = bytes.writeUInt32LE(value, w.at);
    };
    bytes.write('ElfChnk\0', 0, 'latin1');
    put32(0x00002a2a);
    put32(60_000);
    w.at += 16;
    const start = w.at;
    put(0x0f, 1, 1, 0, 0x0c, 1);
    put32(1);
    put32(w.at + 4);
    w.at += 20;
    put32(4000);
    for (let i = 0; i < 1000; i++) put(0x0d, 0, 0, 0x21);
    put32(1);
    w.at = bytes.writeUInt16LE(50_000, w.at);
    put(0x21, 0);
    bytes.copy(bytes, w.at, start, start + 5000);
    bytes.writeUInt32LE(60_000, 48);
    expect(readLog(evtxFile(bytes)).events).toEqual([]);
  });
});

describe('a binary value', () => {
  const bytes = (hex: string) => Buffer.from(hex, 'hex');

  it.each([
    ['a SID', 0x13, '010500000000000515000000010000000200000003000000e9030000', 'S-1-5-21-1-2-3-1001'],
    ['a GUID', 0x0f, '30c2a3a79f6d4c4f8f01020304050607', '{A7A3C230-6D9F-4F4C-8F01-020304050607}'],
    ['a FILETIME', 0x11, '0000000000000000', ''],
    ['a hexadecimal number', 0x15, 'c279070000000000', '0x779c2'],
    ['a negative number', 0x07, 'ffffffff', '-1'],
    ['a boolean', 0x0d, '01000000', 'true'],
    ['a string with its end', 0x01, '610062000000', 'ab'],
    ['a list of strings', 0x81, '610000006200000000', 'a\nb'],
    ['bytes', 0x0e, '0aff', '0AFF'],
    ['a type nobody knows', 0x55, '00', ''],
    ['one shorter than its type', 0x0a, '0102', ''],
  ])('is written as Windows does: %s', (_name, type, hex, text) => {
    const value = bytes(hex);
    expect(valueText(value, 0, value.length, type)).toBe(text);
  });
});
