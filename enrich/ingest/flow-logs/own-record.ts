import { parseIp } from '../../../sensor/base/ip.ts';
import { parseMicros } from '../../../sensor/base/timestamp.ts';
import type { FlowRecord } from '../../../sensor/record/flow-record.ts';
import { isObject, type JsonObject, own } from '../json-object.ts';

/** Longest text and list taken from a record. The sensor writes at most 100 names and 8,192 characters. */
const MAX_TEXT_CHARS = 16_384;
const MAX_LIST = 4_096;

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT_CHARS;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const flag: Check = (value) => typeof value === 'boolean';
const time: Check = (value) => text(value) && parseMicros(value as string) !== undefined;
const address: Check = (value) => text(value) && parseIp(value as string) !== undefined;
const port: Check = (value) => count(value) && (value as number) <= 65_535;
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= MAX_LIST && value.every(check);

/** Shape of an object: what is required is marked with `must`, what is not there or unfit is left out. */
type Shape = { readonly [name: string]: Check | Shape | Must };
interface Must {
  readonly must: Check | Shape;
}
const must = (shape: Check | Shape): Must => ({ must: shape });

const endpoint: Shape = { ip: must(address), port: must(port), bytes: must(count), packets: must(count) };

const RECORD: Shape = {
  '@timestamp': must(time),
  event: must({
    kind: must(oneOf('event')),
    category: must(listOf(oneOf('network'))),
    dataset: must(oneOf('waybill.flow')),
    action: must(oneOf('flow_open', 'flow_update', 'flow_end')),
    start: must(time),
    end: must(time),
    duration: must(count),
  }),
  network: must({
    transport: must(oneOf('tcp', 'udp')),
    protocol: oneOf('tls', 'quic', 'dtls', 'ssh'),
    type: must(oneOf('ipv4', 'ipv6')),
    community_id: must(text),
    direction: must(oneOf('egress', 'ingress', 'internal', 'external', 'unknown')),
    vlan: { id: must(text) },
  }),
  source: must(endpoint),
  destination: must({ ...endpoint, domain: text }),
  tls: {
    version: text,
    version_protocol: oneOf('tls', 'ssl', 'dtls'),
    cipher: text,
    next_protocol: text,
    established: must(flag),
    resumed: flag,
    client: {
      server_name: text,
      ja3: text,
      ja3_string: text,
      ja4: text,
      ech: oneOf('outer', 'grease', 'esni'),
      alpn: listOf(text),
      version: text,
      supported_ciphers: listOf(text),
    },
    server: {
      ja3s: text,
      subject: text,
      issuer: text,
      not_before: text,
      not_after: text,
      hash: { sha256: must(text) },
      x509: { alternative_names: listOf(text), serial_number: text, public_key_algorithm: text },
      self_signed: flag,
      name_matches: flag,
    },
  },
  ssh: { client: text, server: text, hassh: text, hassh_server: text },
  observer: must({
    name: must(text),
    type: must(oneOf('sensor')),
    ingress: { interface: must({ name: must(text) }) },
  }),
  waybill: must({
    flow_id: must(text),
    schema: must(oneOf(1)),
    via: text,
    via_target: text,
    tunnel: listOf(text),
    anomalies: listOf(text),
    bytes_exact: must(flag),
    ts_source: oneOf('arrival'),
    first_bytes_at: time,
    upstream_bursts: listOf(count),
    missed_bytes: count,
    end_reason: text,
    domain_source: text,
    dns_seen: flag,
  }),
};

/** Whether a JSON object means to be a flow record of ours. */
export const isOwn = (value: JsonObject): boolean => {
  const event = own(value, 'event');
  return isObject(event) && own(event, 'dataset') === 'waybill.flow';
};

/**
 * A flow record read back. It may come from anywhere: fields that the record does not have are left out, and so are
 * optional ones of another type; undefined when a required one is missing or unfit.
 */
export function ownRecord(value: JsonObject): FlowRecord | undefined {
  // The shape holds every field of the type: what passes it is one.
  return fitted(value, RECORD) as unknown as FlowRecord | undefined;
}

function fitted(value: JsonObject, shape: Shape): Record<string, unknown> | undefined {
  const copy: Record<string, unknown> = {};
  for (const [name, wanted] of Object.entries(shape)) {
    const required = isMust(wanted);
    const check = required ? wanted.must : wanted;
    const given = own(value, name);
    const kept =
      typeof check === 'function'
        ? check(given)
          ? given
          : undefined
        : isObject(given)
          ? fitted(given, check)
          : undefined;
    if (kept !== undefined) copy[name] = kept;
    else if (required) return undefined;
  }
  return copy;
}

const isMust = (wanted: Check | Shape | Must): wanted is Must => typeof wanted === 'object' && 'must' in wanted;
