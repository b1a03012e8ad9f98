import type { ProcessRef, UserRef } from '../../event/endpoint-event.ts';
import { guidOf, hashesFrom, idOf, pidOf, userFrom } from '../field-values.ts';
import { joinedPath } from '../joined-path.ts';
import { parentRef, processRef } from '../process-key.ts';
import { deviceField, type LabelledFields } from './device-fields.ts';
import type { DeviceLine } from './device-line.ts';

/** Which end of the event a process stands at: `source`, `destination`, or the device that reports. */
export type Side = 'source' | 'destination' | 'device';

const KEYS: Readonly<Record<Side, { readonly pid: string; readonly image: string }>> = {
  source: { pid: 'spid', image: 'sproc' },
  destination: { pid: 'dpid', image: 'dproc' },
  device: { pid: 'dvcpid', image: 'deviceProcessName' },
};

const COMMAND_LINES = ['commandline', 'processcommandline', 'cmdline'];
const PROCESS_KEYS = ['processguid', 'processuid', 'processuniqueid'];

/** The first of these sides at which a line names a process, by number or by file. */
export function sideWithProcess(line: DeviceLine, sides: readonly Side[]): Side | undefined {
  return sides.find((side) => {
    const image = deviceField(line, KEYS[side].image);
    // The dictionary lets a device name whatever program wrote the line here, as syslog daemons do; a path is a process' own.
    if (side === 'device') return image !== undefined && /[\\/]/.test(image);
    return image !== undefined || pidOf(deviceField(line, KEYS[side].pid)) !== undefined;
  });
}

export function processAt(line: DeviceLine, labels: LabelledFields, side: Side): ProcessRef {
  return processRef({
    key: guidOf(labels.get(...PROCESS_KEYS)),
    pid: pidOf(deviceField(line, KEYS[side].pid)),
    image: deviceField(line, KEYS[side].image),
    commandLine: labels.get(...COMMAND_LINES),
    user:
      side === 'destination' ? (account(line, 'd') ?? account(line, 's')) : (account(line, 's') ?? account(line, 'd')),
  });
}

/** A process that was started: the one at the destination, by the one at the source, or the only one that is named. */
export function startedProcess(line: DeviceLine, labels: LabelledFields): ProcessRef | undefined {
  const started = sideWithProcess(line, ['destination', 'source', 'device']);
  if (started === undefined) return undefined;
  const by = started === 'destination' ? sideWithProcess(line, ['source']) : undefined;
  const parent =
    by === undefined
      ? undefined
      : parentRef({
          pid: pidOf(deviceField(line, KEYS[by].pid)),
          image: deviceField(line, KEYS[by].image),
          commandLine: labels.get('parentcommandline', 'parentprocesscommandline'),
        });
  const { entityId: _id, entityKind: _kind, ...facts } = processAt(line, labels, started);
  return processRef({ ...facts, key: guidOf(labels.get(...PROCESS_KEYS)), hashes: fileHashes(line), parent });
}

/**
 * The process of a Falcon detection: `fname` and `filePath` are its file, and what the connector labels ProcessId is Falcon's own
 * key of it, as in the data replicator, not a number of the system.
 */
export function falconProcess(line: DeviceLine, labels: LabelledFields, startedAt?: number): ProcessRef {
  return processRef({
    key: idOf(labels.get('processid') ?? deviceField(line, 'processId')),
    startedAt,
    image: joinedPath(deviceField(line, 'filePath'), deviceField(line, 'fname')),
    commandLine: labels.get(...COMMAND_LINES) ?? deviceField(line, 'commandLine'),
    hashes: fileHashes(line),
    user: account(line, 'd') ?? account(line, 's'),
    parent: parentRef({
      entityId: idOf(labels.get('parentprocessid')),
      commandLine: deviceField(line, 'parentCommandLine'),
    }),
  });
}

function fileHashes(line: DeviceLine): ProcessRef['hashes'] {
  const hash = deviceField(line, 'fileHash');
  return hashesFrom({
    md5: deviceField(line, 'md5') ?? hash,
    sha1: hash,
    sha256: deviceField(line, 'sha256') ?? deviceField(line, 'sha256fileHash') ?? hash,
  });
}

const account = (line: DeviceLine, side: 's' | 'd'): UserRef | undefined =>
  deviceField(line, `${side}user`) === undefined
    ? undefined
    : userFrom(deviceField(line, `${side}user`), deviceField(line, `${side}ntdom`), undefined);
