import { type VolumeWeights, WEIGHTS } from './weights.ts';

/**
 * Sizes in which upload tools send by default, between two answers of the server. Source: the option tables of the rclone
 * documentation and of the providers' SDKs. A row names a family, never one program: everyone may choose 8 MiB.
 */
export interface ChunkRow {
  readonly family: string;
  /** Bytes. */
  readonly chunk: number;
  /** Providers (destination.ts) this default belongs to; empty for any. */
  readonly providers: readonly string[];
}

const MIB = 1024 * 1024;

export const CHUNK_TABLE: readonly ChunkRow[] = [
  {
    family: 'rclone to S3',
    chunk: 5 * MIB,
    providers: ['amazon-s3', 'wasabi', 'cloudflare-r2', 'digitalocean-spaces'],
  },
  { family: 'AWS SDK or command line', chunk: 8 * MIB, providers: ['amazon-s3', 'wasabi', 'cloudflare-r2'] },
  { family: 'rclone or SDK to Azure', chunk: 4 * MIB, providers: ['azure-storage'] },
  { family: 'AzCopy', chunk: 8 * MIB, providers: ['azure-storage'] },
  { family: 'rclone to OneDrive', chunk: 10 * MIB, providers: ['onedrive', 'microsoft-sharepoint'] },
  { family: 'rclone to Google Drive', chunk: 8 * MIB, providers: ['google-drive', 'google-apis'] },
  { family: 'rclone to Google Cloud Storage', chunk: 16 * MIB, providers: ['google-cloud-storage'] },
  { family: 'rclone to Dropbox', chunk: 48 * MIB, providers: ['dropbox'] },
  { family: 'rclone to B2', chunk: 96 * MIB, providers: ['backblaze-b2'] },
  { family: 'restic pack files', chunk: 16 * MIB, providers: [] },
];

export interface ChunkMatch {
  readonly family: string;
  /** Bytes of the burst that matched. */
  readonly burst: number;
  readonly db: number;
}

/** TLS records, HTTP/2 frames and headers around a chunk: at most this share of it, and a little for the request. */
const OVERHEAD_SHARE = 0.03;
const OVERHEAD_BYTES = 4_096;

/**
 * The family whose chunk the modal upstream burst has, if the destination is one of its providers. `bursts` are bytes
 * between server replies, modal first (flow record). The caller leaves this out when the provider's own client runs.
 */
export function chunkSignature(
  bursts: readonly number[],
  provider: string | undefined,
  weights: VolumeWeights = WEIGHTS.volume,
  table: readonly ChunkRow[] = CHUNK_TABLE,
): ChunkMatch | undefined {
  const burst = bursts[0];
  if (burst === undefined) return undefined;
  const row = table.find(
    ({ chunk, providers }) =>
      burst >= chunk &&
      burst <= chunk * (1 + OVERHEAD_SHARE) + OVERHEAD_BYTES &&
      (providers.length === 0 || (provider !== undefined && providers.includes(provider))),
  );
  return row === undefined ? undefined : { family: row.family, burst, db: weights.chunk };
}
