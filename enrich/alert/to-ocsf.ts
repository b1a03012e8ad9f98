import { parseMicros } from '../../sensor/base/timestamp.ts';
import type { StoredAlert } from '../store/store.ts';
import { type AlertParts, fileNameOf, isHigh, isWithdrawn, type ProcessParts } from './alert-parts.ts';

/** Of the schema that the names are from: the first with JA4 among the evidences. */
const OCSF_VERSION = '1.6.0';
const CLASS_UID = 2004;
const ACTIVITY = ['Unknown', 'Create', 'Update', 'Close'] as const;
const [CREATE, UPDATE, CLOSE] = [1, 2, 3];
/** Of `severity_id`. */
const SEVERITY = { withdrawn: [1, 'Informational'], medium: [3, 'Medium'], high: [4, 'High'] } as const;
/** Raw events that are named as related. */
const RELATED = 50;

/**
 * An alert as an OCSF Detection Finding (class 2004). Of one alert every revision carries the same `finding_info.uid`, so
 * that a lake or SIEM updates one finding.
 *
 * @param isKnown the receiver has an earlier revision
 */
export function toOcsf({ id, at, body }: StoredAlert, isKnown = false): Record<string, unknown> {
  const alert = body as AlertParts;
  const gone = isWithdrawn(alert);
  const activity = gone ? CLOSE : isKnown ? UPDATE : CREATE;
  const [severityId, severity] = SEVERITY[gone ? 'withdrawn' : isHigh(alert) ? 'high' : 'medium'];
  const events = (alert.waybill?.events ?? []).slice(0, RELATED);
  return {
    class_uid: CLASS_UID,
    class_name: 'Detection Finding',
    category_uid: 2,
    category_name: 'Findings',
    activity_id: activity,
    activity_name: ACTIVITY[activity],
    type_uid: CLASS_UID * 100 + activity,
    time: Math.floor(at / 1000),
    start_time: millis(alert.event?.start),
    end_time: millis(alert.event?.end),
    severity_id: severityId,
    severity,
    ...(gone
      ? { status_id: 4, status: 'Resolved', status_detail: alert.event?.reason }
      : { status_id: 1, status: 'New' }),
    is_alert: !gone,
    message: alert.message,
    confidence_score: percent(alert.waybill?.probability),
    risk_score: alert.event?.risk_score === undefined ? undefined : Math.round(alert.event.risk_score),
    metadata: { version: OCSF_VERSION, uid: id, product: { name: 'Waybill', vendor_name: 'Waybill' } },
    finding_info: {
      uid: id,
      title: alert.rule?.name ?? 'Exfiltration suspected',
      desc: alert.message,
      first_seen_time: millis(alert.event?.start),
      last_seen_time: millis(alert.event?.end),
      analytic: { type_id: 1, type: 'Rule', uid: alert.rule?.id, name: alert.rule?.name, version: alert.rule?.version },
      attacks: [
        {
          tactic: { uid: 'TA0010', name: 'Exfiltration' },
          technique: { uid: 'T1048', name: 'Exfiltration Over Alternative Protocol' },
          sub_technique: { uid: 'T1048.002', name: 'Exfiltration Over Asymmetric Encrypted Non-C2 Protocol' },
        },
      ],
      related_events: events.map((uid) => ({ uid })),
      related_events_count: events.length,
    },
    device: device(alert),
    evidences: [evidence(alert)],
    unmapped: { waybill: { score_db: alert.waybill?.score_db, tier: alert.waybill?.tier } },
  };
}

function evidence(alert: AlertParts): Record<string, unknown> {
  const { source, destination, network, tls, file, process } = alert;
  const ja4 = tls?.client?.ja4;
  return {
    uid: network?.community_id,
    src_endpoint: { ip: source?.ip, port: source?.port, hostname: alert.host?.name },
    dst_endpoint: { ip: destination?.ip, port: destination?.port, hostname: destination?.domain },
    connection_info: {
      direction_id: 2,
      direction: 'Outbound',
      protocol_name: network?.transport,
      protocol_num: network?.transport === 'udp' ? 17 : 6,
      community_uid: network?.community_id,
    },
    // The schema asks for a version; without one there was no handshake to tell of.
    ...(tls?.version !== undefined
      ? {
          tls: {
            version: tls.version,
            cipher: tls.cipher,
            sni: tls.client?.server_name,
            ja3_hash: md5(tls.client?.ja3),
          },
        }
      : {}),
    ...(ja4 === undefined ? {} : { ja4_fingerprint_list: [{ type_id: 1, type: 'JA4', value: ja4 }] }),
    ...(process ? { process: { ...processOf(process), user: userOf(alert), parent_process: parentOf(process) } } : {}),
    ...(file?.path === undefined
      ? {}
      : { file: { name: fileNameOf(file.path), path: file.path, size: file.size, type_id: 1, type: 'Regular File' } }),
  };
}

const device = ({ host }: AlertParts): Record<string, unknown> => ({
  uid: host?.id,
  hostname: host?.name,
  ip: host?.ip?.[0],
  type_id: 0,
  type: 'Unknown',
});

function processOf(p: ProcessParts): Record<string, unknown> {
  const sha256 = p.hash?.sha256;
  return {
    uid: p.entity_id,
    pid: p.pid,
    name: p.name,
    cmd_line: p.command_line,
    created_time: millis(p.start),
    ...(p.executable === undefined
      ? {}
      : {
          file: {
            name: fileNameOf(p.executable),
            path: p.executable,
            type_id: 1,
            type: 'Regular File',
            ...(sha256 === undefined ? {} : { hashes: [{ algorithm_id: 3, algorithm: 'SHA-256', value: sha256 }] }),
          },
        }),
  };
}

const parentOf = ({ parent }: NonNullable<AlertParts['process']>) => (parent ? processOf(parent) : undefined);

const userOf = ({ user }: AlertParts) => (user ? { name: user.name, uid: user.id, domain: user.domain } : undefined);

const md5 = (value: string | undefined) =>
  value === undefined ? undefined : { algorithm_id: 1, algorithm: 'MD5', value };

const percent = (p: number | undefined) => (p === undefined ? undefined : Math.round(p * 100));

function millis(iso: string | undefined): number | undefined {
  const micros = iso === undefined ? undefined : parseMicros(iso);
  return micros === undefined ? undefined : Math.floor(micros / 1000);
}
