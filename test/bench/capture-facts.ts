/** What a generated capture holds, written beside it: the truth that recall is measured against. */
export interface CaptureFacts {
  readonly packets: number;
  /** Bytes of frames. */
  readonly bytes: number;
  readonly flows: number;
  readonly tlsHellos: number;
  /** TLS ClientHellos that need two segments. */
  readonly splitHellos: number;
  readonly quicHellos: number;
}

/** 2026-11-23T08:00:00Z */
export const START_MICROS = 1_795_420_800_000_000;
