import { describe, expect, it } from 'vitest';
import { LivePipeline } from '../../sensor/cli/live-pipeline.ts';
import { buildPipeline } from '../../sensor/flow/pipeline.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { DATAGRAM_CAP } from '../../sensor/wire/fragments.ts';
import { conversation } from '../build/conversation.ts';
import { ethernet, fragmentIpv4, hex, udp } from '../build/frames.ts';

const HOUR = 3_600_000_000;
const START = 1_700_000_000_000_000;

function live() {
  const records: FlowRecord[] = [];
  const options = { observer: 't', communityIdSeed: 0, verbose: false };
  const pipeline = new LivePipeline(() => buildPipeline((r) => records.push(r), options));
  const play = (frames: readonly Uint8Array[], from: number): void => {
    for (const [i, frame] of frames.entries())
      pipeline.packet(frame, 0, frame.length, from + i * 1_000, frame.length, 1);
  };
  const ends = (): (string | undefined)[] =>
    records.filter((r) => r.event.action === 'flow_end').map((r) => r.destination.domain);
  return { pipeline, play, ends, records };
}

describe('the live pipeline', () => {
  it('ends the flows of the old time when it is begun anew, and follows those of an earlier hour', () => {
    const { pipeline, play, ends } = live();
    play(conversation({ serverName: 'old.example', ends: false }).frames, START);
    pipeline.restart();
    expect(ends()).toEqual(['old.example']);
    play(conversation({ serverName: 'new.example', ends: false, clientPort: 50_001 }).frames, START - HOUR);
    pipeline.tick(START - HOUR + 400_000_000);
    expect(ends()).toEqual(['old.example', 'new.example']);
  });
  it('goes on counting', () => {
    const { pipeline, play } = live();
    const arp = ethernet(hex('0001080006040001'), { type: 0x0806 });
    const initiation = Uint8Array.from({ length: 148 }, (_, i) => (i === 0 ? 1 : i < 4 ? 0 : i));
    const wireguard = ethernet(udp({ dstPort: 51_820, payload: initiation }));
    const unfinished = Array.from({ length: DATAGRAM_CAP + 3 }, (_, id) =>
      ethernet(fragmentIpv4(udp({ payload: new Uint8Array(90) }), 64, id)[0]!),
    );
    for (let round = 1; round <= 3; round++) {
      play([...conversation({ serverName: 'a.example' }).frames, arp, wireguard, ...unfinished], START);
      expect(pipeline.count('encryptedFlows')).toBe(round);
      expect(pipeline.skipped().get('arp')).toBe(round);
      expect(pipeline.unreadable()).toEqual(new Map([['wireguard', round]]));
      expect(pipeline.evictions()).toEqual(new Map([['fragments-full', 3 * round]]));
      pipeline.restart();
    }
  });
  it('ends quiet flows by the clock when no packet comes', () => {
    const { pipeline, play, ends, records } = live();
    play(conversation({ serverName: 'quiet.example', upload: 1_000, ends: false }).frames, START);
    pipeline.tick(START + 70_000_000);
    expect(records.map((r) => r.event.action)).toEqual(['flow_open', 'flow_update']);
    pipeline.tick(START + 120_000_000);
    expect(records).toHaveLength(2);
    pipeline.tick(START + 400_000_000);
    expect(ends()).toEqual(['quiet.example']);
    expect(pipeline.flows).toBe(0);
  });
});
