/**
 * Hosts that carry many customers, and where in the name the customer stands. The public-suffix list's private section
 * (through tldts) knows many; these rows add what it lacks, fold the spellings of one bucket to one name, and say where a
 * customer exists but cannot be seen. Sources: the providers' endpoint documentation.
 */
export const TENANT_TABLE_VERSION = '2026.1';

export type DestinationCategory =
  | 'cloud-storage'
  | 'paste'
  | 'file-sharing'
  | 'tunnel'
  | 'messaging'
  | 'code-repo'
  | 'webhook'
  | 'serverless';

export interface TenantRow {
  /**
   * Labels from left to right. `*` is any one label, `{t}` the tenant's label (text may stand around it), `{t+}` one or
   * more labels that name the tenant, at the left end only. Without a tenant mark the row says that it is hidden.
   */
  readonly pattern: string;
  /** The one name of the tenant; `{t}` stands for what the pattern caught. Missing when hidden. */
  readonly tenant?: string;
  readonly provider: string;
  readonly category?: DestinationCategory;
}

type Line = readonly [pattern: string, tenant: string | undefined, provider: string, category?: DestinationCategory];

const LINES: readonly Line[] = [
  // Amazon S3: virtual-hosted style names the bucket, path style hides it.
  ['{t+}.s3.amazonaws.com', '{t}.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
  ['{t+}.s3.*.amazonaws.com', '{t}.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
  ['{t+}.s3-*.amazonaws.com', '{t}.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
  ['{t+}.s3.dualstack.*.amazonaws.com', '{t}.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
  ['{t+}.s3-fips.*.amazonaws.com', '{t}.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
  ['{t+}.s3-accelerate.amazonaws.com', '{t}.s3.amazonaws.com', 'amazon-s3', 'cloud-storage'],
  ['s3.amazonaws.com', undefined, 'amazon-s3', 'cloud-storage'],
  ['s3.*.amazonaws.com', undefined, 'amazon-s3', 'cloud-storage'],
  ['s3-*.amazonaws.com', undefined, 'amazon-s3', 'cloud-storage'],
  ['s3.dualstack.*.amazonaws.com', undefined, 'amazon-s3', 'cloud-storage'],
  ['{t}.execute-api.*.amazonaws.com', '{t}.execute-api.amazonaws.com', 'amazon-api-gateway', 'serverless'],
  ['{t}.lambda-url.*.on.aws', '{t}.lambda-url.on.aws', 'amazon-lambda', 'serverless'],
  ['{t}.transfer.*.amazonaws.com', '{t}.transfer.amazonaws.com', 'amazon-transfer', 'cloud-storage'],
  ['{t}.snowflakecomputing.com', '{t}.snowflakecomputing.com', 'snowflake'],
  ['{t}.*.snowflakecomputing.com', '{t}.snowflakecomputing.com', 'snowflake'],
  ['{t}.*.*.snowflakecomputing.com', '{t}.snowflakecomputing.com', 'snowflake'],
  // Microsoft: the storage account or the SharePoint tenant.
  ['{t}.blob.core.windows.net', '{t}.core.windows.net', 'azure-storage', 'cloud-storage'],
  ['{t}.dfs.core.windows.net', '{t}.core.windows.net', 'azure-storage', 'cloud-storage'],
  ['{t}.file.core.windows.net', '{t}.core.windows.net', 'azure-storage', 'cloud-storage'],
  ['{t}.queue.core.windows.net', '{t}.core.windows.net', 'azure-storage', 'cloud-storage'],
  ['{t}.table.core.windows.net', '{t}.core.windows.net', 'azure-storage', 'cloud-storage'],
  ['{t}.*.blob.storage.azure.net', '{t}.core.windows.net', 'azure-storage', 'cloud-storage'],
  ['{t}-my.sharepoint.com', '{t}.sharepoint.com', 'microsoft-sharepoint', 'cloud-storage'],
  ['{t}-admin.sharepoint.com', '{t}.sharepoint.com', 'microsoft-sharepoint', 'cloud-storage'],
  ['{t}.sharepoint.com', '{t}.sharepoint.com', 'microsoft-sharepoint', 'cloud-storage'],
  ['{t}.sharepoint.us', '{t}.sharepoint.us', 'microsoft-sharepoint', 'cloud-storage'],
  ['{t}.onmicrosoft.com', '{t}.onmicrosoft.com', 'microsoft-entra'],
  ['{t}.crm*.dynamics.com', '{t}.crm.dynamics.com', 'microsoft-dynamics'],
  ['{t}.crm.dynamics.com', '{t}.crm.dynamics.com', 'microsoft-dynamics'],
  ['{t}.visualstudio.com', '{t}.visualstudio.com', 'azure-devops', 'code-repo'],
  ['dev.azure.com', undefined, 'azure-devops', 'code-repo'],
  ['{t}.servicebus.windows.net', '{t}.servicebus.windows.net', 'azure-service-bus'],
  ['{t}.ods.opinsights.azure.com', '{t}.ods.opinsights.azure.com', 'azure-monitor'],
  ['{t}.*.devtunnels.ms', '{t}.devtunnels.ms', 'microsoft-dev-tunnels', 'tunnel'],
  // Google.
  ['storage.googleapis.com', undefined, 'google-cloud-storage', 'cloud-storage'],
  ['{t+}.storage.googleapis.com', '{t}.storage.googleapis.com', 'google-cloud-storage', 'cloud-storage'],
  ['storage.cloud.google.com', undefined, 'google-cloud-storage', 'cloud-storage'],
  ['{t}.firebaseio.com', '{t}.firebaseio.com', 'firebase', 'serverless'],
  ['{t}.*.firebasedatabase.app', '{t}.firebasedatabase.app', 'firebase', 'serverless'],
  ['firebasestorage.googleapis.com', undefined, 'firebase', 'cloud-storage'],
  ['{t}.cloudfunctions.net', '{t}.cloudfunctions.net', 'google-cloud-functions', 'serverless'],
  // Object storage of others.
  ['{t}.r2.cloudflarestorage.com', '{t}.r2.cloudflarestorage.com', 'cloudflare-r2', 'cloud-storage'],
  ['{t}.*.r2.cloudflarestorage.com', '{t}.r2.cloudflarestorage.com', 'cloudflare-r2', 'cloud-storage'],
  ['{t+}.s3.*.wasabisys.com', '{t}.s3.wasabisys.com', 'wasabi', 'cloud-storage'],
  ['{t+}.s3.wasabisys.com', '{t}.s3.wasabisys.com', 'wasabi', 'cloud-storage'],
  ['s3.wasabisys.com', undefined, 'wasabi', 'cloud-storage'],
  ['s3.*.wasabisys.com', undefined, 'wasabi', 'cloud-storage'],
  ['{t+}.s3.*.backblazeb2.com', '{t}.s3.backblazeb2.com', 'backblaze-b2', 'cloud-storage'],
  ['s3.*.backblazeb2.com', undefined, 'backblaze-b2', 'cloud-storage'],
  ['*.backblazeb2.com', undefined, 'backblaze-b2', 'cloud-storage'],
  ['*.*.backblazeb2.com', undefined, 'backblaze-b2', 'cloud-storage'],
  ['*.*.*.backblazeb2.com', undefined, 'backblaze-b2', 'cloud-storage'],
  ['{t}.*.digitaloceanspaces.com', '{t}.digitaloceanspaces.com', 'digitalocean-spaces', 'cloud-storage'],
  ['{t}.*.cdn.digitaloceanspaces.com', '{t}.digitaloceanspaces.com', 'digitalocean-spaces', 'cloud-storage'],
  ['*.digitaloceanspaces.com', undefined, 'digitalocean-spaces', 'cloud-storage'],
  ['{t}.*.linodeobjects.com', '{t}.linodeobjects.com', 'linode-object-storage', 'cloud-storage'],
  ['*.linodeobjects.com', undefined, 'linode-object-storage', 'cloud-storage'],
  ['{t}.*.vultrobjects.com', '{t}.vultrobjects.com', 'vultr-object-storage', 'cloud-storage'],
  ['*.vultrobjects.com', undefined, 'vultr-object-storage', 'cloud-storage'],
  ['{t}.s3.*.scw.cloud', '{t}.s3.scw.cloud', 'scaleway', 'cloud-storage'],
  ['s3.*.scw.cloud', undefined, 'scaleway', 'cloud-storage'],
  ['{t}.s3.*.io.cloud.ovh.net', '{t}.s3.io.cloud.ovh.net', 'ovhcloud', 'cloud-storage'],
  ['s3.*.io.cloud.ovh.net', undefined, 'ovhcloud', 'cloud-storage'],
  ['{t}.*.your-objectstorage.com', '{t}.your-objectstorage.com', 'hetzner', 'cloud-storage'],
  ['{t}.your-storagebox.de', '{t}.your-storagebox.de', 'hetzner', 'cloud-storage'],
  ['{t}.oss-*.aliyuncs.com', '{t}.oss.aliyuncs.com', 'alibaba-oss', 'cloud-storage'],
  ['oss-*.aliyuncs.com', undefined, 'alibaba-oss', 'cloud-storage'],
  ['{t}.cos.*.myqcloud.com', '{t}.cos.myqcloud.com', 'tencent-cos', 'cloud-storage'],
  ['{t}.obs.*.myhuaweicloud.com', '{t}.obs.myhuaweicloud.com', 'huawei-obs', 'cloud-storage'],
  ['{t}.storage.yandexcloud.net', '{t}.storage.yandexcloud.net', 'yandex-cloud', 'cloud-storage'],
  ['storage.yandexcloud.net', undefined, 'yandex-cloud', 'cloud-storage'],
  ['{t}.objectstorage.*.oraclecloud.com', '{t}.objectstorage.oraclecloud.com', 'oracle-cloud', 'cloud-storage'],
  ['objectstorage.*.oraclecloud.com', undefined, 'oracle-cloud', 'cloud-storage'],
  ['{t}.idrivee2-*.com', '{t}.idrivee2.com', 'idrive-e2', 'cloud-storage'],
  ['{t}.b-cdn.net', '{t}.b-cdn.net', 'bunny'],
  ['{t}.bunnycdn.com', undefined, 'bunny', 'cloud-storage'],
  // Business services with the customer's name in front.
  ['{t}.app.box.com', '{t}.box.com', 'box', 'cloud-storage'],
  ['{t}.ent.box.com', '{t}.box.com', 'box', 'cloud-storage'],
  ['{t}.my.salesforce.com', '{t}.my.salesforce.com', 'salesforce'],
  ['{t}.file.force.com', '{t}.my.salesforce.com', 'salesforce'],
  ['{t}.lightning.force.com', '{t}.my.salesforce.com', 'salesforce'],
  ['{t}.slack.com', '{t}.slack.com', 'slack', 'messaging'],
  ['{t}.enterprise.slack.com', '{t}.slack.com', 'slack', 'messaging'],
  ['{t}.atlassian.net', '{t}.atlassian.net', 'atlassian'],
  ['{t}.zendesk.com', '{t}.zendesk.com', 'zendesk'],
  ['{t}.service-now.com', '{t}.service-now.com', 'servicenow'],
  ['{t}.sharefile.com', '{t}.sharefile.com', 'sharefile', 'file-sharing'],
  ['{t}.sf-api.com', '{t}.sharefile.com', 'sharefile', 'file-sharing'],
  ['{t}.egnyte.com', '{t}.egnyte.com', 'egnyte', 'cloud-storage'],
  ['{t}.okta.com', '{t}.okta.com', 'okta'],
  ['{t}.freshdesk.com', '{t}.freshdesk.com', 'freshdesk'],
  ['{t}.ingest.sentry.io', '{t}.ingest.sentry.io', 'sentry'],
  ['{t}.ingest.*.sentry.io', '{t}.ingest.sentry.io', 'sentry'],
  ['{t}.splunkcloud.com', '{t}.splunkcloud.com', 'splunk-cloud'],
  ['http-inputs-{t}.splunkcloud.com', '{t}.splunkcloud.com', 'splunk-cloud'],
  ['{t}.*.*.elastic-cloud.com', '{t}.elastic-cloud.com', 'elastic-cloud'],
  ['{t}.*.*.cloud.es.io', '{t}.elastic-cloud.com', 'elastic-cloud'],
  ['{t}.webhook.office.com', '{t}.webhook.office.com', 'microsoft-teams', 'webhook'],
  ['{t}.m.pipedream.net', '{t}.m.pipedream.net', 'pipedream', 'webhook'],
  ['{t}.webhook.site', '{t}.webhook.site', 'webhook-site', 'webhook'],
  ['{t}.free.beeceptor.com', '{t}.free.beeceptor.com', 'beeceptor', 'webhook'],
];

export const TENANT_ROWS: readonly TenantRow[] = LINES.map(([pattern, tenant, provider, category]) => ({
  pattern,
  provider,
  ...(pattern.includes('{t') && tenant !== undefined ? { tenant } : {}),
  ...(category === undefined ? {} : { category }),
}));

/**
 * Private suffixes whose label in front is no customer: the provider's own hosts, or edge servers that change from one
 * look-up to the next.
 */
export const NOT_TENANTS: readonly string[] = [
  'googleapis.com',
  'githubusercontent.com',
  'akamai.net',
  'akamaiedge.net',
  'akamaized.net',
  'edgekey.net',
  'edgesuite.net',
  'akadns.net',
  'akamaihd.net',
  'fbsbx.com',
  'trafficmanager.net',
  'nel.goog',
];
