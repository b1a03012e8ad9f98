/** What a record says of the two hellos. Most of it is the same for all connections of one program, and kept once. */
import { GenerationCache } from '../base/generation-cache.ts';
import { isHostname, plainName, SERVER_NAME_CAP, safeText } from '../base/text.ts';
import { cipherSuiteName } from '../tls/cipher-suites.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import { ja3, ja3String, ja3s } from '../tls/ja3.ts';
import { type Ja4Transport, ja4, offeredVersion } from '../tls/ja4.ts';
import type { ServerHello } from '../tls/server-hello.ts';
import { versionName } from '../tls/tls-versions.ts';

/** ALPN names kept of a hello, and characters of each. */
const MAX_ALPN = 8;
const MAX_ALPN_CHARS = 64;
/** Names and facts kept for the next connections, in each of two generations. */
const SHARED = 4_096;

export interface ClientFacts {
  readonly serverName: ServerName | undefined;
  readonly ja3: string;
  readonly offer: ClientOffer;
  /** For verbose records only. */
  readonly inFull: { readonly ja3String: string; readonly ciphers: readonly number[] } | undefined;
}

/** The first server name of a hello. */
export interface ServerName {
  /** As safe text. */
  readonly text: string;
  /** The same as it is compared and published; undefined when it is no host name. */
  readonly domain: string | undefined;
}

/** What the connections of one program have in common, whatever they connect to. */
export interface ClientOffer {
  readonly ja4: string;
  readonly version: string;
  readonly alpn: readonly string[];
  readonly ech: ClientHello['ech'];
}

export interface ServerFacts {
  readonly ja3s: string;
  readonly version: string;
  readonly versionProtocol: 'tls' | 'ssl' | 'dtls';
  readonly cipher: string;
  readonly alpn: string | undefined;
}

/** The first server name of a hello; the same object for the same name. */
function serverNameOf({ serverName: raw }: ClientHello): ServerName | undefined {
  if (raw === undefined) return undefined;
  const known = names.get(raw);
  if (known !== undefined) return known;
  const { text } = safeText(raw, SERVER_NAME_CAP);
  const name = { text, domain: isHostname(text) ? plainName(text) : undefined };
  if (raw.length <= SERVER_NAME_CAP) names.set(raw, name);
  return name;
}

export function clientFacts(hello: ClientHello, transport: Ja4Transport, inFull: boolean): ClientFacts {
  const common = commonFacts(hello, transport);
  return {
    serverName: serverNameOf(hello),
    ja3: common.ja3,
    offer: common.offer,
    inFull: inFull ? { ja3String: ja3String(hello), ciphers: hello.cipherSuites } : undefined,
  };
}

/** What follows from the lists of a hello. */
interface CommonFacts {
  readonly ja3: string;
  readonly offer: ClientOffer;
}

/** By `ClientHello.likeness`. */
const ofSimilar: Record<Ja4Transport, WeakMap<object, CommonFacts>> = {
  t: new WeakMap(),
  q: new WeakMap(),
  d: new WeakMap(),
};

function commonFacts(hello: ClientHello, transport: Ja4Transport): CommonFacts {
  const { likeness } = hello;
  const known = likeness && ofSimilar[transport].get(likeness);
  if (known !== undefined) return known;
  const facts = { ja3: ja3(hello), offer: offerOf(hello, transport) };
  if (likeness !== undefined) ofSimilar[transport].set(likeness, facts);
  return facts;
}

function offerOf(hello: ClientHello, transport: Ja4Transport): ClientOffer {
  const offer = {
    ja4: ja4(hello, transport).ja4,
    version: versionName(offeredVersion(hello)).version,
    alpn: hello.alpn.slice(0, MAX_ALPN).map((name) => safeText(name, MAX_ALPN_CHARS).text),
    ech: hello.ech,
  };
  return shared(offers, offer.ja4, offer, sameOffer);
}

export function serverFacts(hello: ServerHello): ServerFacts {
  const { version, protocol } = versionName(hello.version);
  const facts = {
    ja3s: ja3s(hello),
    version,
    versionProtocol: protocol,
    cipher: cipherSuiteName(hello.cipherSuite),
    alpn: hello.alpn === undefined ? undefined : safeText(hello.alpn, MAX_ALPN_CHARS).text,
  };
  return shared(answers, facts.ja3s, facts, sameAnswer);
}

const names = new GenerationCache<ServerName>(SHARED);
const offers = new GenerationCache<ClientOffer>(SHARED);
const answers = new GenerationCache<ServerFacts>(SHARED);

/** The value kept under the key when it says the same, else the one given, which is kept from now on. */
function shared<V>(kept: GenerationCache<V>, key: string, value: V, same: (a: V, b: V) => boolean): V {
  const known = kept.get(key);
  if (known !== undefined && same(known, value)) return known;
  kept.set(key, value);
  return value;
}

const sameOffer = (a: ClientOffer, b: ClientOffer): boolean =>
  a.version === b.version &&
  a.ech === b.ech &&
  a.alpn.length === b.alpn.length &&
  a.alpn.every((name, i) => name === b.alpn[i]);

const sameAnswer = (a: ServerFacts, b: ServerFacts): boolean =>
  a.version === b.version && a.versionProtocol === b.versionProtocol && a.cipher === b.cipher && a.alpn === b.alpn;
