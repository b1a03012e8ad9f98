/** UDP conversations as frames: datagrams in the order of the capture. */
import { DST, ethernet, SRC, udp } from './frames.ts';
import type { TimedFrame } from './observe.ts';
import { type FrameOptions, START_MICROS } from './tcp-connection.ts';
import type { Turn } from './tls-flights.ts';

/** Microseconds between datagrams. */
const STEP = 1_000;

/** One frame a turn. Each datagram has an IPv4 identification of its own. */
export function datagrams(turns: readonly Turn[], o: FrameOptions = {}): TimedFrame[] {
  const client = o.client ?? SRC;
  const server = o.server ?? DST;
  const [clientPort, serverPort] = [o.clientPort ?? 50_000, o.serverPort ?? 443];
  const carrier = o.carrier ?? ((packet) => [ethernet(packet)]);
  return turns.flatMap(([who, payload], i) => {
    const up = who === 'client';
    const packet = udp({
      src: up ? client : server,
      dst: up ? server : client,
      srcPort: up ? clientPort : serverPort,
      dstPort: up ? serverPort : clientPort,
      payload,
      id: (i + 1) & 0xffff,
      ...(o.extensions ? { extensions: o.extensions } : {}),
    });
    const tsMicros = (o.startMicros ?? START_MICROS) + (i + 1) * STEP;
    return carrier(packet).map((bytes) => ({ bytes, tsMicros }));
  });
}
