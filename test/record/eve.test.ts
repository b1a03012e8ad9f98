import { describe, expect, it } from 'vitest';
import { eveLines, FRAME_OVERHEAD } from '../../sensor/record/eve.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { FULL_RECORD, QUIC_RECORD, SSH_RECORD, withAction } from '../build/full-record.ts';

interface Event {
  readonly flow_id: number;
  readonly [name: string]: unknown;
}

const events = (record: FlowRecord): Event[] => JSON.parse(JSON.stringify(eveLines(record)));
const open = (record: FlowRecord): Event[] => events(withAction(record, 'flow_open'));

const COMMON = {
  in_iface: 'eth0',
  vlan: [12],
  src_ip: '10.1.2.3',
  src_port: 50_123,
  dest_ip: '198.51.100.20',
  dest_port: 443,
  proto: 'TCP',
  community_id: '1:wCb3OG7yAFWelaUydu0D+125CLM=',
};

describe('a flow record as events of Suricata', () => {
  it('is a tls event when the handshake is complete', () => {
    expect(open(FULL_RECORD)).toEqual([
      {
        timestamp: '2024-05-14T12:00:07.250000+0000',
        flow_id: expect.any(Number),
        event_type: 'tls',
        ...COMMON,
        tls: {
          subject: 'CN=files.example',
          issuerdn: 'CN=Example CA, O=Example',
          serial: '01AB',
          notbefore: '2024-05-01T00:00:00Z',
          notafter: '2025-05-01T00:00:00Z',
          subjectaltname: ['files.example', '*.files.example'],
          sni: 'files.example',
          version: 'TLS 1.2',
          ja3: { hash: '0123456789abcdef0123456789abcdef', string: '771,49199,0-10-11,29,0' },
          ja3s: { hash: 'fedcba9876543210fedcba9876543210' },
          ja4: 't12d030500_0123456789ab_cdef01234567',
          client_alpns: ['h2', 'http/1.1'],
          server_alpns: ['h2'],
        },
      },
    ]);
  });

  it('is a flow event at its end, with the bytes of whole frames', () => {
    expect(events(FULL_RECORD)).toEqual([
      {
        timestamp: '2024-05-14T12:00:07.250000+0000',
        flow_id: expect.any(Number),
        event_type: 'flow',
        ...COMMON,
        app_proto: 'tls',
        flow: {
          pkts_toserver: 90,
          pkts_toclient: 41,
          bytes_toserver: 104_857 + 90 * FRAME_OVERHEAD,
          bytes_toclient: 5_120 + 41 * FRAME_OVERHEAD,
          start: '2024-05-14T12:00:00.123456+0000',
          end: '2024-05-14T12:00:07.250000+0000',
          age: 7,
          state: 'closed',
          reason: 'timeout',
        },
      },
    ]);
  });

  it('is no event while it lives', () => {
    expect(events(withAction(FULL_RECORD, 'flow_update'))).toEqual([]);
  });

  it('is a quic event with names and fingerprints, an ssh event with software and HASSH', () => {
    expect(open(QUIC_RECORD)).toMatchObject([
      { event_type: 'quic', proto: 'UDP', quic: { sni: 'files.example', ja4: 't12d030500_0123456789ab_cdef01234567' } },
    ]);
    expect(open(SSH_RECORD)).toMatchObject([
      {
        event_type: 'ssh',
        ssh: {
          client: { software_version: 'OpenSSH_9.6', hassh: { hash: '0a'.repeat(16) } },
          server: { software_version: 'OpenSSH_9.2' },
        },
      },
    ]);
  });

  it('has one number for all events of a flow and another for another flow, exact in JSON', () => {
    const other = { ...FULL_RECORD, waybill: { ...FULL_RECORD.waybill, flow_id: 'wCb3OG7yAFWelaUy.h2kx9q2c01' } };
    const [a, b, c] = [open(FULL_RECORD)[0]!, events(FULL_RECORD)[0]!, events(other)[0]!];
    expect(a.flow_id).toBe(b.flow_id);
    expect(a.flow_id).not.toBe(c.flow_id);
    expect(Number.isSafeInteger(a.flow_id)).toBe(true);
  });

  it('says undetermined of a version that was not seen, and tells of resumption', () => {
    const { version: _, ...tls } = FULL_RECORD.tls!;
    expect(open({ ...FULL_RECORD, tls: { ...tls, resumed: true } })).toMatchObject([
      { tls: { version: 'UNDETERMINED', session_resumed: true } },
    ]);
  });
});
