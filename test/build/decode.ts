import { ipText } from '../../sensor/base/ip.ts';
import { FrameDecoder } from '../../sensor/wire/decode-frame.ts';
import { Segment, TCP, Tunnel } from '../../sensor/wire/segment.ts';
import { VERDICT_NAMES } from '../../sensor/wire/verdict.ts';

/** A segment as words, for tests that look at all of it. */
export interface Decoded {
  readonly verdict: string;
  /** "tcp 192.0.2.10:50000 > 198.51.100.20:443", when the verdict is "segment". */
  readonly flow?: string;
  readonly payload?: string;
  /** Names of Tunnel bits. */
  readonly tunnels?: readonly string[];
}

/** Decodes whole frames in a row with one decoder. */
export class TestDecoder {
  readonly decoder = new FrameDecoder();
  readonly out = new Segment();

  decode(frame: Uint8Array, linkType = 1, wireLength = frame.length, tsMicros = 1): Decoded {
    const { out } = this;
    const verdict = this.decoder.decode(frame, 0, frame.length, tsMicros, wireLength, linkType, out);
    if (verdict !== 0) return { verdict: VERDICT_NAMES[verdict] ?? `${verdict}` };
    const src = `${ipText(out.src0, out.src1, out.src2, out.src3)}:${out.srcPort}`;
    const dst = `${ipText(out.dst0, out.dst1, out.dst2, out.dst3)}:${out.dstPort}`;
    return {
      verdict: 'segment',
      flow: `${out.transport === TCP ? 'tcp' : 'udp'} ${src} > ${dst}`,
      payload: Buffer.from(out.bytes.subarray(out.payloadStart, out.payloadEnd)).toString('latin1'),
      tunnels: Object.entries(Tunnel)
        .filter(([, bit]) => (out.tunnels & bit) !== 0)
        .map(([name]) => name),
    };
  }
}
