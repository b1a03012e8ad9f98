/** c06: damaged and hostile capture files are refused or read up to the damage, and what is wrong is said. */
import { describe, expect, it } from 'vitest';
import { CaptureReader } from '../../sensor/capture/capture-reader.ts';
import type { CaptureSummary } from '../../sensor/capture/packet.ts';
import { INTERFACE_CAP } from '../../sensor/capture/pcapng-file.ts';
import { PACKET_CAP } from '../../sensor/capture/record-parser.ts';
import { block, interfaceBlock, pcap, pcapng, sectionHeader } from '../build/captures.ts';
import { concat, ethernet, tcp } from '../build/frames.ts';
import { PacketLog } from '../build/packet-log.ts';

const FRAME = ethernet(tcp({ payload: 'hello' }));
const le32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);

function read(file: Uint8Array, chunk = file.length): { lines: string[]; summary: CaptureSummary } {
  const log = new PacketLog();
  const reader = new CaptureReader(log);
  for (let at = 0; at < file.length; at += chunk) reader.push(file.subarray(at, at + chunk));
  return { lines: log.lines, summary: reader.end() };
}

/** `file` with a 32-bit little-endian value written at `at`. */
function patched(file: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(file);
  copy.set(le32(value), at);
  return copy;
}

const SECOND = 24 + 16 + FRAME.length;

describe('a damaged pcap', () => {
  const file = pcap([{ bytes: FRAME }, { bytes: FRAME }, { bytes: FRAME }]);

  it('is read up to a length that cannot be, which is named with its packet and offset', () => {
    const { lines, summary } = read(patched(file, SECOND + 8, 0xfffffff0));
    expect(lines).toHaveLength(1);
    expect(summary.damaged).toBe(
      `packet 2 says 4294967280 bytes, more than the file's limit of 262144; the file is damaged from offset ${SECOND}. 1 packet read.`,
    );
  });

  it('is judged by the same limit when its snap length is 0', () => {
    expect(read(patched(file, 16, 0)).summary).toEqual({ packets: 3, bytes: file.length });
    expect(read(patched(patched(file, 16, 0), SECOND + 8, 300_000)).summary.damaged).toContain('limit of 262144');
  });

  it('may hold packets longer than its snap length: writers do that', () => {
    expect(read(pcap([{ bytes: FRAME }], { snapLength: 16 })).summary.packets).toBe(1);
  });

  it('never says that less was on the wire than captured', () => {
    const { lines, summary } = read(patched(file, SECOND + 12, 3));
    expect(lines[1]).toContain(` ${FRAME.length}/${FRAME.length} `);
    expect(summary.damaged).toBeUndefined();
  });

  it('says of which version it is when that is not 2', () => {
    const { summary } = read(patched(file, 4, 9));
    expect(summary.damaged).toBe('not a capture this program reads: pcap version 9.0, expected 2.4.');
  });
});

describe('packets longer than the packet cap', () => {
  const long = { bytes: new Uint8Array(PACKET_CAP + 900_000).fill(7), wireLength: 2_000_000 };
  const packets = [{ bytes: FRAME }, long, { bytes: FRAME }];

  it.each([1 << 30, 100_000])('are delivered to the cap when the file allows it, and what follows is read', (chunk) => {
    const { lines, summary } = read(pcap(packets, { snapLength: 4_000_000 }), chunk);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain(` ${PACKET_CAP}/2000000 `);
    expect(lines[2]).toBe(lines[0]);
    expect(summary.damaged).toBeUndefined();
  });

  it('are delivered to the cap from pcapng, where the block says its length', () => {
    const { lines, summary } = read(pcapng(packets));
    expect(lines[1]).toContain(` ${PACKET_CAP}/2000000 `);
    expect(lines[2]).toBe(lines[0]);
    expect(summary.damaged).toBeUndefined();
  });

  it('are named when the file ends inside them', () => {
    const file = pcap(packets, { snapLength: 4_000_000 });
    const { summary } = read(file.subarray(0, 24 + 16 + FRAME.length + 16 + PACKET_CAP + 1000));
    expect(summary.damaged).toBe(
      `the file ends inside packet 2 (${long.bytes.length} bytes announced, 899000 missing), which starts at offset ${SECOND}. 2 packets read.`,
    );
  });
});

describe('a damaged pcapng', () => {
  const file = pcapng([{ bytes: FRAME }, { bytes: FRAME }]);
  const FIRST = 28 + 20;
  const NEXT = FIRST + 32 + Math.ceil(FRAME.length / 4) * 4;

  it.each([0, 4, 11, 12 + 1, 0xffffff_01])('is read up to a block that says %i as its length', (length) => {
    const { lines, summary } = read(patched(file, NEXT + 4, length));
    expect(lines).toHaveLength(1);
    expect(summary.damaged).toBe(
      `the block at offset ${NEXT} (before packet 2) says its length is ${length}, expected a multiple of 4 from 12; the file is damaged from there. 1 packet read.`,
    );
  });

  it('is read up to a block that is longer than the file', () => {
    const { lines, summary } = read(patched(file, NEXT + 4, 0xfffffff0));
    expect(lines).toHaveLength(1);
    expect(summary.damaged).toMatch(new RegExp(`^the file ends inside the block at offset ${NEXT} `));
  });

  it('is read up to a block whose two lengths differ', () => {
    const { lines, summary } = read(patched(file, file.length - 4, 64));
    expect(lines).toHaveLength(1);
    expect(summary.damaged).toContain('at its start and 64 at its end');
  });

  it('is read up to a packet that is longer than its block', () => {
    const { lines, summary } = read(patched(file, NEXT + 20, 0xfffffff0));
    expect(lines).toHaveLength(1);
    expect(summary.damaged).toContain('packet 2 says 4294967280 bytes in a block of');
  });

  it('is read up to a packet of an interface that was not described', () => {
    const { summary } = read(patched(file, NEXT + 8, 5));
    expect(summary.damaged).toBe(
      `packet 2 names interface 5, the section has 1; the file is damaged from offset ${NEXT}. 1 packet read.`,
    );
  });

  it('does not lend the interfaces of one section to the next', () => {
    const { lines, summary } = read(concat(file, sectionHeader(), file.subarray(FIRST)));
    expect(lines).toHaveLength(2);
    expect(summary.damaged).toContain('packet 3 names interface 0, the section has 0;');
  });

  it('keeps no more interfaces than the cap, and still reads packets of those', () => {
    const many = new Array<Uint8Array>(1_000_000).fill(interfaceBlock());
    const packet = (id: number): Uint8Array =>
      block(6, concat(le32(id), le32(0), le32(0), le32(FRAME.length), le32(FRAME.length), FRAME));
    const interfaces = Buffer.concat([sectionHeader(), ...many]);
    const { lines, summary } = read(concat(interfaces, packet(INTERFACE_CAP - 1), packet(INTERFACE_CAP)));
    expect(lines).toHaveLength(1);
    expect(summary.damaged).toContain(`names interface ${INTERFACE_CAP}, the section has ${INTERFACE_CAP} (the limit)`);
  });

  it('is refused when its section header has no byte-order magic', () => {
    expect(read(patched(file, 8, 0)).summary.damaged).toBe(
      'not a capture: it starts like pcapng but has no byte-order magic.',
    );
  });
});

describe('what is no capture', () => {
  it.each([
    ['nothing', new Uint8Array(0), 'not a capture: the file is empty.'],
    ['three bytes', Uint8Array.of(0xd4, 0xc3, 0xb2), 'not a capture: the file has only 3 bytes.'],
    [
      'a picture',
      Buffer.from('GIF89a..'),
      'not a capture: it starts with 47494638, expected the magic of pcap, pcapng or gzip.',
    ],
    [
      'zstd',
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0),
      'not read: zstd-compressed; decompress it first (zstd -dc FILE | … -r -).',
    ],
    ['snoop', Buffer.from('snoop\0\0\0'), 'not read: a snoop file; convert it first (editcap -F pcapng FILE OUT).'],
    ['Network Monitor', Buffer.from('GMBU\0\x02'), /^not read: a Network Monitor capture; convert it/],
    ['bzip2', Buffer.from('BZh91AY'), /^not read: bzip2-compressed/],
    ['zip', Buffer.from('PK\x03\x04..'), /^not read: a zip archive/],
    [
      'a cut file header',
      pcap([]).subarray(0, 20),
      'not a capture: a pcap file header is 24 bytes, the file ends after 20.',
    ],
    ['a cut section header', pcapng([]).subarray(0, 10), 'not a capture: the pcapng section header is cut.'],
  ])('is said to be none: %s', (_name, file, message) => {
    const { packets, damaged } = read(file).summary;
    expect(packets).toBe(0);
    if (typeof message === 'string') expect(damaged).toBe(message);
    else expect(damaged).toMatch(message);
  });
});
