import type { ConnectionEvent, ProcessRef } from '../../event/endpoint-event.ts';
import { type End, end, transportOf } from '../connection-ends.ts';
import { boolOf, hashesFrom, idOf, integerOf, pidOf, portOf, textOf, userOf } from '../field-values.ts';
import { isObject, type JsonObject, objectAt, own } from '../json-object.ts';
import { compact, parentRef, processRef } from '../process-key.ts';
import { type Draft, hostRef, ignored, type Reading, type RecordContext, rejected } from '../reading.ts';
import { utcMicros } from '../time-text.ts';
import type { Adapter } from './adapter.ts';

/** An element that another one names: its key and its name. */
interface Named {
  readonly guid: string | undefined;
  readonly name: string | undefined;
}

/** What a reader makes of an element, or why it makes nothing. */
type Found = readonly Draft[] | { readonly reject: string };

/**
 * Elements of Cybereason as its query API gives them: `simpleValues` with lists of text, and `elementValues` with the elements they
 * belong to. What an element is, is told by the values that it has. Times are milliseconds.
 *
 * Sources: sample `malop_connection` in packages/cybereason/docs of elastic/integrations; `responses_raw_data.py` of
 * demisto/content; opencybersecurityalliance/stix-shifter, `cybereason`.
 */
export const cybereason: Adapter = {
  feed: 'cybereason',
  claims: (record) => isObject(own(record, 'simpleValues')) && isObject(own(record, 'elementValues')),
  read(record, context): Reading {
    const feed = 'cybereason';
    const element = new Element(record);
    const type = ELEMENTS.find(({ has }) => has(element));
    if (!type) return ignored(feed, 'element');
    const found = type.read(element);
    if ('reject' in found) return rejected(feed, type.name, found.reject);
    return {
      kind: 'events',
      feed,
      type: type.name,
      host: hostOf(element, context),
      drafts: found,
      ...vendorId(element),
    };
  },
};

/** An element's values by name; of a list, its first. */
class Element {
  private readonly simple: JsonObject;
  private readonly elements: JsonObject;
  readonly guid: string | undefined;

  constructor(record: JsonObject) {
    this.simple = objectAt(record, 'simpleValues') ?? {};
    this.elements = objectAt(record, 'elementValues') ?? {};
    this.guid = idOf(own(record, 'guidString'));
  }

  /** The first value of these names that there is. */
  value(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const entry = own(this.simple, name);
      const text = textOf(isObject(entry) ? own(entry, 'values') : entry);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  element(...names: readonly string[]): Named {
    for (const name of names) {
      const entry = own(this.elements, name);
      const list = isObject(entry) ? own(entry, 'elementValues') : undefined;
      const first: unknown = Array.isArray(list) ? list[0] : undefined;
      if (isObject(first)) return { guid: idOf(own(first, 'guid')), name: textOf(own(first, 'name')) };
    }
    return { guid: undefined, name: undefined };
  }

  time(...names: readonly string[]): number | undefined {
    return utcMicros(this.value(...names));
  }
}

const ELEMENTS: readonly {
  readonly name: string;
  readonly has: (element: Element) => boolean;
  readonly read: (element: Element) => Found;
}[] = [
  {
    name: 'Connection',
    has: (element) => element.value('remotePort', 'serverPort', 'localPort') !== undefined,
    read: connection,
  },
  { name: 'Process', has: (element) => element.value('pid', 'commandLine') !== undefined, read: process },
  { name: 'File', has: (element) => element.value('correctedPath', 'path') !== undefined, read: file },
];

function hostOf(element: Element, context: RecordContext) {
  const machine = element.element('ownerMachine', 'ownerProcess.ownerMachine', 'affectedMachines');
  return hostRef(machine.name ?? element.value('ownerMachine.machineName') ?? context.host, machine.guid);
}

const vendorId = ({ guid }: Element): { vendorId?: string[] } =>
  guid === undefined ? {} : { vendorId: ['cybereason', guid] };

/** Of who owns a connection only key and name are told, so that the rest comes with the element of the process. */
function owner(element: Element): ProcessRef {
  const { guid, name } = element.element('ownerProcess');
  return processRef({
    key: guid,
    pid: pidOf(element.value('ownerProcess.pid')),
    image: element.value('ownerProcess.imageFile.correctedPath') ?? name,
    commandLine: element.value('ownerProcess.commandLine'),
    user: userOf(element.element('ownerProcess.user', 'ownerProcess.calculatedUser').name),
  });
}

/** A connection from its start and, when it is over, with its end, which has the bytes. */
function connection(element: Element): Found {
  const { local, remote } = endsOf(element);
  if (local.ip === '' || remote.ip === '') return { reject: 'no addresses' };
  const opened = element.time('calculatedCreationTime', 'creationTime');
  if (opened === undefined) return { reject: 'no time' };
  const word = element.value('direction')?.toUpperCase();
  const direction: ConnectionEvent['direction'] =
    word === 'OUTGOING' ? 'egress' : word === 'INCOMING' ? 'ingress' : 'unknown';
  const body = {
    kind: 'connection' as const,
    process: owner(element),
    direction,
    transport: transportOf(element.value('transportProtocol')),
    ...(direction === 'ingress' ? { source: remote, destination: local } : { source: local, destination: remote }),
  };
  const drafts: Draft[] = [{ body, at: opened, clock: 'exact' }];
  const ended = element.time('endTime');
  if (ended === undefined) return drafts;
  const sent = integerOf(element.value('aggregatedTransmittedBytesCount'));
  const received = integerOf(element.value('aggregatedReceivedBytesCount'));
  const bytes = sent === undefined || received === undefined ? {} : { bytes: { sent, received } };
  return [...drafts, { body: { ...body, phase: 'end', ...bytes }, at: ended, clock: 'exact' }];
}

/** `10.1.2.3:50123 > 203.0.113.9:443`, the name of a connection. */
const DISPLAY_NAME = /^(.{1,64}):(\d{1,5}) > (.{1,64}):(\d{1,5})$/;

/** Local and remote end: from their own values, else from the name of the connection, in the order that the ports tell. */
function endsOf(element: Element): { local: End; remote: End } {
  const [localPort, remotePort] = [portOf(element.value('localPort')), portOf(element.value('remotePort'))];
  const local = end(element.value('localAddress') ?? element.element('localAddress').name, localPort);
  const remote = end(element.value('remoteAddress') ?? element.element('remoteAddress').name, remotePort);
  if (local.ip !== '' && remote.ip !== '') return { local, remote };
  const found = DISPLAY_NAME.exec(element.value('elementDisplayName') ?? '');
  const left = end(found?.[1], portOf(found?.[2]));
  const right = end(found?.[3], portOf(found?.[4]));
  const isTurned = localPort !== 0 && localPort === right.port && remotePort === left.port && left.port !== right.port;
  return isTurned ? { local: right, remote: left } : { local: left, remote: right };
}

function process(element: Element): Found {
  const startedAt = element.time('creationTime', 'calculatedCreationTime');
  const ended = element.time('endTime');
  const parent = element.element('parentProcess');
  const isSigned = boolOf(element.value('imageFile.isSigned'));
  const isVerified = boolOf(element.value('imageFile.signatureVerified'));
  const found = processRef({
    key: element.guid ?? element.element('self').guid,
    pid: pidOf(element.value('pid')),
    startedAt,
    image:
      element.value('imageFile.correctedPath') ?? element.element('imageFile').name ?? element.value('calculatedName'),
    commandLine: element.value('commandLine'),
    hashes: hashesFrom({
      md5: element.value('imageFile.md5String'),
      sha1: element.value('imageFile.sha1String'),
      sha256: element.value('imageFile.sha256String'),
    }),
    signatureStatus: isSigned === false ? 'unsigned' : isSigned && isVerified ? 'valid' : undefined,
    user: userOf(element.element('calculatedUser', 'user').name),
    parent: parentRef({ entityId: parent.guid, image: parent.name }),
  });
  if (found.entityKind === 'none') return { reject: 'no process' };
  const drafts: Draft[] =
    startedAt === undefined ? [] : [{ body: { kind: 'process_start', process: found }, at: startedAt, clock: 'exact' }];
  if (ended !== undefined) drafts.push({ body: { kind: 'process_end', process: found }, at: ended, clock: 'exact' });
  return drafts.length === 0 ? { reject: 'no time' } : drafts;
}

/** A file that the sensor knows: it was created when it says; by whom is not told. */
function file(element: Element): Found {
  const path = element.value('correctedPath', 'path');
  const created = element.time('createdTime', 'creationTime');
  if (path === undefined || created === undefined) return { reject: 'no time' };
  const size = integerOf(element.value('size'));
  const body = {
    kind: 'file_write' as const,
    op: 'create' as const,
    path,
    process: processRef({}),
    ...compact({ size }),
  };
  return [{ body, at: created, clock: 'exact' }];
}
