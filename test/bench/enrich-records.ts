import { formatMicros } from '../../sensor/base/timestamp.ts';

const START = Date.UTC(2026, 10, 23, 8) * 1000;

const hostOf = (i: number, hosts: number) => ({
  name: `pc-${i % hosts}`,
  ip: `10.1.${(i % hosts) >> 8}.${(i % hosts) & 255}`,
});
const portOf = (i: number, hosts: number): number => 1_024 + (Math.floor(i / hosts) % 60_000);
/** Microseconds from one flow to the next, and how long each takes. */
const STEP = 1_000;
const LASTING = 500_000;
const timeOf = (i: number, step: number): string => formatMicros(START + i * step);
/** Destinations: 500 names, each with an address of its own. */
const nameOf = (i: number): number => i % 500;
const serverOf = (i: number): string => `198.51.${nameOf(i) >> 6}.${nameOf(i) & 63}`;

/** A Sysmon network connection, flat JSON. */
export function connectionLine(i: number, hosts: number, step = STEP): string {
  const { name, ip } = hostOf(i, hosts);
  return `${JSON.stringify({
    EventID: 3,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    SourceName: 'Microsoft-Windows-Sysmon',
    Computer: name,
    EventRecordID: i,
    TimeCreated: timeOf(i, step),
    UtcTime: timeOf(i, step).replace('T', ' ').slice(0, 23),
    ProcessGuid: `{00000000-0000-0000-0000-${String(i % (hosts * 8)).padStart(12, '0')}}`,
    ProcessId: 1_000 + (i % 8),
    Image: `C:\\Program Files\\App ${i % 8}\\app${i % 8}.exe`,
    User: 'CORP\\user',
    Protocol: 'tcp',
    Initiated: 'true',
    SourceIp: ip,
    SourcePort: portOf(i, hosts),
    DestinationIp: serverOf(i),
    DestinationPort: 443,
  })}\n`;
}

export function flowLine(i: number, hosts: number, step = STEP): string {
  const { ip } = hostOf(i, hosts);
  const port = portOf(i, hosts);
  const name = `host-${nameOf(i)}.example.net`;
  return `${JSON.stringify({
    '@timestamp': timeOf(i, step),
    event: {
      kind: 'event',
      category: ['network'],
      dataset: 'waybill.flow',
      action: 'flow_end',
      start: timeOf(i, step),
      end: formatMicros(START + i * step + LASTING),
      duration: 5e8,
    },
    network: { transport: 'tcp', protocol: 'tls', type: 'ipv4', community_id: `1:${i}`, direction: 'egress' },
    source: { ip, port, bytes: 2_000 + (i % 900), packets: 12 },
    destination: { ip: serverOf(i), port: 443, bytes: 9_000, packets: 14, domain: name },
    tls: {
      version: '1.3',
      version_protocol: 'tls',
      cipher: 'TLS_AES_128_GCM_SHA256',
      established: true,
      client: { server_name: name, ja3: 'aa7744226c695c0b2e440419848cf700', ja4: `t13d1516h2_8daaf6152771_${i % 8}` },
      server: { ja3s: 'eb1d94daa7e0344597e756a1fb6e7054' },
    },
    observer: { name: 'bench', type: 'sensor' },
    waybill: { flow_id: `bench-${i}`, schema: 1, bytes_exact: true, end_reason: 'fin' },
  })}\n`;
}
