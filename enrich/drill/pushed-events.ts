import { hostname, userInfo } from 'node:os';
import type { Announcement } from './announcement.ts';
import type { SenderStep } from './sender-step.ts';

/** The sending process, as its own events name it. */
export interface SenderProcess {
  readonly drill: string;
  readonly pid: number;
  readonly parentPid: number;
  readonly commandLine: string;
  readonly startedMillis: number;
  readonly ips: readonly string[];
}

/** Event documents of Elastic Defend about the drill's own process: what an EDR on this host would have sent. */
export function processEvent(sender: SenderProcess): object {
  return document(sender, 'process', 'start', sender.startedMillis, {});
}

export function archiveEvent(sender: SenderProcess, path: string, step: SenderStep & { step: 'packed' }): object {
  const file = { path, size: step.bytes, Ext: { header_bytes: '504b0304140000080800' } };
  return document(sender, 'file', 'creation', step.atMillis, { file });
}

export function connectionEvent(
  sender: SenderProcess,
  to: Announcement['to'],
  step: SenderStep & { step: 'connected' },
): object {
  return document(sender, 'network', 'connection_attempted', step.atMillis, {
    source: { ip: step.localIp, port: step.localPort },
    destination: to,
    network: { transport: 'tcp', direction: 'egress' },
  });
}

function document(sender: SenderProcess, dataset: string, action: string, atMillis: number, more: object): object {
  const { drill, pid, parentPid, commandLine, startedMillis, ips } = sender;
  const executable = process.execPath;
  return {
    '@timestamp': new Date(atMillis).toISOString(),
    event: {
      module: 'endpoint',
      dataset: `endpoint.events.${dataset}`,
      action,
      id: `waybill-drill-${drill}-${dataset}`,
    },
    host: { name: hostname(), ip: ips },
    user: { name: userInfo().username },
    process: {
      entity_id: `waybill-drill-${drill}-${pid}`,
      pid,
      executable,
      command_line: commandLine,
      start: new Date(startedMillis).toISOString(),
      parent: { entity_id: `waybill-drill-${drill}-${parentPid}`, pid: parentPid, executable },
    },
    ...more,
  };
}
