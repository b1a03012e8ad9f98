import { parseMicros } from '../../sensor/base/timestamp.ts';
import { alertDocument } from '../alert/alert-document.ts';
import { slowDocument } from '../alert/slow-document.ts';
import { HostClocks } from '../join/clock.ts';
import { episodesOfHost } from '../score/episode.ts';
import { scoreEpisode } from '../score/score.ts';
import { ledgerOfHost, slowId, slowTheftIn, weeksOf } from '../score/slow.ts';
import type { Settings } from '../settings.ts';
import type { Store, StoredAlert } from '../store/store.ts';

/** What is read of an alert document to find again what it is about. */
export interface AboutAlert {
  readonly event?: { readonly start?: string };
  readonly host?: { readonly id?: string };
  readonly user?: { readonly id?: string };
  readonly waybill?: {
    readonly model?: string;
    readonly score_db?: number;
    readonly slow?: string;
    /** Ids of raw endpoint events. */
    readonly events?: readonly string[];
    readonly ledger?: readonly { readonly at?: string }[];
    readonly flows?: readonly { readonly flow_id?: string; readonly start?: string }[];
  };
}

/** Scores again what an alert is about; undefined when the facts make no such episode any more. Reads only. */
export async function judgedAgain(
  store: Store,
  settings: Settings,
  id: string,
  body: AboutAlert,
): Promise<StoredAlert | undefined> {
  return body.waybill?.ledger ? slowAgain(store, settings, id, body) : episodeAgain(store, settings, id, body);
}

async function episodeAgain(
  store: Store,
  settings: Settings,
  id: string,
  { host, waybill }: AboutAlert,
): Promise<StoredAlert | undefined> {
  const at = parseMicros(waybill?.flows?.[0]?.start ?? '');
  if (at === undefined || host?.id === undefined) return undefined;
  const episodes = await episodesOfHost(store, new HostClocks(store), host.id, at, at, settings);
  const episode = episodes.find((each) => each.id === id);
  return episode && alertDocument(episode, scoreEpisode(episode, settings));
}

async function slowAgain(
  store: Store,
  settings: Settings,
  id: string,
  { host, user, waybill }: AboutAlert,
): Promise<StoredAlert | undefined> {
  const last = parseMicros(waybill?.ledger?.at(-1)?.at ?? '');
  if (last === undefined) return undefined;
  const ledgers = [ledgerOfHost(host?.id ?? ''), `user:${(user?.id ?? '').toLowerCase().slice(0, 200)}`];
  for (const ledger of ledgers) {
    const week = weeksOf(last).find((each) => slowId(ledger, each) === id);
    if (week === undefined) continue;
    const slow = await slowTheftIn(store, new HostClocks(store), ledger, week, settings);
    return slow && slowDocument(slow);
  }
  return undefined;
}
