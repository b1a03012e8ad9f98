import { textOf } from '../field-values.ts';
import { type JsonObject, own } from '../json-object.ts';

/**
 * SentinelOne's first Deep Visibility, as `/dv/events` gives it: one camel-case name a fact, the newer `srcProc…` and `tgtProc…`
 * beside the older `process…` and `parentProcess…` (names: public API models and integration samples). Each name of today's
 * schema with the older names that say the same, the best first.
 */
const NAMES: readonly (readonly [name: string, older: readonly string[]])[] = [
  ['event.type', ['eventType']],
  ['event.id', ['id']],
  ['event.time', ['eventTime', 'createdAt', 'agentTimestamp']],
  ['meta.event.name', ['metaEventName']],
  ['endpoint.name', ['endpointName', 'agentName', 'agentComputerName']],
  ['agent.uuid', ['agentUuid', 'agentId']],
  ['event.network.direction', ['netEventDirection', 'direction']],
  ['event.network.connectionStatus', ['netConnStatus', 'connectionStatus']],
  ['src.ip.address', ['srcIp']],
  ['src.port.number', ['srcPort']],
  ['dst.ip.address', ['dstIp']],
  ['dst.port.number', ['dstPort']],
  ['event.dns.request', ['dnsRequest']],
  ['event.dns.response', ['dnsResponse']],
  ['tgt.file.path', ['tgtFilePath', 'fileFullName']],
  ['tgt.file.oldPath', ['tgtFileOldPath', 'oldFileName']],
  ['tgt.file.size', ['tgtFileSize', 'fileSize']],
  ['tgt.file.type', ['tgtFileType', 'fileType']],
  ['module.path', ['modulePath']],
  ['event.repetitionCount', ['eventRepetitionCount']],
];

/** Facts of one process: in today's schema, behind `srcProc`, `srcProcParent` and `tgtProc`, and of the older actor and parent. */
const PROCESS: readonly (readonly [name: string, newer: string, actor: string, parent: string])[] = [
  ['uid', 'Uid', 'processUniqueKey', 'parentProcessUniqueKey'],
  ['pid', 'Pid', 'pid', 'parentPid'],
  ['startTime', 'StartTime', 'processStartTime', 'parentProcessStartTime'],
  ['image.path', 'ImagePath', 'processImagePath', ''],
  ['name', 'Name', 'processName', 'parentProcessName'],
  ['displayName', 'DisplayName', 'processDisplayName', ''],
  ['cmdline', 'CmdLine', 'processCmd', ''],
  ['image.md5', 'ImageMd5', '', ''],
  ['image.sha1', 'ImageSha1', 'processImageSha1Hash', ''],
  ['image.sha256', 'ImageSha256', '', ''],
  ['publisher', 'Publisher', 'publisher', ''],
  ['verifiedStatus', 'VerifiedStatus', 'verifiedStatus', ''],
  ['signedStatus', 'SignedStatus', 'signedStatus', ''],
  ['user', 'User', 'user', ''],
  ['integrityLevel', 'IntegrityLevel', 'processIntegrityLevel', ''],
];

/** Whether a record is one of these; the camel-case type alone is no proof. */
export const isDeepVisibility = (record: JsonObject): boolean =>
  own(record, 'eventType') !== undefined &&
  (own(record, 'agentUuid') ?? own(record, 'agentId')) !== undefined &&
  IDENTITY.some((name) => own(record, name) !== undefined);

const IDENTITY = ['srcProcUid', 'srcProcName', 'processUniqueKey', 'processName', 'trueContext', 'metaEventName'];

/** The record under the names of today's schema. */
export function fromDeepVisibility(record: JsonObject): JsonObject {
  const found: [string, unknown][] = [];
  const take = (name: string, older: readonly string[]): void => {
    const value = older.map((old) => own(record, old)).find((candidate) => textOf(candidate) !== undefined);
    if (value !== undefined) found.push([name, value]);
  };
  for (const [name, older] of NAMES) take(name, older);
  // The oldest records of a start have no target: there the process is the new one, its parent the actor.
  const isOldStart =
    own(record, 'srcProcUid') === undefined && /^process ?creation$/i.test(textOf(own(record, 'eventType')) ?? '');
  for (const [name, newer, actor, parent] of PROCESS) {
    take(`src.process.${name}`, isOldStart ? [parent] : [`srcProc${newer}`, actor]);
    take(`tgt.process.${name}`, isOldStart ? [actor] : [`tgtProc${newer}`]);
    take(`src.process.parent.${name}`, isOldStart ? [] : [`srcProcParent${newer}`, parent]);
  }
  return Object.fromEntries(found);
}
