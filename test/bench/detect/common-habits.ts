/** How often what happens. Rates are a day's mean on one host, by role. */
import { uniform } from './chance.ts';
import {
  browse,
  chat,
  copyFolder,
  downloadedZip,
  errorReport,
  mailZip,
  newApplication,
  nightlyBackup,
  officeSync,
  packByHand,
  packThenBrowser,
  updates,
} from './ordinary-work.ts';
import type { Role } from './organisation.ts';
import type { Scene } from './scene.ts';

export interface Habit {
  /** What it is called in the report. */
  readonly kind: string;
  readonly rate: Partial<Record<Role, number>>;
  /** `work`: when people work; `on`: while the machine is on; `night`: at night, servers and desktops. */
  readonly when: 'work' | 'on' | 'night';
  readonly act: (scene: Scene, at: number) => void;
  /** Share of hosts that have the habit at all; by default all. */
  readonly hosts?: number;
}

const ALL = (rate: number): Partial<Record<Role, number>> => ({
  office: rate,
  developer: rate,
  admin: rate,
  finance: rate,
  server: rate,
});
const PEOPLE = (rate: number): Partial<Record<Role, number>> => ({
  office: rate,
  developer: rate,
  admin: rate,
  finance: rate,
});
const KB = 1e3;
const MB = 1e6;

export const COMMON_HABITS: readonly Habit[] = [
  {
    kind: 'browsing',
    rate: { office: 12, developer: 14, admin: 8, finance: 10, server: 0.05 },
    when: 'work',
    act: browse,
  },
  {
    kind: 'browser update',
    rate: ALL(0.4),
    when: 'on',
    act: (s, at) =>
      uniform(s.random) < 0.5
        ? chat('googleUpdate', ['update.googleapis.com', 'edgedl.me.gvt1.com'], 3 * KB, 2 * MB)(s, at)
        : chat('edgeUpdate', ['msedge.api.cdp.microsoft.com'], 3 * KB, 2 * MB)(s, at),
  },
  {
    kind: 'system telemetry',
    rate: ALL(1.5),
    when: 'on',
    act: chat(
      'svchost',
      ['v10.events.data.microsoft.com', 'settings-win.data.microsoft.com', 'self.events.data.microsoft.com'],
      9 * KB,
      5 * KB,
    ),
  },
  {
    kind: 'system telemetry',
    rate: ALL(0.3),
    when: 'on',
    act: chat('telemetry', ['v10.events.data.microsoft.com'], 60 * KB, 5 * KB),
  },
  { kind: 'system update', rate: ALL(0.8), when: 'on', act: updates },
  {
    kind: 'security agent',
    rate: ALL(2),
    when: 'on',
    act: chat('edr', ['ingest-eu.haldensensor.com', 'cfg.haldensensor.com'], 250 * KB, 9 * KB, 1.6),
  },
  {
    kind: 'security agent',
    rate: ALL(0.5),
    when: 'on',
    act: chat('defender', ['wdcp.microsoft.com', 'europe.smartscreen.microsoft.com'], 20 * KB, 6 * KB),
  },
  {
    kind: 'mail',
    rate: PEOPLE(3),
    when: 'work',
    act: chat(
      'outlook',
      ['outlook.office365.com', 'outlook.office365.com', 'autodiscover-s.outlook.com'],
      40 * KB,
      200 * KB,
      1.6,
    ),
  },
  {
    kind: 'meetings',
    rate: PEOPLE(2),
    when: 'work',
    act: chat(
      'teams',
      ['teams.microsoft.com', 'presence.teams.microsoft.com', 'eu-api.asm.skype.com'],
      60 * KB,
      200 * KB,
      1.8,
    ),
  },
  { kind: 'file sync', rate: { office: 3, developer: 1, admin: 1, finance: 3 }, when: 'work', act: officeSync },
  {
    kind: 'chat',
    rate: { office: 0.6, developer: 1.5 },
    when: 'work',
    act: chat('slack', ['edgeapi.slack.com', 'files.slack.com', '{org}.slack.com'], 30 * KB, 60 * KB, 1.7),
    hosts: 0.6,
  },
  {
    kind: 'meetings',
    rate: PEOPLE(0.4),
    when: 'work',
    act: chat('zoom', ['us02web.zoom.us', 'logfiles-eu.zoom.us'], 80 * KB, 200 * KB, 1.6),
    hosts: 0.4,
  },
  {
    kind: 'private sync client',
    rate: PEOPLE(1.5),
    when: 'work',
    act: chat('dropbox', ['client.dropbox.com', 'block.dropbox.com', 'api.dropboxapi.com'], 300 * KB, 100 * KB, 2),
    hosts: 0.03,
  },
  {
    kind: 'nightly backup',
    rate: { server: 1, finance: 0.7, office: 0.4, developer: 0.3, admin: 0.3 },
    when: 'night',
    act: nightlyBackup,
    hosts: 0.6,
  },
  { kind: 'mail with an archive', rate: PEOPLE(0.08), when: 'work', act: mailZip },
  { kind: 'archive to a web site', rate: PEOPLE(0.05), when: 'work', act: packThenBrowser },
  {
    kind: 'packing',
    rate: { office: 0.15, developer: 0.3, admin: 0.3, finance: 0.3 },
    when: 'work',
    act: (s, at) => void packByHand(s, at),
  },
  { kind: 'downloaded archive', rate: PEOPLE(0.25), when: 'work', act: downloadedZip },
  { kind: 'error report', rate: ALL(0.05), when: 'on', act: errorReport },
  {
    kind: 'new application',
    rate: { office: 0.015, developer: 0.03, admin: 0.03, finance: 0.01, server: 0.003 },
    when: 'work',
    act: newApplication,
  },
  { kind: 'copied folder', rate: PEOPLE(0.06), when: 'work', act: copyFolder },
];
