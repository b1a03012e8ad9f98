import { describe, expect, it } from 'vitest';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { zeekLines } from '../../sensor/record/zeek.ts';
import { FULL_RECORD, QUIC_RECORD, SSH_RECORD, withAction } from '../build/full-record.ts';

const ENDS = {
  uid: 'CwCb3OG7yAFWelaUyh2kx9q2c00',
  'id.orig_h': '10.1.2.3',
  'id.orig_p': 50_123,
  'id.resp_h': '198.51.100.20',
  'id.resp_p': 443,
  community_id: '1:wCb3OG7yAFWelaUydu0D+125CLM=',
};

/** As a reader of the log sees it: fields without value are not there. */
const lines = (record: FlowRecord): unknown => JSON.parse(JSON.stringify(zeekLines(record)));

const withTls = (tls: Partial<NonNullable<FlowRecord['tls']>>): FlowRecord =>
  withAction({ ...FULL_RECORD, tls: { ...FULL_RECORD.tls!, ...tls } }, 'flow_open');
const withWaybill = (more: Partial<FlowRecord['waybill']>): FlowRecord => ({
  ...FULL_RECORD,
  waybill: { ...FULL_RECORD.waybill, ...more },
});

describe('a flow record as lines of Zeek', () => {
  it('is a line of ssl.log when the handshake is complete', () => {
    expect(lines(withAction(FULL_RECORD, 'flow_open'))).toEqual([
      {
        _path: 'ssl',
        ts: 1715688000.123456,
        ...ENDS,
        version: 'TLSv12',
        cipher: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
        server_name: 'files.example',
        resumed: false,
        next_protocol: 'h2',
        established: true,
        subject: 'CN=files.example',
        issuer: 'CN=Example CA, O=Example',
        cert_chain_fps: ['ab'.repeat(32)],
        'san.dns': ['files.example', '*.files.example'],
        ja3: '0123456789abcdef0123456789abcdef',
        ja3s: 'fedcba9876543210fedcba9876543210',
        ja4: 't12d030500_0123456789ab_cdef01234567',
      },
    ]);
  });

  it('is a line of conn.log at its end, with payload bytes', () => {
    expect(lines(FULL_RECORD)).toEqual([
      {
        _path: 'conn',
        ts: 1715688000.123456,
        ...ENDS,
        proto: 'tcp',
        service: 'ssl',
        duration: 7.126544,
        orig_bytes: 104_857,
        resp_bytes: 5_120,
        conn_state: 'SF',
        missed_bytes: 17,
        orig_pkts: 90,
        resp_pkts: 41,
        vlan: 12,
      },
    ]);
  });

  it('is no line while it lives', () => {
    expect(lines(withAction(FULL_RECORD, 'flow_update'))).toEqual([]);
  });

  it('is in conn.log only when it is SSH', () => {
    expect(lines(withAction(SSH_RECORD, 'flow_open'))).toEqual([]);
    expect(lines(SSH_RECORD)).toMatchObject([{ _path: 'conn', service: 'ssh' }]);
  });

  it('names QUIC as Zeek does', () => {
    expect(lines(QUIC_RECORD)).toMatchObject([{ proto: 'udp', service: 'quic,ssl' }]);
  });

  it.each([
    ['1.3', 'tls', 'TLSv13'],
    ['1.0', 'tls', 'TLSv10'],
    ['ssl3', 'ssl', 'SSLv3'],
    ['1.2', 'dtls', 'DTLSv12'],
  ] as const)('prints version %s of %s as %s', (version, version_protocol, printed) => {
    expect(lines(withTls({ version, version_protocol }))).toMatchObject([{ version: printed }]);
  });

  it.each([
    ['fin', 41, 'SF'],
    ['reset', 41, 'RSTO'],
    ['idle', 41, 'S1'],
    ['capture-end', 0, 'S0'],
  ])('says of an end by %s after %i server packets %s', (end_reason, packets, conn_state) => {
    const record = withWaybill({ end_reason });
    const destination = { ...record.destination, packets };
    expect(lines({ ...record, destination })).toMatchObject([{ conn_state }]);
  });
});
