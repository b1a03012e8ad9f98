import { ByteCursor } from '../base/cursor.ts';
import { IPV4_PREFIX, type IpWords } from '../base/ip.ts';
import { bad, type Outcome, ok } from '../base/outcome.ts';
import { isHostname } from '../base/text.ts';
import { readName, skipName } from './dns-name.ts';

/**
 * A DNS response, RFC 1035 §4.
 *
 *     header: id 2, flags 2 (QR 1, opcode 4, AA, TC, RD, RA, Z 3, RCODE 4), QDCOUNT 2, ANCOUNT 2, NSCOUNT 2, ARCOUNT 2
 *     question: name, type 2, class 2
 *     answer: name, type 2, class 2, TTL 4, RDLENGTH 2, RDATA
 */
export interface DnsAnswer {
  /** The host name that was asked for, lower case: what a chain of CNAME records began with. */
  readonly name: string;
  /** Addresses of the answer section; none when the name has none. */
  readonly addresses: readonly IpWords[];
}

/** Records of one answer section looked at. */
const MAX_RECORDS = 256;
/** Addresses kept of one answer. */
const MAX_ADDRESSES = 64;

const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TYPE_A = 1;
const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** Multicast DNS uses the top bit of the class for itself (RFC 6762 §10.2, §18.12). */
const CLASS_BITS = 0x7fff;

/**
 * Parses one message. `bad` when it is no well-formed response to one question about a host name; authority and
 * additional sections are not looked at. Who owns an address record is not either: whatever the chain of CNAME records
 * in between, the client asked for one name and was given these addresses.
 */
export function parseDnsResponse(bytes: Uint8Array, start: number, end: number): Outcome<DnsAnswer> {
  const message = new ByteCursor(bytes, start, end);
  message.skip(2); // id
  const flags = message.u16();
  const questions = message.u16();
  const answers = message.u16();
  message.skip(4); // NSCOUNT, ARCOUNT
  if (message.short) return bad('truncated', message.at);
  if ((flags & RESPONSE) === 0 || (flags & OPCODE) !== 0 || questions !== 1) return bad('bad-type', start + 2);

  const name = readName(message, start)?.toLowerCase();
  message.skip(2); // type
  const questionClass = message.u16() & CLASS_BITS;
  if (message.short) return bad('truncated', message.at);
  if (name === undefined || !isHostname(name) || questionClass !== CLASS_IN) return bad('bad-type', message.at);

  const addresses: IpWords[] = [];
  for (let i = Math.min(answers, MAX_RECORDS); i > 0; i--) {
    if (!skipName(message)) return bad(message.short ? 'truncated' : 'bad-type', message.at);
    const type = message.u16();
    const recordClass = message.u16() & CLASS_BITS;
    message.skip(4); // TTL
    const data = message.window(message.u16());
    if (message.short) return bad('truncated', message.at);
    const address = recordClass === CLASS_IN ? addressOf(type, data) : undefined;
    if (address && addresses.length < MAX_ADDRESSES) addresses.push(address);
  }
  return ok({ name, addresses });
}

/** The address of an A (RFC 1035 §3.4.1) or AAAA record (RFC 3596 §2.2). */
function addressOf(type: number, data: ByteCursor): IpWords | undefined {
  if (type === TYPE_A && data.left === 4) return [0, 0, IPV4_PREFIX, data.u32() | 0];
  if (type === TYPE_AAAA && data.left === 16) return [data.u32() | 0, data.u32() | 0, data.u32() | 0, data.u32() | 0];
  return undefined;
}
