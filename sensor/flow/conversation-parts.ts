/** What a conversation keeps apart, because few have it, only the handshake needs it, or it is small. */

/** What is needed to understand a handshake, and only until it is over. */
export interface Reading {
  clientSessionId: string;
  offeredTicket: boolean;
  serverSessionId: string;
  tls13: boolean;
  appDataSides: number;
  finishedSides: number;
}

export const newReading = (): Reading => ({
  clientSessionId: '',
  offeredTicket: false,
  serverSessionId: '',
  tls13: false,
  appDataSides: 0,
  finishedSides: 0,
});

/** What few conversations have. */
export interface Rare {
  via: string | undefined;
  viaTarget: string | undefined;
  dnsName: string | undefined;
  ssh: SshFacts | undefined;
  badCertificateSha256: string | undefined;
}

export const newRare = (): Rare => ({
  via: undefined,
  viaTarget: undefined,
  dnsName: undefined,
  ssh: undefined,
  badCertificateSha256: undefined,
});

export interface SshFacts {
  client?: string;
  server?: string;
  hassh?: string;
  hassh_server?: string;
}

export const PROTOCOLS = [undefined, 'tls', 'quic', 'dtls', 'ssh'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** A part of a number: its lowest bit and its width. */
type Field = readonly [shift: number, width: number];

/** Small values that share one number. */
export const Small = {
  protocol: [0, 3],
  /** Direction of the client and one. */
  client: [3, 2],
  established: [5, 1],
  readyToOpen: [6, 1],
  resumed: [7, 2],
  nameMatches: [9, 2],
  dnsSeen: [11, 2],
} as const satisfies Record<string, Field>;

/** Where a conversation was seen: the VLAN id and one stand below the tunnels. */
export const Path = { vlan: [0, 13], tunnels: [13, 16] } as const satisfies Record<string, Field>;

export const part = (whole: number, [shift, width]: Field): number => (whole >> shift) & ((1 << width) - 1);

export const withPart = (whole: number, [shift, width]: Field, value: number): number =>
  (whole & ~(((1 << width) - 1) << shift)) | (value << shift);

/** Yes, no or not known, as 2, 1 and 0. */
export const answerOf = (value: number): boolean | undefined => (value === 0 ? undefined : value === 2);
export const numberOf = (answer: boolean | undefined): number => (answer === undefined ? 0 : answer ? 2 : 1);
