import { BROWSER_TABLE_VERSION, BROWSERS, type Browser } from './browser-table.ts';
import { CHUNK_TABLE, type ChunkRow } from './chunk-signature.ts';
import { HOSTING, HOSTING_TABLE_VERSION, type HostingKind } from './hosting-table.ts';
import { JA4_FAMILIES, type TlsFamily } from './ja4-table.ts';
import type { Operators } from './operators.ts';
import { SERVICE_TABLE_VERSION, SERVICES, type Service } from './service-table.ts';
import { TENANT_ROWS, TENANT_TABLE_VERSION, type TenantRow } from './tenant-table.ts';
import { LOLBINS, TOOL_TABLE_VERSION, UPLOAD_TOOLS, type UploadTool } from './tool-table.ts';
import { VENDOR_FAMILIES, VENDOR_TABLE_VERSION, type VendorFamily } from './vendor-table.ts';

/** What is known of programs and destinations beforehand: built in, or as a directory of files says it. */
export interface Tables {
  /** Edition of each table, by its name. */
  readonly editions: Readonly<Record<string, string>>;
  readonly tenants: readonly TenantRow[];
  readonly services: ReadonlyMap<string, Service>;
  readonly vendors: readonly VendorFamily[];
  readonly browsers: readonly Browser[];
  readonly tools: readonly UploadTool[];
  readonly lolbins: ReadonlySet<string>;
  readonly chunks: readonly ChunkRow[];
  /** By JA4 without its first part. */
  readonly ja4: ReadonlyMap<string, TlsFamily>;
  readonly hosting: ReadonlyMap<number, HostingKind>;
  /** Who runs the network of an address; absent without a database. */
  readonly operators?: Operators;
}

export const TABLES: Tables = {
  editions: {
    tenants: TENANT_TABLE_VERSION,
    services: SERVICE_TABLE_VERSION,
    vendors: VENDOR_TABLE_VERSION,
    browsers: BROWSER_TABLE_VERSION,
    tools: TOOL_TABLE_VERSION,
    lolbins: TOOL_TABLE_VERSION,
    chunks: TOOL_TABLE_VERSION,
    ja4: TOOL_TABLE_VERSION,
    hosting: HOSTING_TABLE_VERSION,
  },
  tenants: TENANT_ROWS,
  services: SERVICES,
  vendors: VENDOR_FAMILIES,
  browsers: BROWSERS,
  tools: UPLOAD_TOOLS,
  lolbins: LOLBINS,
  chunks: CHUNK_TABLE,
  ja4: JA4_FAMILIES,
  hosting: HOSTING,
};
