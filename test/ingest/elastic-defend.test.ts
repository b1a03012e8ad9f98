import { describe, expect, it } from 'vitest';
import { elasticDefend } from '../build/feed-records.ts';
import { AT, ignoredAs, read, TUPLE } from '../build/read-records.ts';

describe('Elastic Defend', () => {
  const ends = { source: { ip: '10.1.2.3', port: 50123 }, destination: { ip: '203.0.113.9', port: 443 } };
  const out = { ...ends, network: { transport: 'tcp', direction: 'egress' } };

  it('reads a process start with signer and lineage, entity ids as they are', () => {
    const record = elasticDefend('process', 'start', {
      process: {
        entity_id: 'QUdFTlQtMS00NjYw',
        pid: 4660,
        executable: 'C:\\Tools\\rar.exe',
        command_line: 'rar a x.rar',
        hash: { sha256: 'b'.repeat(64) },
        pe: { original_file_name: 'Rar.exe' },
        code_signature: { exists: true, trusted: true, subject_name: 'win.rar GmbH', status: 'trusted' },
        Ext: { authentication_id: '0x3e7', token: { integrity_level_name: 'high' } },
        parent: { entity_id: 'UEFSRU5U', pid: 888, executable: 'C:\\Windows\\explorer.exe' },
      },
    });
    expect(read(record)).toMatchObject({
      id: 'Mv+1',
      kind: 'process_start',
      feed: 'elastic-defend',
      at: AT,
      timeQuality: 'exact',
      host: { id: 'agent-1', name: 'pc1', ips: ['10.1.2.3', 'fe80::1', '127.0.0.1'] },
      process: {
        entityId: 'QUdFTlQtMS00NjYw',
        entityKind: 'vendor',
        startedAt: AT,
        signer: 'win.rar GmbH',
        signatureStatus: 'valid',
        originalName: 'Rar.exe',
        logonId: '0x3e7',
        integrity: 'High',
        parent: { entityId: 'UEFSRU5U', pid: 888 },
      },
    });
  });

  it.each([
    [{ exists: true, trusted: false, status: 'errorExpired' }, 'unknown'],
    [{ exists: true, trusted: false, status: 'errorBadDigest' }, 'invalid'],
    [{ exists: false }, 'unsigned'],
  ])('reads the signature %j as %s', (code_signature, status) => {
    const record = elasticDefend('process', 'start', { process: { entity_id: 'x', pid: 4, code_signature } });
    expect(read(record)).toMatchObject({ process: { signatureStatus: status } });
  });

  it('opens a connection once, and reports its end apart with the bytes', () => {
    expect(read(elasticDefend('network', 'connection_attempted', out))).toMatchObject({
      kind: 'connection',
      direction: 'egress',
      outcome: 'attempt',
      ...TUPLE,
    });
    const end = {
      source: { ...ends.source, bytes: 900 },
      destination: { ...ends.destination, bytes: 40 },
      network: out.network,
    };
    expect(read(elasticDefend('network', 'disconnect_received', end))).toMatchObject({
      phase: 'end',
      bytes: { sent: 900, received: 40 },
    });
  });

  it('turns an inbound connection whose source is the host itself', () => {
    const inbound = elasticDefend('network', 'connection_accepted', {
      source: { ip: '10.1.2.3', port: 3389 },
      destination: { ip: '10.9.9.9', port: 50123 },
      network: { transport: 'tcp', direction: 'ingress' },
    });
    expect(read(inbound)).toMatchObject({
      direction: 'ingress',
      source: { ip: '10.9.9.9' },
      destination: { ip: '10.1.2.3', port: 3389 },
    });
  });

  it.each([
    ['377abcaf271c0004', 'C:\\a.tmp', 'application/x-7z-compressed'],
    ['504b0304140000', 'C:\\a.dat', 'application/zip'],
    ['504b0304140000', 'C:\\a.docx', undefined],
    ['526172211a070100', 'C:\\a.jpg', 'application/vnd.rar'],
    ['4d5a9000', 'C:\\a.exe', undefined],
  ])('tells from the first bytes %s of %s the type %s', (header_bytes, path, mimeType) => {
    const record = elasticDefend('file', 'creation', { file: { path, size: 12, Ext: { header_bytes, entropy: 7.9 } } });
    const event = read(record);
    expect(event).toMatchObject({ kind: 'file_write', op: 'create', path, size: 12, entropy: 7.9 });
    expect((event as { mimeType?: string }).mimeType).toBe(mimeType);
  });

  it('keeps both names of a rename, which is how archivers finish', () => {
    const record = elasticDefend('file', 'rename', {
      file: { path: 'C:\\x.rar', Ext: { original: { path: 'C:\\x.tmp' } } },
    });
    expect(read(record)).toMatchObject({ kind: 'file_write', op: 'rename', path: 'C:\\x.rar', oldPath: 'C:\\x.tmp' });
  });

  it.each([
    ['file', 'deletion', { file: { path: 'C:\\x.rar' } }, 'file_delete'],
    ['file', 'open', { file: { path: 'C:\\x.docx' } }, 'file_read'],
    ['library', 'load', { dll: { path: 'C:\\x.dll', code_signature: { exists: true, trusted: true } } }, 'image_load'],
    [
      'network',
      'lookup_result',
      { dns: { question: { name: 'files.example' }, resolved_ip: ['203.0.113.9'] } },
      'dns_query',
    ],
    ['network', 'lookup_requested', { dns: { question: { name: 'files.example' } } }, 'dns_query'],
    ['process', 'end', {}, 'process_end'],
  ])('reads %s %s', (dataset, action, parts, kind) => {
    expect(read(elasticDefend(dataset, action, parts))).toMatchObject({ kind });
  });

  it('reads a document flattened to dotted names and wrapped in a search hit', () => {
    const flat = {
      '@timestamp': '2024-05-14T12:00:00Z',
      'event.module': 'endpoint',
      'event.dataset': 'endpoint.events.network',
      'event.action': ['connection_attempted'],
      'process.entity_id': ['x'],
      'process.pid': [4660],
      'source.ip': ['10.1.2.3'],
      'source.port': [50123],
      'destination.ip': ['203.0.113.9'],
      'destination.port': [443],
    };
    expect(read({ _index: 'logs', _id: '1', fields: flat })).toMatchObject({ kind: 'connection', ...TUPLE });
    expect(read({ _index: 'logs', _id: '1', _source: flat })).toMatchObject({ kind: 'connection', ...TUPLE });
  });

  it('ignores by dataset and action what it has no use for', () => {
    expect(ignoredAs(elasticDefend('registry', 'modification', {}))).toBe('elastic-defend registry modification');
  });
});
