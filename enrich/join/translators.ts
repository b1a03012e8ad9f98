import { BlockList, isIP } from 'node:net';
import type { EndpointEvent } from '../event/endpoint-event.ts';
import type { Translator } from '../event/translator.ts';
import type { Fact } from '../store/store.ts';
import { type ConnectionBody, ipShard } from './facts.ts';
import { remoteKey } from './tuple.ts';

/**
 * Where the sensor stands behind a gateway that translates addresses, a flow has the gateway's address, and the endpoint
 * event the host's own. What both have is the remote end: so a connection of a host inside is kept as one that may be the
 * gateway's, too.
 */
export class Translators {
  private readonly list: readonly { readonly address: string; readonly inside: BlockList }[];

  constructor(translators: readonly Translator[]) {
    this.list = translators.map(({ address, inside }) => {
      const networks = new BlockList();
      for (const network of inside) {
        const [first = '', bits = ''] = network.split('/');
        networks.addSubnet(first, Number(bits), isIP(first) === 6 ? 'ipv6' : 'ipv4');
      }
      return { address, inside: networks };
    });
  }

  /** The event's connection as one of the gateways that it may have passed. */
  factsOf(event: EndpointEvent): Fact[] {
    if (this.list.length === 0 || event.kind !== 'connection' || event.direction === 'ingress') return [];
    const { source, destination, transport } = event;
    const family = isIP(source.ip) === 6 ? 'ipv6' : 'ipv4';
    const passed = this.list.filter(({ inside }) => inside.check(source.ip, family));
    if (passed.length === 0) return [];
    const body: ConnectionBody = {
      host: event.host,
      process: event.process,
      feed: event.feed,
      translated: true,
      ...(event.aggregate ? { until: event.aggregate.until } : {}),
      ...(event.phase === 'end' ? { moment: 'end' as const } : {}),
    };
    const fact = { kind: 'connection', id: event.id, at: event.at, version: 0, body } as const;
    const keys = [remoteKey(transport, destination)];
    return passed.map(({ address }) => ({ ...fact, shard: ipShard(address), keys }));
  }
}
