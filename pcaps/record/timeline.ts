/**
 * Where recordings lie in time. Inside one recording all intervals are real; a recording as a whole, and the marked
 * second half of one story, are moved by a constant number of whole seconds, so that fractions stay what they were.
 */
import type { CapturedPacket } from './pcap-file.ts';

export const SECOND_MICROS = 1_000_000;
export const HOUR_MICROS = 3600 * SECOND_MICROS;
export const DAY_MICROS = 24 * HOUR_MICROS;

/** Midnight UTC of the day on which the recorder runs: day 0 of the stories. */
export function dayZero(): number {
  return Math.floor(Date.now() / 86_400_000) * DAY_MICROS;
}

export type Move = (at: number) => number;

/** Moves what happened at `from` to about `to`, by whole seconds. */
export function moveTo(from: number, to: number): Move {
  const offset = Math.ceil((to - from) / SECOND_MICROS) * SECOND_MICROS;
  return (at) => at + offset;
}

/** What came at or after `mark` comes this much later. */
export function openGap(mark: number, micros: number): Move {
  return (at) => (at >= mark ? at + micros : at);
}

export function movePackets(packets: readonly CapturedPacket[], move: Move): CapturedPacket[] {
  return packets.map((packet) => ({ ...packet, at: move(packet.at) }));
}

export function isWorkday(day: number): boolean {
  const weekday = new Date(day / 1000).getUTCDay();
  return weekday !== 0 && weekday !== 6;
}
