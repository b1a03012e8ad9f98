import { describe, expect, it } from 'vitest';
import { FeedNormalizer } from '../../enrich/ingest/normalizer.ts';
import { cybereasonElement } from '../build/edr-records.ts';
import { AT_MILLIS, read, readAll, TUPLE } from '../build/read-records.ts';

const OWNER = {
  ownerProcess: ['Process', 'PROCESS-1', 'rar.exe'],
  'ownerProcess.user': ['User', 'USER-1', 'corp\\ann'],
};
const CONNECTION = {
  elementDisplayName: '10.1.2.3:50123 > 203.0.113.9:443',
  localPort: '50123',
  remotePort: '443',
  serverAddress: '0.0.0.0',
  direction: 'OUTGOING',
  transportProtocol: 'TCP',
  calculatedCreationTime: '1715688000123',
};

describe("Cybereason's elements", () => {
  it('give a connection with its process, and its end with the bytes', () => {
    const opened = {
      feed: 'cybereason',
      kind: 'connection',
      at: AT_MILLIS,
      timeQuality: 'exact',
      host: { id: 'host-1', name: 'pc1' },
      direction: 'egress',
      transport: 'tcp',
      process: { entityId: 'PROCESS-1', image: 'rar.exe', user: { domain: 'corp', name: 'ann' } },
      ...TUPLE,
    };
    expect(readAll(cybereasonElement(CONNECTION, OWNER))).toMatchObject([opened]);
    const ended = cybereasonElement(
      {
        ...CONNECTION,
        endTime: '1715688060000',
        aggregatedTransmittedBytesCount: '4098',
        aggregatedReceivedBytesCount: '7',
      },
      OWNER,
    );
    const found = readAll(ended);
    expect(found).toMatchObject([
      opened,
      { phase: 'end', at: 1_715_688_060_000_000, bytes: { sent: 4098, received: 7 } },
    ]);
    // Asked for again while it ran, it is the same event.
    expect(found[0]?.id).toBe(read(cybereasonElement(CONNECTION, OWNER))?.id);
  });

  it.each([
    ['local first', '10.1.2.3:443 > 203.0.113.9:50123'],
    ['remote first', '203.0.113.9:50123 > 10.1.2.3:443'],
  ])('tell the ends of an incoming connection by their ports (%s)', (_name, elementDisplayName) => {
    const values = { ...CONNECTION, elementDisplayName, localPort: '443', remotePort: '50123', direction: 'INCOMING' };
    expect(read(cybereasonElement(values))).toMatchObject({
      direction: 'ingress',
      source: { ip: '203.0.113.9', port: 50123 },
      destination: { ip: '10.1.2.3', port: 443 },
    });
  });

  it('give a process with its start and end', () => {
    const values = {
      pid: '4660',
      commandLine: 'rar a out.rar',
      creationTime: '1715688000123',
      endTime: 1_715_688_060_000,
      calculatedName: 'rar.exe',
      'imageFile.correctedPath': 'c:\\tools\\rar.exe',
      'imageFile.md5String': 'a'.repeat(32),
      'imageFile.isSigned': 'true',
      'imageFile.signatureVerified': 'true',
    };
    const elements = {
      parentProcess: ['Process', 'PROCESS-0', 'explorer.exe'],
      calculatedUser: ['User', 'USER-1', 'corp\\ann'],
    };
    expect(readAll(cybereasonElement(values, elements, 'PROCESS-1'))).toMatchObject([
      {
        kind: 'process_start',
        at: AT_MILLIS,
        process: {
          entityId: 'PROCESS-1',
          pid: 4660,
          startedAt: AT_MILLIS,
          image: 'c:\\tools\\rar.exe',
          commandLine: 'rar a out.rar',
          hashes: { md5: 'a'.repeat(32) },
          signatureStatus: 'valid',
          user: { domain: 'corp', name: 'ann' },
          parent: { entityId: 'PROCESS-0', image: 'explorer.exe' },
        },
      },
      { kind: 'process_end', at: 1_715_688_060_000_000 },
    ]);
  });

  it('give a file with its size, by nobody', () => {
    const values = { correctedPath: 'c:\\out.rar', size: '9', createdTime: '1715688000123' };
    expect(read(cybereasonElement(values))).toMatchObject({
      kind: 'file_write',
      at: AT_MILLIS,
      path: 'c:\\out.rar',
      size: 9,
      process: { entityKind: 'none' },
    });
  });

  it('are unpacked from an answer, under their keys', () => {
    const element = cybereasonElement({ pid: '4660', creationTime: '1715688000123' }, {}, '');
    const answer = { data: { resultIdToElementDataMap: { 'KEY-9': element, junk: 7 } }, status: 'SUCCESS' };
    expect(readAll(answer)).toMatchObject([{ kind: 'process_start', process: { entityId: 'KEY-9' } }]);
  });

  it('are counted when they say too little', () => {
    const reader = new FeedNormalizer();
    reader.normalize(cybereasonElement({ pid: '4660' }));
    reader.normalize(cybereasonElement({ remotePort: '443' }));
    reader.normalize(cybereasonElement({ machineName: 'x' }));
    expect(reader.summary.rejected.entries()).toEqual([
      ['cybereason Connection: no addresses', 1],
      ['cybereason Process: no time', 1],
    ]);
    expect(reader.summary.ignored.entries()).toEqual([['cybereason element', 1]]);
  });
});
