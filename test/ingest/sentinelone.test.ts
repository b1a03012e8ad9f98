import { describe, expect, it } from 'vitest';
import { type Json, sentinelone } from '../build/endpoint.ts';
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
});
