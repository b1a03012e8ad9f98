import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommand } from '../../sensor/cli/options.ts';
import { SENSOR } from '../../sensor/cli/sensor.ts';
import { pcap } from '../build/captures.ts';
import { conversation } from '../build/conversation.ts';
import { describeLive, Network } from '../build/live-network.ts';

const MINUTES = 60_000;
const UNIT = readFileSync('sensor/systemd/waybill-sensor@.service', 'utf8');

const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(UNIT)?.[1] ?? '';

describe('the service unit', () => {
  it('starts the sensor with options it has', () => {
    const words = setting('ExecStart').replace('$WAYBILL_SENSOR_ARGS', '').trim().split(' ');
    expect(words.slice(0, 3)).toEqual(['/usr/bin/env', 'waybill', 'sensor']);
    const options = parseCommand(SENSOR, words.slice(3));
    expect([options.text('interface'), options.text('user')]).toEqual(['%I', 'waybill']);
  });
});

describeLive('o05 the sensor with nothing but what its service unit leaves it', () => {
  let network: Network;
  beforeAll(() => {
    network = new Network();
  });
  afterAll(() => network.remove());

  it(
    'captures, learns the kernel’s counts and ends its capture program',
    async () => {
      const capabilities = setting('CapabilityBoundingSet').toLowerCase().replaceAll('cap_', '').split(' ');
      const bounding = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
      const wrapper = ['setpriv', '--no-new-privs', '--bounding-set', bounding, '--inh-caps', '-all'];
      const sensor = network.startUnder(wrapper, '--driver', 'tcpdump', '--user', 'nobody');
      await sensor.logged('capture is up');
      const { frames } = conversation({ serverName: 'unit.example' });
      network.play(pcap(frames.map((bytes) => ({ bytes }))), 100);
      await sensor.read(frames.length);
      await sensor.until('counts of the kernel', () => sensor.metric('kernel_packets_total') > 0);
      expect(await sensor.stop()).toEqual({ code: 0, signal: null });
      expect(sensor.ends().has('unit.example')).toBe(true);
      expect(network.exec('ip', '-d', 'link', 'show')).not.toContain('promiscuity 1');
    },
    MINUTES,
  );
});
