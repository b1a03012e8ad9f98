/** The parts of an alert document that other formats carry. A document of another version may lack any of them. */
export interface AlertParts {
  readonly '@timestamp'?: string;
  readonly message?: string;
  readonly event?: {
    readonly id?: string;
    readonly start?: string;
    readonly end?: string;
    readonly risk_score?: number;
    /** Of a withdrawal. */
    readonly reason?: string;
  };
  readonly rule?: { readonly id?: string; readonly name?: string; readonly version?: string };
  readonly host?: { readonly id?: string; readonly name?: string; readonly ip?: readonly string[] };
  readonly user?: { readonly id?: string; readonly name?: string; readonly domain?: string };
  readonly process?: ProcessParts & { readonly parent?: ProcessParts };
  readonly source?: { readonly ip?: string; readonly port?: number; readonly bytes?: number };
  readonly destination?: { readonly ip?: string; readonly port?: number; readonly domain?: string };
  readonly network?: { readonly transport?: string; readonly community_id?: string };
  readonly tls?: {
    readonly version?: string;
    readonly cipher?: string;
    readonly client?: { readonly server_name?: string; readonly ja3?: string; readonly ja4?: string };
  };
  readonly file?: { readonly path?: string; readonly size?: number };
  readonly waybill?: {
    /** `withdrawn` on what tells that the alert was taken back. */
    readonly state?: string;
    readonly tier?: string;
    readonly score_db?: number;
    readonly probability?: number;
    readonly events?: readonly string[];
  };
}

export interface ProcessParts {
  readonly entity_id?: string;
  readonly pid?: number;
  readonly name?: string;
  readonly executable?: string;
  readonly command_line?: string;
  readonly start?: string;
  readonly hash?: { readonly sha256?: string };
}

/** Of the tiers that raise alerts. */
export const isHigh = (alert: AlertParts): boolean => alert.waybill?.tier === 'high';

/** It tells that an alert was taken back, and is none itself. */
export const isWithdrawn = (alert: AlertParts): boolean => alert.waybill?.state === 'withdrawn';

/** Last part of a Windows or Unix path. */
export const fileNameOf = (path: string): string => path.split(/[\\/]/).at(-1) || path;
