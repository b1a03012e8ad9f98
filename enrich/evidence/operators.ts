import { type AsnResponse, Reader } from 'mmdb-lib';

/** Who runs the network that an address belongs to. */
export interface Operator {
  /** Number of the autonomous system. */
  readonly number: number;
  readonly organization?: string;
}

/** Longest name of an organisation that is kept, characters. */
const MAX_NAME = 128;

/**
 * Autonomous systems by address, from a database that the user supplies (GeoLite2-ASN or another of its shape). One that
 * is damaged where an address is looked up gives nothing for that address.
 */
export class Operators {
  private readonly reader: Reader<AsnResponse>;

  /** Throws when the bytes are no MMDB. */
  constructor(database: Buffer) {
    this.reader = new Reader<AsnResponse>(database);
  }

  /** Type and day of the database, as it says itself. */
  get edition(): string {
    const { databaseType, buildEpoch } = this.reader.metadata;
    return `${databaseType} ${buildEpoch.toISOString().slice(0, 10)}`;
  }

  of(ip: string): Operator | undefined {
    let found: unknown;
    try {
      found = this.reader.get(ip);
    } catch {
      return undefined;
    }
    if (typeof found !== 'object' || found === null) return undefined;
    const { autonomous_system_number: number, autonomous_system_organization: name } = found as Record<string, unknown>;
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number <= 0) return undefined;
    return { number, ...(typeof name === 'string' && name !== '' ? { organization: name.slice(0, MAX_NAME) } : {}) };
  }
}
