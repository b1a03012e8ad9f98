import { describe, expect, it } from 'vitest';
import type { Json } from '../build/endpoint.ts';
import { sentinelone } from '../build/feed-records.ts';
import { AT_MILLIS, read, TUPLE } from '../build/read-records.ts';

describe('SentinelOne', () => {
  it('makes the actor the parent of what it created', () => {
    const record = sentinelone('ProcessCreation', {
      'tgt.process.uid': 'CAFE',
      'tgt.process.pid': 5000,
      'tgt.process.image.path': 'C:\\x.exe',
      'tgt.process.startTime': 1_715_687_999_000,
      'tgt.process.signedStatus': 'unsigned',
    });
    expect(read(record)).toMatchObject({
      id: 's1-id-1',
      kind: 'process_start',
      at: AT_MILLIS,
      host: { id: 'agent-uuid', name: 'pc1' },
      process: {
        entityId: 'cafe',
        startedAt: 1_715_687_999_000_000,
        signatureStatus: 'unsigned',
        parent: { entityId: 'f00d', pid: 4660 },
      },
    });
  });

  it.each([
    ['OUTGOING', 'SUCCESS', 'egress', 'ok'],
    ['INCOMING', 'FAILURE', 'ingress', 'failed'],
  ])('reads a connection %s %s, flat or nested', (direction, status, expected, outcome) => {
    const flat = sentinelone('IPConnect', {
      'src.ip.address': '10.1.2.3',
      'src.port.number': 50123,
      'dst.ip.address': '203.0.113.9',
      'dst.port.number': 443,
      'event.network.direction': direction,
      'event.network.connectionStatus': status,
      'event.repetitionCount': 2,
    });
    expect(read(flat)).toMatchObject({
      kind: 'connection',
      direction: expected,
      outcome,
      transport: 'tcp',
      aggregate: { count: 2 },
      process: { entityId: 'f00d', signer: 'WIN.RAR GMBH', signatureStatus: 'valid', parent: { entityId: 'beef' } },
      ...TUPLE,
    });
    expect(read(nest(flat))).toEqual(read(flat));
  });

  it('reads the type of a written file', () => {
    expect(
      read(sentinelone('File Creation', { 'tgt.file.path': 'C:\\x.bin', 'tgt.file.type': 'RAR', 'tgt.file.size': 7 })),
    ).toMatchObject({
      mimeType: 'application/vnd.rar',
      size: 7,
    });
  });

  function nest(flat: Json): Json {
    const root: Json = {};
    for (const [path, value] of Object.entries(flat)) {
      const parts = path.split('.');
      let at = root;
      for (const part of parts.slice(0, -1)) {
        at[part] ??= {};
        at = at[part] as Json;
      }
      at[parts.at(-1)!] = value;
    }
    return root;
  }

  describe('in the names of the first Deep Visibility', () => {
    const first = (eventType: string, fields: Json): Json => ({
      agentName: 'pc1',
      agentUuid: 'AGENT-UUID',
      createdAt: '2024-05-14T12:00:00.123000Z',
      eventType,
      id: '538501898938548224',
      ...fields,
    });
    const ACTOR = {
      srcProcUid: 'F00D',
      srcProcPid: '4660',
      srcProcImagePath: 'C:\\Tools\\rar.exe',
      srcProcCmdLine: 'rar a out.rar',
      srcProcUser: 'CORP\\ann',
      srcProcSignedStatus: 'unsigned',
      srcProcParentUid: 'BEEF',
      srcProcParentPid: '888',
    };
    const PROCESS = {
      entityId: 'f00d',
      pid: 4660,
      image: 'C:\\Tools\\rar.exe',
      commandLine: 'rar a out.rar',
      user: { domain: 'CORP', name: 'ann' },
    };

    it('is read for connections, files, look-ups and ends', () => {
      const ends = { srcIp: '203.0.113.9', srcPort: 443, dstIp: '10.1.2.3', dstPort: '50123' };
      const incoming = {
        ...ACTOR,
        ...ends,
        netEventDirection: 'INCOMING',
        netConnStatus: 'SUCCESS',
        metaEventName: 'TCPV4',
      };
      expect(read(first('IP Connect', incoming))).toMatchObject({
        id: '538501898938548224',
        at: AT_MILLIS,
        host: { id: 'agent-uuid', name: 'pc1' },
        kind: 'connection',
        direction: 'ingress',
        transport: 'tcp',
        outcome: 'ok',
        source: TUPLE.destination,
        destination: TUPLE.source,
        process: { ...PROCESS, signatureStatus: 'unsigned', parent: { entityId: 'beef', pid: 888 } },
      });
      const file = { ...ACTOR, tgtFilePath: 'C:\\out.rar', tgtFileSize: '77', tgtFileType: 'RAR' };
      expect(read(first('File Creation', file))).toMatchObject({ kind: 'file_write', path: 'C:\\out.rar', size: 77 });
      const dns = { ...ACTOR, dnsRequest: 'a.example', dnsResponse: 'type:  5 b.example;203.0.113.9;' };
      expect(read(first('DNS Resolved', dns))).toMatchObject({ name: 'a.example', answers: ['203.0.113.9'] });
      expect(read(first('Process Exit', ACTOR))).toMatchObject({ kind: 'process_end', process: PROCESS });
    });

    it('has the target of a start, or, in the oldest records, the process itself below its parent', () => {
      const target = { tgtProcUid: 'CAFE', tgtProcPid: '5000', tgtProcImagePath: 'C:\\x.exe', tgtProcCmdLine: 'x' };
      expect(read(first('Process Creation', { ...ACTOR, ...target }))).toMatchObject({
        kind: 'process_start',
        process: { entityId: 'cafe', pid: 5000, commandLine: 'x', parent: { entityId: 'f00d', pid: 4660 } },
      });
      const oldest = {
        processUniqueKey: 'CAFE',
        processName: 'x.exe',
        processImagePath: 'C:\\x.exe',
        processCmd: 'x -a',
        pid: '5000',
        parentProcessUniqueKey: 'F00D',
        parentProcessName: 'rar.exe',
        parentPid: '4660',
        user: 'CORP\\ann',
      };
      expect(read(first('Process Creation', oldest))).toMatchObject({
        kind: 'process_start',
        process: {
          entityId: 'cafe',
          pid: 5000,
          image: 'C:\\x.exe',
          commandLine: 'x -a',
          user: { domain: 'CORP', name: 'ann' },
          parent: { entityId: 'f00d', pid: 4660, image: 'rar.exe' },
        },
      });
    });
  });
});
