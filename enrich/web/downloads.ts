import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evidenceName } from '../../sensor/record/evidence-name.ts';
import { toOcsf } from '../alert/to-ocsf.ts';
import { toStix } from '../alert/to-stix.ts';
import type { AboutAlert } from '../bundle/judge-again.ts';
import { writeBundle } from '../bundle/write-bundle.ts';
import { type HttpAnswer, HttpRefusal } from '../service/http-answer.ts';
import { defaultSettings, type Settings } from '../settings.ts';
import type { Store, StoredAlert } from '../store/store.ts';

export interface DownloadSources {
  readonly store: Store;
  /** What the alerts were scored with; the defaults when absent. */
  readonly settings?: Settings;
  /** Directory of handshake packets, as a sensor's --evidence writes it. */
  readonly evidence?: string;
}

/** What can be taken away of one alert: `ocsf`, `stix`, `bundle`, or `packets` of one of its flows; undefined for another part. */
export function download(
  part: string | undefined,
  flow: string | undefined,
  alert: StoredAlert,
  sources: DownloadSources,
): HttpAnswer | Promise<HttpAnswer> | undefined {
  if (part === 'packets') return flow === undefined ? undefined : packets(flow, alert, sources);
  if (flow !== undefined) return undefined;
  if (part === 'ocsf') return { status: 200, json: toOcsf(alert) };
  if (part === 'stix') return { status: 200, json: toStix(alert) };
  return part === 'bundle' ? bundle(alert, sources) : undefined;
}

async function bundle(alert: StoredAlert, sources: DownloadSources): Promise<HttpAnswer> {
  const settings = sources.settings ?? defaultSettings();
  const written = await writeBundle(sources.store, settings, alert, (id) => packetsOf(id, sources));
  if (written.kind === 'none') throw new HttpRefusal(404, written.why);
  return file(written.bytes, 'application/zip', `${evidenceName(alert.id)}.zip`.replace('.pcap', ''));
}

/** Only of the flows that the alert lists: a flow id is no way around. */
function packets(flow: string, { body }: StoredAlert, sources: DownloadSources): HttpAnswer {
  const isListed = (body as AboutAlert).waybill?.flows?.some(({ flow_id: id }) => id === flow) === true;
  const bytes = isListed ? packetsOf(flow, sources) : undefined;
  if (!bytes) throw new HttpRefusal(404, 'no packets were kept of this flow: let the sensor run with --evidence');
  return file(bytes, 'application/vnd.tcpdump.pcap', evidenceName(flow));
}

function packetsOf(flow: string, { evidence }: DownloadSources): Uint8Array | undefined {
  const path = evidence === undefined ? undefined : join(evidence, evidenceName(flow));
  return path !== undefined && existsSync(path) ? readFileSync(path) : undefined;
}

const file = (bytes: Uint8Array, type: string, name: string): HttpAnswer => ({
  status: 200,
  bytes,
  type,
  headers: { 'content-disposition': `attachment; filename="${name}"` },
});
