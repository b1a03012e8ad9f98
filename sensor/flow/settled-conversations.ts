import type { CertificateFacts } from '../tls/certificate.ts';
import { Conversation, PROTOCOLS, type SshFacts } from './conversation.ts';
import type { ClientFacts, ClientOffer, ServerFacts, ServerName } from './hello-facts.ts';

/** Slots that there is room for at first; it doubles up to the cap. */
const FIRST_SLOTS = 1_024;
/** An MD5 digest. */
const JA3_BYTES = 16;

/** What few conversations have. */
interface Rare {
  readonly via: string | undefined;
  readonly viaTarget: string | undefined;
  readonly dnsName: string | undefined;
  readonly ssh: SshFacts | undefined;
  /** Of a certificate that could not be read. */
  readonly certificateSha256: string | undefined;
  readonly inFull: ClientFacts['inFull'];
  bursts: readonly number[];
}

/** A part of a number: its lowest bit and its width. */
type Field = readonly [shift: number, width: number];

/** Small facts that share one number; 0 stands for what is not known. */
const Small = {
  protocol: [0, 3],
  client: [3, 2],
  established: [5, 1],
  resumed: [6, 2],
  nameMatches: [8, 2],
  dnsSeen: [10, 2],
  readyToOpen: [12, 1],
} as const satisfies Record<string, Field>;

/** The VLAN id and one stand below the tunnels. */
const VLAN_BITS = 13;

/**
 * Conversations whose handshake is over, by slot of their flow: 68 bytes of columns each, references to what they share
 * (hello-facts.ts) among them, and what few of them have in a map. As objects half a million took 110 MB, and twice that
 * until they were collected.
 */
export class SettledConversations {
  /** Microseconds; 0 while the client has sent nothing after the handshake. */
  firstBytesAt = new Float64Array(0);

  private small = new Int32Array(0);
  private path = new Int32Array(0);
  private anomalies = new Int32Array(0);
  private ja3 = Buffer.alloc(0);
  private names: (ServerName | undefined)[] = [];
  private offers: (ClientOffer | undefined)[] = [];
  private servers: (ServerFacts | undefined)[] = [];
  private certificates: (CertificateFacts | undefined)[] = [];

  private readonly cap: number;
  private readonly rare = new Map<number, Rare>();
  private readonly loaded = new Conversation();

  /** @param cap slots of the flow table, when it has grown */
  constructor(cap: number) {
    this.cap = cap;
  }

  /** Keeps what is known of the conversation of the flow in `slot`, which has none here yet. */
  keep(slot: number, c: Conversation): void {
    if (slot >= this.small.length) {
      this.grow(Math.max(slot + 1, Math.min(this.cap, Math.max(FIRST_SLOTS, 2 * this.small.length))));
    }
    const client = c.clientFacts;
    this.firstBytesAt[slot] = c.firstBytesAt;
    this.small[slot] = smallOf(c);
    this.path[slot] = (c.tunnels << VLAN_BITS) | (c.vlan + 1);
    this.anomalies[slot] = c.anomalies;
    this.names[slot] = client?.serverName;
    this.offers[slot] = client?.offer;
    this.servers[slot] = c.serverFacts;
    this.certificates[slot] = c.certificateFacts;
    if (client) this.ja3.write(client.ja3, slot * JA3_BYTES, JA3_BYTES, 'hex');
    const rare = rareOf(c);
    if (rare) this.rare.set(slot, rare);
  }

  /** The conversation as it was kept; valid until the next call. */
  load(slot: number): Conversation {
    const c = this.loaded;
    const small = this.small[slot]!;
    const path = this.path[slot]!;
    const rare = this.rare.get(slot);
    const certificate = this.certificates[slot];
    c.protocol = PROTOCOLS[part(small, Small.protocol) - 1];
    c.client = part(small, Small.client) - 1;
    c.established = part(small, Small.established) === 1;
    c.resumed = answerOf(part(small, Small.resumed));
    c.certificateNameMatches = answerOf(part(small, Small.nameMatches));
    c.dnsSeen = answerOf(part(small, Small.dnsSeen));
    c.readyToOpen = part(small, Small.readyToOpen) === 1;
    c.tunnels = path >> VLAN_BITS;
    c.vlan = (path & ((1 << VLAN_BITS) - 1)) - 1;
    c.anomalies = this.anomalies[slot]!;
    c.firstBytesAt = this.firstBytesAt[slot]!;
    c.clientFacts = this.clientFacts(slot, rare);
    c.serverFacts = this.servers[slot];
    c.certificateFacts = certificate;
    c.certificateSha256 = certificate?.sha256 ?? rare?.certificateSha256;
    c.via = rare?.via;
    c.viaTarget = rare?.viaTarget;
    c.dnsName = rare?.dnsName;
    c.ssh = rare?.ssh;
    c.bursts = rare?.bursts ?? NO_BURSTS;
    return c;
  }

  /** Notes an upstream burst of a conversation that was kept. */
  burst(slot: number, bytes: number): void {
    const c = this.load(slot);
    c.burst(bytes);
    const rare = this.rare.get(slot);
    if (rare) rare.bursts = c.bursts;
    else this.rare.set(slot, rareOf(c)!);
  }

  /** The flow is over, or its slot another's. */
  drop(slot: number): void {
    this.names[slot] = undefined;
    this.offers[slot] = undefined;
    this.servers[slot] = undefined;
    this.certificates[slot] = undefined;
    this.rare.delete(slot);
  }

  private clientFacts(slot: number, rare: Rare | undefined): ClientFacts | undefined {
    const offer = this.offers[slot];
    if (offer === undefined) return undefined;
    return {
      serverName: this.names[slot],
      ja3: this.ja3.toString('hex', slot * JA3_BYTES, (slot + 1) * JA3_BYTES),
      offer,
      inFull: rare?.inFull,
    };
  }

  private grow(slots: number): void {
    this.firstBytesAt = widen(this.firstBytesAt, new Float64Array(slots));
    this.small = widen(this.small, new Int32Array(slots));
    this.path = widen(this.path, new Int32Array(slots));
    this.anomalies = widen(this.anomalies, new Int32Array(slots));
    this.ja3 = widen(this.ja3, Buffer.alloc(slots * JA3_BYTES));
    this.names = lengthen(this.names, slots);
    this.offers = lengthen(this.offers, slots);
    this.servers = lengthen(this.servers, slots);
    this.certificates = lengthen(this.certificates, slots);
  }
}

const NO_BURSTS: readonly number[] = [];

function widen<T extends Buffer | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Without holes: an array that is written far beyond its end becomes a dictionary. */
function lengthen<T>(from: readonly (T | undefined)[], length: number): (T | undefined)[] {
  const to = new Array<T | undefined>(length).fill(undefined);
  for (let i = 0; i < from.length; i++) to[i] = from[i];
  return to;
}

const smallOf = (c: Conversation): number =>
  put(Small.protocol, c.protocol === undefined ? 0 : PROTOCOLS.indexOf(c.protocol) + 1) |
  put(Small.client, c.client + 1) |
  put(Small.established, c.established ? 1 : 0) |
  put(Small.resumed, numberOf(c.resumed)) |
  put(Small.nameMatches, numberOf(c.certificateNameMatches)) |
  put(Small.dnsSeen, numberOf(c.dnsSeen)) |
  put(Small.readyToOpen, c.readyToOpen ? 1 : 0);

function rareOf(c: Conversation): Rare | undefined {
  const { via, viaTarget, dnsName, ssh, bursts } = c;
  const inFull = c.clientFacts?.inFull;
  const certificateSha256 = c.certificateFacts ? undefined : c.certificateSha256;
  const any = via ?? viaTarget ?? dnsName ?? ssh ?? certificateSha256 ?? inFull;
  if (any === undefined && bursts.length === 0) return undefined;
  return { via, viaTarget, dnsName, ssh, certificateSha256, inFull, bursts };
}

const part = (whole: number, [shift, width]: Field): number => (whole >> shift) & ((1 << width) - 1);
const put = ([shift]: Field, value: number): number => value << shift;

/** Yes, no or not known, as 2, 1 and 0. */
const answerOf = (value: number): boolean | undefined => (value === 0 ? undefined : value === 2);
const numberOf = (answer: boolean | undefined): number => (answer === undefined ? 0 : answer ? 2 : 1);
