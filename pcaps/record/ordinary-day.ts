/** The ordinary half hour: every machine does what it does on any day. The history is made of its replicas. */
import { launchBrowser } from './browsers.ts';
import type { Host } from './hosts.ts';
import { HOSTS, SYSTEM } from './hosts.ts';
import {
  askRegistry,
  backUp,
  buildAndPublish,
  chat,
  checkIn,
  checkUpdates,
  listRepository,
  pushReport,
  readMail,
  syncFiles,
  systemUpdate,
} from './ordinary.ts';
import type { Session, Slot } from './session.ts';
import { sleep } from './shell.ts';
import { type Recording, Take } from './take.ts';

const MORNING_PAGES = [
  'news.morgenblatt.example',
  'search.findly.example',
  'docs.cloudoffice.example',
  'cdn.jslib.example',
];

/** Where each machine's people work in the browser. */
const WORK_PAGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['WS-FIN-01', ['bank.kontor.example', 'docs.cloudoffice.example']],
  ['WS-HR-04', ['jobs.peopleport.example']],
  ['WS-SAL-06', ['crm.salesdesk.example', 'vendor-images.s3.eu-central-1.amazonaws.com']],
  ['WS-MKT-07', ['vendor-images.s3.eu-central-1.amazonaws.com', 'crm.salesdesk.example']],
]);
const OTHER_WORK_PAGES = ['crm.salesdesk.example', 'docs.cloudoffice.example'];

const PAUSE_MILLISECONDS = 400;
const SYNC_BYTES = 60_000;
const REPORT_BYTES = 90_000;
const BUILD_BYTES = 150_000;
const BACKUP_BYTES = 700_000;

/** Does one part of the day in a slot of its own. */
async function during(
  session: Session,
  hour: number,
  cadence: Slot['cadence'],
  part: () => Promise<void>,
): Promise<void> {
  session.slot = { hour, cadence };
  await part();
  await sleep(PAUSE_MILLISECONDS);
}

async function officeDay(session: Session): Promise<void> {
  const browser = session.host.name === 'WS-LAW-02' ? 'firefox' : 'chrome';
  await during(session, 7.2, 'daily', () => readMail(session));
  await during(session, 7.8, 'daily', () => launchBrowser(session, browser, MORNING_PAGES));
  await during(session, 9.4, 'daily', () => syncFiles(session, SYNC_BYTES));
  await during(session, 11.1, 'often', () => chat(session));
  const pages = WORK_PAGES.get(session.host.name) ?? OTHER_WORK_PAGES;
  await during(session, 13.3, 'often', () => launchBrowser(session, browser, pages));
  await during(session, 15.6, 'often', () => readMail(session));
}

async function developerDay(session: Session): Promise<void> {
  await session.watch('build');
  await during(session, 7.4, 'daily', async () => {
    await session.enter('powershell', '-NoLogo');
    await listRepository(session);
    await askRegistry(session);
    await session.leave();
  });
  for (const [index, hour] of [8.6, 10.2, 12.4, 14.1, 15.9].entries()) {
    await during(session, hour, index % 2 === 0 ? 'daily' : 'often', async () => {
      await session.enter('powershell', '-NoLogo');
      await listRepository(session);
      await buildAndPublish(session, 100 + index, BUILD_BYTES);
      await session.leave();
    });
  }
}

async function serviceDay(session: Session, host: Host): Promise<void> {
  await during(session, 6.5, 'daily', () => checkIn(session));
  await during(session, 12.9, 'often', () => checkUpdates(session));
  await during(session, 17.2, 'weekly', () => systemUpdate(session));
  if (host.name === 'SRV-FILE-08') {
    await session.watch('spool', 'D:\\VaultKeeper\\Spool');
    await during(session, 1.1, 'daily', () => backUp(session, 'nightly', BACKUP_BYTES));
  }
  if (host.name === 'WS-SAL-06') {
    const bucket = 'halden-reports.s3.eu-central-1.amazonaws.com';
    await during(session, 17.6, 'daily', () => pushReport(session, bucket, REPORT_BYTES));
  }
  if (host.name === 'WS-OPS-05') {
    await during(session, 17.4, 'daily', () => pushReport(session, 'haldenlogs.blob.core.windows.net', REPORT_BYTES));
  }
}

async function hostDay(take: Take, host: Host): Promise<void> {
  await serviceDay(take.session(host.name, SYSTEM.name), host);
  if (host.name === 'SRV-FILE-08') return;
  for (const user of host.users.filter((entry) => entry !== SYSTEM)) {
    const session = take.session(host.name, user.name);
    await officeDay(session);
    if (host.name === 'WS-ENG-03') await developerDay(session);
  }
}

/** Two machines at a time: more browsers at once would time each other out on a small machine. */
export async function recordOrdinaryDay(workDirectory: string): Promise<Recording> {
  const take = await Take.begin(workDirectory, 'ordinary-day');
  const waiting = [...HOSTS];
  const worker = async (): Promise<void> => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) await hostDay(take, host);
  };
  await Promise.all([worker(), worker()]);
  return take.end();
}
