import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { describe } from 'vitest';
import type { Fact, Store, StoredAlert } from '../../enrich/store/store.ts';
import { type ServeOptions, type Serving, serveConsole } from '../../enrich/web/serve.ts';
import { openLog } from '../../sensor/base/log.ts';
import { CHROMIUM } from './chromium.ts';

/** `describe` where Debian's chromium is installed; elsewhere skipped by name, or failed when CI_NO_SKIP=1. */
export function describeBrowser(name: string, tests: () => void): void {
  const timeout = 30_000; // a browser beside other suites on two cores
  if (existsSync(CHROMIUM) || process.env['CI_NO_SKIP'] === '1') describe(name, { timeout }, tests);
  else describe.skip(`${name} (no chromium here: apt-get install chromium)`, tests);
}

let page: Promise<string> | undefined;

/** The page of the present sources, built once for each test file. */
export function builtPage(): Promise<string> {
  page ??= (async () => {
    const outDir = mkdtempSync(join(tmpdir(), 'waybill-page-'));
    process.once('exit', () => rmSync(outDir, { recursive: true, force: true }));
    await build({ configFile: 'enrich/web/page/vite.config.ts', build: { outDir, emptyOutDir: true } });
    return outDir;
  })();
  return page;
}

export const TOKEN = 'a-token-of-the-tests-0123456789';

export async function openConsole(store: Store, options: Partial<ServeOptions> = {}): Promise<Serving> {
  const log = openLog({ name: 'test', level: 'silent', terminal: false });
  return serveConsole({ store, port: 0, token: TOKEN, log, pageDirectory: await builtPage(), ...options });
}

const DAY = 1_795_392_000_000_000;

/** A joined flow of host `n` in which `text` stands wherever outsiders choose the words. */
export function joinedFlow(n: number, text: string): Fact {
  const record = {
    source: { ip: '10.0.0.1', bytes: 1_000 },
    destination: { ip: '198.51.100.7', bytes: 10, domain: text },
    tls: { client: { ja4: text } },
  };
  const join = { host: { id: `host-${n}`, name: text }, process: { image: text } };
  return { shard: `host:host-${n}`, kind: 'joined', id: 'flow', at: DAY, keys: [], version: 1, body: { record, join } };
}

/** An alert document with what the list and the page show; `text` stands wherever outsiders choose the words. */
export function alertAbout(n: number, whole = `word-${n}`): StoredAlert {
  // Thirty of the longest would not fit a document.
  const text = whole.slice(0, 6_000);
  const at = DAY + n * 1_000_000;
  const iso = (micros: number) => new Date(micros / 1000).toISOString();
  const process = {
    pid: 4_000 + n,
    name: text,
    executable: `C:\\${text}`,
    command_line: text,
    start: iso(at - 3_000_000),
  };
  return {
    id: `wb-${String(n).padStart(6, '0')}`,
    at,
    revision: 1,
    body: {
      '@timestamp': iso(at),
      message: `${text} sent 2.00 MB to ${text}.`,
      host: { id: `host-${n}`, name: text },
      user: { name: text },
      process,
      source: { ip: '10.0.0.1', bytes: 2_000_000 },
      destination: { ip: '198.51.100.7', port: 443, domain: text },
      tls: { version: '1.3', client: { server_name: text }, server: { subject: text, issuer: text } },
      waybill: {
        tier: n % 3 === 0 ? 'medium' : 'high',
        score_db: (n % 200) / 10,
        probability: 0.5 + (n % 100) / 250,
        model: 'waybill-2026.1',
        prior: 1e-5,
        attainable_db: 42,
        gate: { reasons: [text] },
        groups: [
          { group: 'S', db: 24, sum: 27, cap: 24 },
          { group: 'P', db: -4, sum: -4, cap: 15 },
        ],
        terms: [
          { group: 'S', name: 'link_referenced', db: 27, detail: text, evidence: [text] },
          { group: 'P', name: 'trusted', db: -4, detail: text, evidence: [] },
        ],
        missing: [text],
        counterfactuals: [{ term: 'link_referenced', probability: 0.04 }],
        join: { method: 'tuple', probability: 0.99 },
        browser: { class: 'non_browser', reasons: [text] },
        destination: { entity: text },
        lineage: [
          { ...process, user: { name: text, domain: text } },
          { executable: text, pid: 1 },
        ],
        flows: [
          {
            flow_id: text,
            start: iso(at - 2_000_000),
            end: iso(at),
            destination: '198.51.100.7:443',
            domain: text,
            ja4: text,
            bytes_out: 2_000_000,
            bytes_in: 3_000,
            join: 'tuple',
            pid: 4_000 + n,
          },
        ],
        flow_count: 1,
        staging: [
          {
            at: iso(at - 9_000_000),
            until: iso(at - 8_000_000),
            reasons: [text],
            link: 'referenced',
            gap_seconds: 6,
            archive: `C:\\${text}`,
            size: 1_990_000,
            traits: [text],
            process: text,
            pid: 7,
          },
        ],
        events: [text],
      },
    },
  };
}
