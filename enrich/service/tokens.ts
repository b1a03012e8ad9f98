import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const SCOPES = ['events', 'flows', 'read', 'drill', 'allow'] as const;
export type Scope = (typeof SCOPES)[number];

export interface TokenSpec {
  readonly name: string;
  /** SHA-256 of the token, 64 hexadecimal digits: the token itself is nowhere in the configuration. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
}

/** Longest token that is hashed, characters. */
const MAX_TOKEN_CHARS = 1_024;

/** Who may do what. Several tokens of one scope may be valid at a time, so that they can be changed one after the other. */
export class Tokens {
  private readonly known: readonly (TokenSpec & { readonly digest: Buffer })[];

  constructor(specs: readonly TokenSpec[]) {
    this.known = specs.map((spec) => ({ ...spec, digest: Buffer.from(spec.sha256, 'hex') }));
  }

  get isEmpty(): boolean {
    return this.known.length === 0;
  }

  /** Name of the token that the request carries, when it is valid for the scope. Compares with all, in constant time. */
  nameFor(request: IncomingMessage, scope: Scope): string | undefined {
    let name: string | undefined;
    for (const token of tokensOf(request.headers.authorization)) {
      const digest = createHash('sha256').update(token).digest();
      for (const known of this.known) {
        const isEqual = timingSafeEqual(digest, known.digest);
        if (isEqual && known.scopes.includes(scope)) name ??= known.name;
      }
    }
    return name;
  }
}

/**
 * What senders put into Authorization: `Bearer T`, `Splunk T`, `ApiKey T` or `ApiKey base64(id:T)`, `Basic base64(any:T)`.
 */
function tokensOf(header: string | undefined): string[] {
  const match = /^(Bearer|Splunk|ApiKey|Basic) +(\S+)$/i.exec((header ?? '').slice(0, MAX_TOKEN_CHARS));
  const [scheme, value] = [match?.[1]?.toLowerCase(), match?.[2]];
  if (scheme === undefined || value === undefined) return [];
  if (scheme === 'bearer' || scheme === 'splunk') return [value];
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  const secret = decoded.slice(decoded.indexOf(':') + 1);
  return scheme === 'apikey' ? [value, secret] : [secret];
}
