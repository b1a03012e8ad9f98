/**
 * The join key: transport and both endpoints, initiator first, addresses in canonical text. Sensor and feeds write
 * addresses in the same canonical form (sensor/base/ip.ts), so equal conversations give equal text.
 */
export function tupleKey(transport: string, source: Endpoint, destination: Endpoint): string {
  return `${transport}|${source.ip}|${source.port}>${destination.ip}|${destination.port}`;
}

/** Key of everything a host opened to one remote port, for joins without the local port. */
export function remoteKey(transport: string, destination: Endpoint): string {
  return `${transport}>${destination.ip}|${destination.port}`;
}

interface Endpoint {
  readonly ip: string;
  readonly port: number;
}
