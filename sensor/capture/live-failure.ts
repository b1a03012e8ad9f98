/** Why a capture could not begin, in one line that says what to do. */
import { Exit, UserError } from '../base/exit.ts';
import { endText } from './live-capture.ts';
import { listInterfaces } from './live-interface.ts';
import type { CaptureEnd, CaptureRequest } from './live-messages.ts';

const PERMISSION = /permission|not permitted|privileges/i;
const FILTER =
  /filter expression|syntax error|parse error|illegal (token|char)|expression rejects|unknown (host|port|network|ether|protocol)|no VLAN support|can't parse/i;

/** @param filter the user's own part of the kernel filter */
export function captureFailure(
  request: Omit<CaptureRequest, 'marker'>,
  filter: string | undefined,
  end: CaptureEnd,
): UserError {
  const cannot = `cannot listen on ${request.interface}`;
  if (end.startError === 'ENOENT') {
    const { driver } = request;
    return new UserError(
      `${cannot}: ${driver} is not installed. Install it (${driver === 'dumpcap' ? 'apt-get install wireshark-common' : 'apt-get install tcpdump'}) or choose another with --driver.`,
    );
  }
  const why = reason(end);
  if (why.startsWith('cap-not-built')) {
    return new UserError(
      `${cannot}: the npm package cap is not built here. Its build needs a C++ compiler and the headers of libpcap: apt-get install g++ make python3 libpcap-dev, then npm rebuild cap; or use --driver tcpdump.`,
    );
  }
  if (FILTER.test(why)) {
    return new UserError(
      `--filter ${JSON.stringify(filter ?? '')}: libpcap says: ${why}. See pcap-filter(7).`,
      Exit.usage,
    );
  }
  if (PERMISSION.test(why)) {
    return new UserError(
      `${cannot}: permission denied. Run as root or give CAP_NET_RAW (see README, "Running without root").`,
    );
  }
  return new UserError(`${cannot}: ${why}`);
}

export function noSuchInterface(name: string): UserError {
  const names = listInterfaces().map((i) => i.name);
  return new UserError(
    `cannot listen on ${JSON.stringify(name).slice(1, -1)}: no such interface. Interfaces here: ${names.join(', ')}.`,
  );
}

/** The line that names the cause, without the program's own name before it; programs print notes around it. */
function reason(end: CaptureEnd): string {
  const lines = end.said.split('\n').map((line) => line.replace(/^(tcpdump|dumpcap): /, '').trim());
  const telling = lines.find((line) => line.startsWith('cap-not-built') || FILTER.test(line) || PERMISSION.test(line));
  return telling ?? endText(end);
}
