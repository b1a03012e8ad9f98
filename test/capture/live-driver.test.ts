import { describe, expect, it } from 'vitest';
import { driverProgram, stampsOnArrival } from '../../sensor/capture/live-driver.ts';
import { isInterfaceName } from '../../sensor/capture/live-interface.ts';
import { type CaptureRequest, type Driver, isLauncherOrder } from '../../sensor/capture/live-messages.ts';

const request = (driver: Driver, more: Partial<CaptureRequest> = {}): CaptureRequest => ({
  driver,
  interface: 'eth0',
  filter: '',
  snaplen: 65_535,
  bufferKiB: 131_072,
  promiscuous: true,
  user: undefined,
  marker: '00',
  ...more,
});

describe('the capture programs', () => {
  it('get a filter that begins with a dash as a filter, not as an option', () => {
    const { args } = driverProgram(request('tcpdump', { filter: '-w /etc/passwd' }));
    expect(args.slice(-2)).toEqual(['--', '-w /etc/passwd']);
    const dumpcap = driverProgram(request('dumpcap', { filter: '-w x' })).args;
    expect(dumpcap[dumpcap.indexOf('-f') + 1]).toBe('-w x');
  });
  it('are told not to be promiscuous when asked', () => {
    for (const driver of ['tcpdump', 'dumpcap'] as const) {
      expect(driverProgram(request(driver, { promiscuous: false })).args).toContain('-p');
      expect(driverProgram(request(driver)).args).not.toContain('-p');
    }
  });
  it('get their buffer in their own unit', () => {
    expect(driverProgram(request('tcpdump')).args).toContain('131072');
    expect(driverProgram(request('dumpcap')).args).toContain('128');
  });
  it('say in libpcap’s words that the kernel refused the filter', () => {
    for (const driver of ['tcpdump', 'dumpcap', 'cap'] as const) {
      const { read } = driverProgram(request(driver));
      const why = "Couldn't allocate kernel memory for filter: try increasing net.core.optmem_max with sysctl";
      expect(read(`Warning: ${why}`)).toEqual({ is: 'filtering late' });
      expect(read('Warning: Kernel filter failed: Invalid argument')).toEqual({ is: 'filtering late' });
    }
  });
  it('only cap leaves the time to us', () => {
    expect((['tcpdump', 'dumpcap', 'cap'] as const).filter(stampsOnArrival)).toEqual(['cap']);
  });
});

describe('what tcpdump says', () => {
  const { read } = driverProgram(request('tcpdump'));
  it('is listening', () => {
    const line = 'tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 65535 bytes';
    expect(read(line)).toEqual({ is: 'listening' });
  });
  it('are its counts, singular and plural', () => {
    expect(
      read('tcpdump: 58045 packets captured, 200000 packets received by filter, 141955 packets dropped by kernel'),
    ).toEqual({ is: 'counts', received: 200_000, dropped: 141_955 });
    expect(read('tcpdump: 1 packet captured, 1 packet received by filter, 1 packet dropped by kernel')).toEqual({
      is: 'counts',
      received: 1,
      dropped: 1,
    });
  });
  it('is nothing we know', () => {
    expect(read('tcpdump: pcap_loop: The interface disappeared')).toBeUndefined();
  });
});

describe('what dumpcap says', () => {
  const { read } = driverProgram(request('dumpcap'));
  it('is listening only once the interface is open', () => {
    expect(read("Capturing on 'eth0'")).toBeUndefined();
    expect(read('File: -')).toEqual({ is: 'listening' });
  });
  it('are its counts at the end: received and dropped are apart', () => {
    const line =
      "Packets received/dropped on interface 'eth0': 759703/81557 (pcap:81557/dumpcap:0/flushed:0/ps_ifdrop:0) (90.3%)";
    expect(read(line)).toEqual({ is: 'counts', received: 841_260, dropped: 81_557 });
  });
});

describe('interface names', () => {
  it.each(['eth0', 'enp0s31f6', 'br-lan', 'eth0.100', 'wg0', 'any', 'veth12@if3'])('accepts %s', (name) => {
    expect(isInterfaceName(name)).toBe(true);
  });
  it.each(['', '-i', '.', '..', '../../etc', 'eth0/statistics', 'a b', 'sixteen-letters-', 'eth0\n'])(
    'refuses %j, which is an option, a path or no name',
    (name) => expect(isInterfaceName(name)).toBe(false),
  );
});

describe('the launcher', () => {
  it('takes four words and nothing else', () => {
    expect(['drained', 'reopen', 'replace', 'stop'].every(isLauncherOrder)).toBe(true);
    for (const other of ['start', '', undefined, null, {}, ['stop'], { do: 'stop' }, 1]) {
      expect(isLauncherOrder(other)).toBe(false);
    }
  });
});
