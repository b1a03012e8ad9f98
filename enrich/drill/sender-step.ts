/** What the sending process says of itself, one JSON line a step. Times are milliseconds since 1970 UTC. */
export type SenderStep =
  | { readonly step: 'packed'; readonly atMillis: number; readonly bytes: number }
  | { readonly step: 'connected'; readonly atMillis: number; readonly localIp: string; readonly localPort: number }
  | { readonly step: 'sent'; readonly atMillis: number; readonly bytes: number }
  | { readonly step: 'failed'; readonly why: string };
