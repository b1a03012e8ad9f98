/** The parts of an alert document that the page shows. Of an older or damaged document any of them may be missing. */
export interface AlertBody {
  readonly '@timestamp'?: string;
  readonly message?: string;
  readonly host?: { readonly id?: string; readonly name?: string; readonly ip?: readonly string[] };
  readonly user?: { readonly name?: string; readonly domain?: string };
  readonly process?: ProcessFields;
  readonly source?: { readonly ip?: string; readonly bytes?: number };
  readonly destination?: {
    readonly ip?: string;
    readonly port?: number;
    readonly domain?: string;
    readonly registered_domain?: string;
  };
  readonly tls?: {
    readonly version?: string;
    readonly client?: { readonly server_name?: string; readonly ja4?: string; readonly ja3?: string };
    readonly server?: { readonly issuer?: string; readonly subject?: string };
  };
  readonly threat?: { readonly technique?: { readonly subtechnique?: { readonly id?: readonly string[] } } };
  readonly rule?: { readonly id?: string; readonly ruleset?: string };
  readonly waybill?: WaybillPart;
}

export interface WaybillPart {
  /** The exception that covers the alert. */
  readonly allowed?: {
    readonly id?: string;
    readonly owner?: string;
    readonly reason?: string;
    readonly expires?: string;
  };
  readonly tier?: string;
  readonly score_db?: number;
  readonly probability?: number;
  readonly model?: string;
  readonly prior?: number;
  readonly attainable_db?: number;
  readonly gate?: { readonly reasons?: readonly string[] };
  readonly groups?: readonly GroupFields[];
  readonly terms?: readonly TermFields[];
  readonly missing?: readonly string[];
  readonly without_groups?: readonly {
    readonly group: string;
    readonly score_db: number;
    readonly probability: number;
    readonly tier: string;
  }[];
  readonly counterfactuals?: readonly { readonly term: string; readonly probability: number }[];
  readonly join?: { readonly method?: string; readonly probability?: number };
  readonly browser?: { readonly class?: string; readonly reasons?: readonly string[] };
  readonly identity?: string;
  readonly destination?: { readonly entity?: string; readonly tenant_state?: string; readonly category?: string };
  readonly lineage?: readonly ProcessFields[];
  readonly flows?: readonly FlowFields[];
  readonly flow_count?: number;
  readonly staging?: readonly StagingFields[];
  readonly events?: readonly string[];
}

export interface GroupFields {
  readonly group: string;
  readonly db: number;
  readonly sum: number;
  readonly cap: number;
}

export interface TermFields {
  readonly group: string;
  readonly name: string;
  readonly db: number;
  readonly detail: string;
  readonly evidence?: readonly string[];
}

export interface ProcessFields {
  readonly pid?: number;
  readonly executable?: string;
  readonly name?: string;
  readonly command_line?: string;
  readonly start?: string;
  readonly user?: { readonly name?: string; readonly domain?: string };
  readonly hash?: { readonly sha256?: string };
  readonly code_signature?: { readonly subject_name?: string; readonly status?: string };
  readonly pe?: { readonly original_file_name?: string };
}

export interface FlowFields {
  readonly flow_id: string;
  readonly start: string;
  readonly end: string;
  readonly destination?: string;
  readonly domain?: string;
  readonly community_id?: string;
  readonly ja4?: string;
  readonly bytes_out: number;
  readonly bytes_in: number;
  readonly bytes_exact?: boolean;
  readonly join?: string;
  readonly pid?: number;
}

export interface StagingFields {
  readonly at: string;
  readonly until: string;
  readonly reasons?: readonly string[];
  readonly techniques?: readonly string[];
  readonly link?: string;
  readonly gap_seconds?: number;
  readonly archive?: string;
  readonly size?: number;
  readonly volumes?: number;
  readonly encoded?: string;
  readonly traits?: readonly string[];
  readonly process?: string;
  readonly pid?: number;
  readonly events?: readonly string[];
}

/** Links of a packing to the sender, strongest first. */
const LINKS = ['referenced', 'lineage', 'referenced-directory', 'logon', 'process', 'user', 'host', 'other-user'];

/** The packing that the alert is about: the strongest link, then one whose size is known, then the latest. */
export function mainStaging(staging: readonly StagingFields[]): StagingFields | undefined {
  const rank = (s: StagingFields): number => LINKS.indexOf(s.link ?? '') * 2 + (s.size === undefined ? 1 : 0);
  return staging.reduce<StagingFields | undefined>((best, s) => (!best || rank(s) <= rank(best) ? s : best), undefined);
}
