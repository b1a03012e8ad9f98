/** Frame to segment: peels layer after layer until TCP or UDP, or a reason why there is none. */

import { peelEthernet, peelEtherType, peelLlc, peelMpls, peelNsh, peelPpp, peelPppoe } from './ethernet.ts';
import { FragmentTable } from './fragments.ts';
import { Frame, Layer, type Step } from './frame.ts';
import { peelGre } from './gre.ts';
import { peelIpv4 } from './ipv4.ts';
import { peelIpv6 } from './ipv6.ts';
import { enterLink } from './link.ts';
import { copySegment, type Segment } from './segment.ts';
import { peelIpPayload } from './transport.ts';
import { peelUdpTunnel } from './udp-tunnel.ts';
import { Verdict } from './verdict.ts';
import { peelWifi } from './wifi.ts';

/** Layers of one frame. Mirrored traffic of overlay networks has about twelve. */
export const LAYER_CAP = 32;

/** The verdict when bytes that were taken for a tunnel by port turn out to be none, and the datagram stays UDP. */
function refutesTunnel(verdict: number): boolean {
  return verdict === Verdict.notIp || verdict === Verdict.badLength || verdict === Verdict.badHeader;
}

export class FrameDecoder {
  /** Fragments that wait; its counters are the caller's to publish. */
  readonly fragments = new FragmentTable();
  private readonly frame = new Frame(this.fragments);

  /**
   * Decodes one captured frame, bytes[start, end), into `out`. Only with Verdict.segment is `out` meaningful, and then
   * until the next call. Never throws; cost is linear in the frame.
   *
   * @param wireLength bytes the frame had on the wire
   * @param linkType LINKTYPE_ value
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    tsMicros: number,
    wireLength: number,
    linkType: number,
    out: Segment,
  ): Verdict {
    const frame = this.frame;
    frame.bytes = bytes;
    frame.at = start;
    frame.end = end;
    frame.wireEnd = wireLength > end - start ? start + wireLength : end;
    frame.tsMicros = tsMicros;
    frame.hasPlain = false;
    out.vlan = -1;
    out.tunnels = 0;
    out.badChecksum = false;
    out.fragmented = false;
    out.fragmentConflict = false;

    let step = enterLink(frame, out, linkType);
    for (let layers = 1; step < 0; layers++) step = layers < LAYER_CAP ? peel(step, frame, out) : Verdict.overNesting;
    if (frame.hasPlain && refutesTunnel(step)) {
      copySegment(frame.plain, out);
      return Verdict.segment;
    }
    return step as Verdict;
  }
}

function peel(layer: Step, frame: Frame, out: Segment): Step {
  switch (layer) {
    case Layer.ipPayload:
      return peelIpPayload(frame, out);
    case Layer.ipv4:
      return peelIpv4(frame, out);
    case Layer.ipv6:
      return peelIpv6(frame, out);
    case Layer.ip:
      return peelIp(frame, out);
    case Layer.ethernet:
      return peelEthernet(frame, out);
    case Layer.etherType:
      return peelEtherType(frame, out);
    case Layer.llc:
      return peelLlc(frame);
    case Layer.mpls:
      return peelMpls(frame, out);
    case Layer.pppoe:
      return peelPppoe(frame, out);
    case Layer.ppp:
      return peelPpp(frame);
    case Layer.gre:
      return peelGre(frame, out);
    case Layer.nsh:
      return peelNsh(frame);
    case Layer.udpTunnel:
      return peelUdpTunnel(frame, out);
    default:
      return peelWifi(frame);
  }
}

function peelIp(frame: Frame, out: Segment): Step {
  if (frame.end <= frame.at) return frame.missing(1);
  const version = frame.bytes[frame.at]! >> 4;
  if (version === 4) return peelIpv4(frame, out);
  return version === 6 ? peelIpv6(frame, out) : Verdict.badHeader;
}
