import { createHmac } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { BlockList, isIP, isIPv4 } from 'node:net';

/** One attempt, from the look-up to the last byte of the answer, milliseconds. */
const ATTEMPT_MILLIS = 5_000;
/** Bytes read of an answer; the rest is not waited for. */
const MAX_ANSWER = 65_536;

export interface WebhookOptions {
  readonly url: URL;
  /** Key of the signature; without one nothing is signed. */
  readonly secret?: string;
  /** Addresses inside are allowed: for receivers of one's own network. */
  readonly allowPrivate?: boolean;
  readonly attemptMillis?: number;
}

export type WebhookResult =
  | { readonly kind: 'taken'; readonly status: number }
  /** This body will not be taken another time either. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * Posts a JSON text once. `delivery` goes along as `x-waybill-delivery`: who repeats a post repeats its id, so that the
 * receiver may drop what it has. `x-waybill-signature` is `t=<seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`. Redirects are
 * not followed. The name is looked up, checked, and the very address that was checked is connected to.
 *
 * @param nowSeconds wall clock, seconds since 1970
 */
export async function postOnce(
  { delivery, body }: { readonly delivery: string; readonly body: string },
  options: WebhookOptions,
  nowSeconds: number,
): Promise<WebhookResult> {
  try {
    const signal = AbortSignal.timeout(options.attemptMillis ?? ATTEMPT_MILLIS);
    const address = await addressOf(options, signal);
    if (address === undefined) return { kind: 'failed', why: 'the address is not a public one' };
    const headers = headersOf(delivery, body, options.secret, nowSeconds);
    const status = await post(body, headers, { address, url: options.url, signal });
    if (status >= 200 && status < 300) return { kind: 'taken', status };
    return { kind: OF_THE_BODY.has(status) ? 'refused' : 'failed', why: `the receiver answers ${status}` };
  } catch (error) {
    return { kind: 'failed', why: (error as Error).message };
  }
}

/** Answers that are about what was sent. Others (a wrong path or token, say) are mended on one of the two sides. */
const OF_THE_BODY: ReadonlySet<number> = new Set([400, 413, 415, 422]);

export function signature(body: string, secret: string, seconds: number): string {
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

function headersOf(
  delivery: string,
  body: string,
  secret: string | undefined,
  seconds: number,
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'waybill',
    'x-waybill-delivery': delivery,
    ...(secret === undefined ? {} : { 'x-waybill-signature': signature(body, secret, seconds) }),
  };
}

/** The address to connect to; undefined when it may not be. */
async function addressOf(
  { url, allowPrivate = false }: WebhookOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const found = isIP(name) ? [{ address: name }] : await Promise.race([lookup(name, { all: true }), aborted(signal)]);
  if (found === undefined) throw new Error('the look-up of the receiver took too long');
  return found.map(({ address }) => address).find((address) => allowPrivate || isPublic(address));
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));

/** Special-purpose addresses (IANA registries, RFC 6890): this machine, its network, link-local metadata services … */
const NOT_PUBLIC = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  NOT_PUBLIC.addSubnet(net, bits, 'ipv4');
}
/** Of IPv6 only global unicast is public, without the parts that carry IPv4 or tunnels. */
const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');
const TUNNELS = new BlockList();
TUNNELS.addSubnet('2001::', 23, 'ipv6');
TUNNELS.addSubnet('2002::', 16, 'ipv6');

export function isPublic(address: string): boolean {
  if (isIPv4(address)) return !NOT_PUBLIC.check(address, 'ipv4');
  return GLOBAL.check(address, 'ipv6') && !TUNNELS.check(address, 'ipv6');
}

interface Way {
  readonly url: URL;
  /** Where the connection goes, whatever the name of the URL would say now. */
  readonly address: string;
  readonly signal: AbortSignal;
}

function post(body: string, headers: Record<string, string>, { url, address, signal }: Way): Promise<number> {
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
  const family = isIPv4(address) ? 4 : 6;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      headers,
      agent: false,
      signal,
      // Nothing is looked up again: between two look-ups a name may change its mind.
      lookup: (_name, asked, done) => {
        if (asked.all) done(null, [{ address, family }]);
        else done(null, address, family);
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes <= MAX_ANSWER) return;
        resolve(status);
        request.destroy();
      });
      response.on('end', () => resolve(status));
      response.on('error', reject);
    });
    request.end(body);
  });
}
