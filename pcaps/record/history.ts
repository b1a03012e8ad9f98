/**
 * The history before day 0: replicas of the one recorded ordinary day, each slot moved to its hour of an earlier day.
 * Packets, pids and intervals inside a slot are the recorded ones; the days, and the client ports, are constructed.
 */
import { createHash } from 'node:crypto';
import { type Fact, moveFacts } from './facts.ts';
import { decodeFrame } from './frames.ts';
import type { CapturedPacket } from './pcap-file.ts';
import { renumberFacts, renumberPacket } from './renumber.ts';
import type { Slot, Step } from './session.ts';
import type { Recording } from './take.ts';
import { DAY_MICROS, HOUR_MICROS, isWorkday, type Move, moveTo, SECOND_MICROS } from './timeline.ts';

export const HISTORY_DAYS = 14;
/** Slots wander by at most this much from day to day. */
const JITTER_SECONDS = 1500;
/** Share of workdays on which an 'often' slot happens, of 256. */
const OFTEN_OF_256 = 150;
const WEEKLY_WEEKDAY = 3;
/** Works on every day of the week. */
const ALWAYS_ON_HOST = 'SRV-FILE-08';

/** One slot of one machine, with all that belongs to it. */
interface Piece {
  readonly host: string;
  readonly slot: Slot;
  readonly from: number;
  readonly packets: readonly CapturedPacket[];
  readonly facts: readonly Fact[];
}

/** A number that looks random but is the same in every recording, 0 to 65535. */
function chance(...parts: readonly (string | number)[]): number {
  return createHash('sha256').update(parts.join(' ')).digest().readUInt16BE(0);
}

function happens(piece: Piece, day: number, index: number): boolean {
  if (piece.host !== ALWAYS_ON_HOST && !isWorkday(day)) return false;
  if (piece.slot.cadence === 'weekly') return new Date(day / 1000).getUTCDay() === WEEKLY_WEEKDAY;
  if (piece.slot.cadence === 'daily') return true;
  return chance('often', piece.host, piece.slot.hour, index) % 256 < OFTEN_OF_256;
}

/** The packets of a recording by the step whose socket they belong to. */
function packetsByStep({ packets, facts }: Recording): Map<number, CapturedPacket[]> {
  const steps = new Map<string, number>();
  for (const fact of facts) {
    if (fact.kind === 'connection') steps.set(`6 ${fact.source.ip} ${fact.source.port}`, fact.step);
    if (fact.kind === 'dns') steps.set(`17 ${fact.process.host.ip} ${fact.port}`, fact.step);
  }
  const byStep = new Map<number, CapturedPacket[]>();
  for (const packet of packets) {
    const frame = decodeFrame(packet);
    if (frame === undefined) continue;
    const step =
      steps.get(`${frame.protocol} ${frame.source} ${frame.sourcePort}`) ??
      steps.get(`${frame.protocol} ${frame.destination} ${frame.destinationPort}`);
    if (step !== undefined) byStep.set(step, [...(byStep.get(step) ?? []), packet]);
  }
  return byStep;
}

function piecesOf(recording: Recording): Piece[] {
  const packets = packetsByStep(recording);
  const groups = new Map<string, Step[]>();
  for (const step of recording.steps) {
    const key = `${step.host.name} ${step.user.name} ${step.slot?.hour}`;
    groups.set(key, [...(groups.get(key) ?? []), step]);
  }
  return [...groups.values()].map((steps) => {
    const numbers = new Set(steps.map((step) => step.number));
    const facts = recording.facts.filter((fact) => numbers.has(fact.step));
    return {
      host: steps[0]!.host.name,
      slot: steps[0]!.slot!,
      from: Math.min(...facts.map((fact) => fact.at)),
      packets: steps.flatMap((step) => packets.get(step.number) ?? []),
      facts,
    };
  });
}

export interface History {
  readonly packets: readonly CapturedPacket[];
  readonly facts: readonly Fact[];
}

/** @param dayZero midnight of the first day that is not history */
export function replicate(recording: Recording, dayZero: number): History {
  const packets: CapturedPacket[] = [];
  const facts: Fact[] = [];
  for (const piece of piecesOf(recording)) {
    for (let index = HISTORY_DAYS; index >= 1; index--) {
      const day = dayZero - index * DAY_MICROS;
      if (!happens(piece, day, index)) continue;
      const jitter = (chance('jitter', piece.host, piece.slot.hour, index) / 65_536) * JITTER_SECONDS * SECOND_MICROS;
      const move: Move = moveTo(piece.from, day + piece.slot.hour * HOUR_MICROS + jitter);
      for (const packet of piece.packets) packets.push(renumberPacket({ ...packet, at: move(packet.at) }, index));
      facts.push(...renumberFacts(moveFacts(piece.facts, move), index));
    }
  }
  return { packets: packets.sort((a, b) => a.at - b.at), facts };
}
