import { describe, expect, it } from 'vitest';
import { proxiedTo } from '../../enrich/join/destination-of.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import { alertsAfter, lookUp, MORNING, program, theft } from '../join/world.ts';

interface Body {
  readonly destination: { readonly domain?: string };
  readonly waybill: {
    readonly destination: { readonly entity: string };
    readonly terms: readonly { readonly name: string }[];
  };
}

/** The same theft, seen between the host and an explicit proxy of the network. */
function through(target: string, name: string | undefined, via = 'connect') {
  const { flows, events } = theft();
  const proxied = flows.map((flow): FlowRecord => {
    if (flow.destination.domain !== 'drop.example.net') return flow;
    const { domain: _, ...destination } = flow.destination;
    return {
      ...flow,
      network: { ...flow.network, direction: 'internal' },
      destination: { ...destination, ip: '10.1.0.250', port: 3128, ...(name === undefined ? {} : { domain: name }) },
      waybill: { ...flow.waybill, via, via_target: target },
    };
  });
  const told = events
    .filter((event) => event.kind !== 'dns_query')
    .map((event) =>
      event.kind === 'connection' && event.destination.ip === '203.0.113.7'
        ? { ...event, destination: { ip: '10.1.0.250', port: 3128 } }
        : event,
    );
  const other = lookUp(MORNING, program('mail', 'C:\\Program Files\\Mail\\mail.exe'), 'mail.example.org');
  return [...proxied, ...told, other];
}

describe('a theft through an explicit proxy', () => {
  it('is raised against the destination that the proxy was asked for', async () => {
    for (const via of ['connect', 'socks5']) {
      const [alert] = await alertsAfter([through('drop.example.net:443', 'drop.example.net', via)]);
      const body = alert!.body as Body;
      expect(body.destination.domain).toBe('drop.example.net');
      expect(body.waybill.destination.entity).toBe('domain:example.net');
      expect(body.waybill.terms.map(({ name }) => name)).not.toContain('name_without_lookup');
    }
  });

  it('is told apart by the address that was asked for, where there is no name', async () => {
    const [alert] = await alertsAfter([through('203.0.113.7:443', undefined)]);
    expect((alert!.body as Body).waybill.destination.entity).toBe('ip:203.0.113.7');
  });

  it('that goes to an address or name inside is none', async () => {
    for (const inside of ['10.1.2.3:443', 'fileserver:443', '[fd00::1]:443']) {
      expect(await alertsAfter([through(inside, undefined)])).toEqual([]);
    }
  });
});

describe('what a proxy was asked for', () => {
  const to = (via_target?: string, via = 'connect') =>
    proxiedTo({ waybill: { flow_id: 'f', schema: 1, bytes_exact: true, via, ...(via_target ? { via_target } : {}) } });

  it('is read without its port, IPv6 in brackets or not', () => {
    expect(to('drop.example.net:443')).toBe('drop.example.net');
    expect(to('[2001:db8::7]:443')).toBe('2001:db8::7');
    expect(to('203.0.113.7')).toBe('203.0.113.7');
    expect(to(undefined)).toBeUndefined();
    expect(to('drop.example.net:443', 'starttls-smtp')).toBeUndefined();
  });
});
