import { createHash } from 'node:crypto';
import { formatMicros } from '../../sensor/base/timestamp.ts';
import { type Settings, scoringOf } from '../settings.ts';
import type { FactKind, Store, StoredAlert } from '../store/store.ts';
import { type AboutAlert, judgedAgain } from './judge-again.ts';
import { FORMAT, MAX_BUNDLE_BYTES, type Manifest, MEMBERS, packetsOf } from './members.ts';
import { RecordingStore } from './recording-store.ts';
import { type Member, writeZip } from './zip.ts';

/** What the endpoint feed told, as opposed to what the network did. */
const OF_ENDPOINT: ReadonlySet<FactKind> = new Set(['connection', 'lease', 'dns', 'process', 'staging', 'gap', 'file']);

/** The bundle of one alert, or why there is none. */
export type Written =
  | { readonly kind: 'ok'; readonly bytes: Buffer; readonly notes: readonly string[] }
  | { readonly kind: 'none'; readonly why: string };

/** Gives the handshake packets of a flow, if they were kept. */
export type PacketsOf = (flowId: string) => Uint8Array | undefined;

/** A record as it stands in the endpoint feed, and the ids of the alert's events that were read from it. */
export interface RawEvent {
  readonly events: readonly string[];
  readonly record: string;
}

/**
 * Everything that an alert rests on, as one zip file: the same alert and store give the same bytes.
 * @param packets of the flows that the alert lists
 * @param raw records of the feed, where its logs are at hand: the store keeps what was read of them, not their text
 */
export async function writeBundle(
  store: Store,
  settings: Settings,
  alert: StoredAlert,
  packets: PacketsOf,
  raw: readonly RawEvent[] = [],
): Promise<Written> {
  const body = alert.body as AboutAlert;
  const reading = new RecordingStore(store);
  const again = await judgedAgain(reading.store, settings, alert.id, body);
  if (!again) return { kind: 'none', why: 'the store has no longer the facts that this alert rests on' };
  const { facts, baseline } = reading.recording;
  const told = decibelsOf(body);
  const now = decibelsOf(again.body as AboutAlert);
  const slices = packetMembers(body, packets);
  const flows = body.waybill?.flows?.length ?? 0;
  const notes = [
    ...(settings.tables.asn === undefined
      ? []
      : ['scored with a database of networks (settings, tables.asn): give it again with --config']),
    ...(told === now
      ? []
      : [`the alert says ${told} dB, and the facts of today ${now} dB: the store has moved on since`]),
    ...(slices.length === flows
      ? []
      : [`packets are here of ${slices.length} of ${flows} flows (sensor --evidence keeps them)`]),
  ];
  const members: readonly Member[] = [
    { name: MEMBERS.alert, bytes: json({ id: alert.id, at: alert.at, revision: alert.revision, body: alert.body }) },
    { name: MEMBERS.events, bytes: lines(facts.filter(({ kind }) => OF_ENDPOINT.has(kind))) },
    { name: MEMBERS.flows, bytes: lines(facts.filter(({ kind }) => !OF_ENDPOINT.has(kind))) },
    { name: MEMBERS.baseline, bytes: json(baseline) },
    { name: MEMBERS.settings, bytes: json(scoringOf(settings)) },
    ...(raw.length === 0 ? [] : [{ name: MEMBERS.raw, bytes: lines(raw) }]),
    ...slices,
  ];
  const size = members.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (size > MAX_BUNDLE_BYTES)
    return { kind: 'none', why: `it would unpack to ${size} bytes, more than ${MAX_BUNDLE_BYTES}` };
  const manifest: Manifest = {
    format: FORMAT,
    alert: alert.id,
    alert_time: formatMicros(alert.at),
    model: (again.body as AboutAlert).waybill?.model ?? '',
    score_db: now ?? 0,
    notes,
    members: members.map(({ name, bytes }) => ({ name, bytes: bytes.length, sha256: sha256Of(bytes) })),
  };
  return { kind: 'ok', bytes: writeZip([{ name: MEMBERS.manifest, bytes: json(manifest) }, ...members]), notes };
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const decibelsOf = ({ waybill }: AboutAlert): number | undefined => waybill?.score_db;

function packetMembers({ waybill }: AboutAlert, packets: PacketsOf): Member[] {
  return (waybill?.flows ?? []).flatMap(({ flow_id: id }) => {
    const bytes = id === undefined ? undefined : packets(id);
    return id === undefined || bytes === undefined ? [] : [{ name: packetsOf(id), bytes }];
  });
}

const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
const lines = (each: readonly object[]): Buffer => Buffer.from(each.map((one) => `${JSON.stringify(one)}\n`).join(''));
