import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { readExceptions } from '../../enrich/alert/exception-file.ts';
import { judgedFrom, readBundle } from '../../enrich/bundle/read-bundle.ts';
import { replay } from '../../enrich/cli/replay.ts';
import { withMarkedAlerts } from '../../enrich/service/marked-alerts.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import type { Store } from '../../enrich/store/store.ts';
import type { Serving } from '../../enrich/web/serve.ts';
import { launchBrowser } from '../build/chromium.ts';
import { describeBrowser, openConsole } from '../build/console.ts';
import { pageFaults } from './page-faults.ts';
import { MINUTE, PAGES, Visitor } from './visitor.ts';

const STORIES = ['story-exfil-archive', 'story-exfil-chunks'];

describeBrowser('the console in Chromium over two replayed stories', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, MINUTE);
  afterAll(() => browser?.close());

  const data = mkdtempSync(join(tmpdir(), 'waybill-page-test-'));
  const evidence = join(data, 'packets');
  let store: Store;
  let serving: Serving;
  let visitor: Visitor;

  beforeAll(async () => {
    const files = (ending: string) => STORIES.map((story) => join('pcaps/stories', `${story}${ending}`));
    const endpoints = files('.endpoint.jsonl');
    await replay({ captures: files('.pcap.gz'), endpoints, settings: defaultSettings(), data, evidence });
    store = await openEmbedded(data);
    serving = await openConsole(
      withMarkedAlerts(store, () => readExceptions(data)),
      { evidence, exceptions: data },
    );
    visitor = await Visitor.come(browser, serving);
  }, MINUTE);
  afterAll(async () => {
    await visitor?.leave();
    await serving?.close(500);
    await store?.close();
    rmSync(data, { recursive: true, force: true });
  });

  it('lists the alerts with who, where and how sure', async () => {
    await visitor.go('/alerts');
    const text = await visitor.text();
    for (const part of [
      'curl.exe',
      'k.lind',
      'ws-fin-01',
      'drop.quietharbor.example',
      '3.61 MB',
      'up.splitstone.example',
      'HIGH',
      'dB',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('takes the token out of the address', async () => {
    expect(visitor.page.url()).not.toContain('token');
  });

  it('shows on the alert what was packed, what was sent, and every part of the evidence', async () => {
    await visitor.go('/alerts');
    await visitor.page.click('.alert:has-text("ws-fin-01") a.story');
    await visitor.page.waitForSelector('.axis svg');
    const text = await visitor.text();
    for (const part of [
      'ledger.7z 3.60 MB',
      '3.61 MB · 100 %',
      'byte_balance',
      'counted up to the cap',
      'without it P',
      'What could not be seen',
      'explorer.exe',
      't13d3112h2_e8f1e7e78f70_b26ce05bbdd6',
      'Raw endpoint events',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('draws sending right of packing on the axis, and the whole window when asked', async () => {
    const x = async (lane: string) => Number(await visitor.page.getAttribute(`.lane.${lane} .shape`, 'x'));
    expect(await x('sending')).toBeGreaterThan(await x('packed'));
    await visitor.page.click('text=Show everything');
    await visitor.page.waitForFunction(() => document.querySelectorAll('.lane.started .shape').length >= 2);
    expect(visitor.page.url()).toContain('axis=whole');
    await visitor.page.goBack();
  });

  const downloaded = async (name: string) => {
    const button = visitor.page.locator(`button:has-text("${name}")`).first();
    const [download] = await Promise.all([visitor.page.waitForEvent('download'), button.click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };

  it('hands out the evidence bundle, which gives the same decibels, and the packets of a connection', async () => {
    const bundle = await downloaded('Evidence bundle');
    const read = readBundle(bundle.bytes);
    if (read.kind === 'bad') throw new Error(read.why);
    const again = await judgedFrom(read.bundle);
    expect(typeof again === 'string' ? again : again.id).toBe(bundle.name.replace('.zip', ''));
    const packets = await downloaded('pcap');
    expect(packets.name).toMatch(/\.pcap$/);
    expect(['a1b2c3d4', 'd4c3b2a1', 'a1b23c4d', '4d3cb2a1']).toContain(packets.bytes.subarray(0, 4).toString('hex'));
  });

  it('says why a connection has no packets', async () => {
    renameSync(evidence, `${evidence}-away`);
    await visitor.page.locator('button:has-text("pcap")').first().click();
    await visitor.page.waitForSelector('text=let the sensor run with --evidence');
    renameSync(`${evidence}-away`, evidence);
    // The browser notes the 404 as an error of its own.
    expect(visitor.complaints.splice(0)).toEqual([expect.stringContaining('404')]);
  });

  it('shows the days of the destination, what is left without a group, and where the alert went', async () => {
    await visitor.page.waitForSelector('.days .some');
    const text = await visitor.text();
    expect(text).toMatch(/This host sent to drop\.quietharbor\.example on 1 of 32 days, most on .*3\.61 MB/);
    expect(text).toMatch(/without this group [+−][\d.]+ dB, P [\d<> .]+, (high|medium|no alert)/);
    expect(text).toContain('No way out has it.');
  });

  it.each(['Alert JSON', 'OCSF'])('hands out the alert as %s', async (name) => {
    const [download] = await Promise.all([visitor.page.waitForEvent('download'), visitor.page.click(`text=${name}`)]);
    const text = readFileSync(await download.path(), 'utf8');
    expect(JSON.parse(text)).toMatchObject(name === 'OCSF' ? { class_uid: 2004 } : { host: { name: 'ws-fin-01' } });
    expect(text).toContain('drop.quietharbor.example');
  });

  it('allows from the alert once its effect was shown, lists the exception, and takes it back', async () => {
    const { page } = visitor;
    await visitor.go('/alerts');
    await page.click('.alert:has-text("ws-fin-01") a.story');
    const address = page.url();
    await page.click('button:has-text("Allow this program")');
    expect(await page.isDisabled('text=Keep exception')).toBe(true);
    await page.fill('label:has-text("Owner")', 'Ana Conda');
    await page.click('button:has-text("Preview")');
    await page.waitForSelector('.allow-form >> text=reason:');
    await page.fill('label:has-text("Reason")', 'CHG-17');
    await page.fill('label:has-text("Until")', '2027-12-31');
    await page.click('button:has-text("Preview")');
    await page.waitForSelector('text=/1 of \\d+ stored alerts would be covered/');
    await isFitNow('the preview');
    await page.fill('label:has-text("Bytes at most")', '1000');
    expect(await page.isDisabled('text=Keep exception')).toBe(true);
    await page.click('button:has-text("Preview")');
    await page.waitForSelector('text=/0 of \\d+ stored alerts would be covered/');
    await page.fill('label:has-text("Bytes at most")', '');
    await page.click('button:has-text("Preview")');
    await page.waitForSelector('text=/1 of \\d+ stored alerts would be covered/');
    await page.click('text=Keep exception');
    await page.waitForSelector('text=Allowed until 2027-12-31');
    expect(readExceptions(data)).toMatchObject([{ owner: 'Ana Conda', reason: 'CHG-17', expires: '2027-12-31' }]);

    await page.click('text=all exceptions');
    await page.waitForSelector('text=covers 1');
    await isFitNow('exceptions');
    await page.click('button:has-text("Remove")');
    await page.waitForSelector('text=No exceptions: every alert is told.');
    expect(readExceptions(data)).toEqual([]);
    await page.goto(address);
    await page.waitForSelector('button:has-text("Allow this program")');
    // The refusal of the exception without a reason, which the browser notes as an error of its own.
    expect(visitor.complaints.splice(0)).toEqual([expect.stringContaining('400')]);
  });

  it('walks with the keyboard to an alert, keeps a decision with who and why, and comes back', async () => {
    const { page } = visitor;
    await visitor.go('/alerts');
    await page.waitForSelector('.alert');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const story = await page.evaluate(() => document.activeElement?.textContent ?? '');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.review-panel');
    expect(await page.innerText('h1')).toBe(story);

    await page.click('text=True positive');
    await page.waitForSelector('text=Sign with your name first');
    await page.fill('#by', 'Ana Conda');
    await page.fill('#note', 'laptop is on its way to us');
    await page.click('.buttons >> text=True positive');
    await page.waitForSelector('.history >> text=laptop is on its way to us');
    expect(await page.innerText('.history')).toContain('Ana Conda');

    await page.keyboard.press('Tab');
    await page.evaluate(() => (document.activeElement as { blur?: () => void } | null)?.blur?.());
    await page.keyboard.press('u');
    await page.waitForSelector('.alerts');
    await page.waitForFunction(() => document.querySelectorAll('.alert').length === 1);
    await page.selectOption('select[aria-label=State]', 'closed');
    await page.waitForSelector('.review.true_positive');
    expect(await visitor.text()).toContain('Ana Conda');
  });

  it('finds with the search key, and says when nothing fits', async () => {
    const { page } = visitor;
    await visitor.go('/alerts?state=all');
    await page.waitForSelector('.alert');
    await page.keyboard.press('/');
    await page.keyboard.type('SPLITSTONE');
    await page.waitForFunction(() => document.querySelectorAll('.alert').length === 1);
    expect(page.url()).toContain('q=SPLITSTONE');
    await page.keyboard.type('zzz');
    await page.waitForSelector('text=fits this filter');
  });

  it('lists hosts, destinations and fingerprints with what was seen of them', async () => {
    await visitor.go('/hosts');
    expect(await visitor.text()).toMatch(/ws-fin-01[\s\S]*1 alert/);
    await visitor.go('/destinations');
    expect(await visitor.text()).toMatch(/drop\.quietharbor\.example\s+1 alert\s+3\.61 MB/);
    await visitor.go('/fingerprints');
    expect(await visitor.text()).toMatch(/t13d3112h2_e8f1e7e78f70_b26ce05bbdd6\s+curl\.exe/);
    await visitor.go('/health');
    expect(await visitor.text()).toMatch(/Flows that name their process\s+\d+ of \d+/);
  });

  it('finds connections by what is known of them and when, and leads to their alert', async () => {
    const { page } = visitor;
    const rows = async () => (await page.$$('tbody tr')).length;
    await visitor.go('/search');
    const all = await rows();
    await page.fill('input[type=search]', 'QUIETHARBOR');
    const isNarrowed = (n: number) => {
      const rows = document.querySelectorAll('tbody tr').length;
      return rows > 0 && rows < n;
    };
    await page.waitForFunction(isNarrowed, all);
    expect(page.url()).toContain('q=QUIETHARBOR');
    await page.selectOption('select[aria-label="Search in"]', 'host');
    await page.waitForSelector('text=No connection fits.');
    await visitor.go('/search?q=e8f1e7e78f70&field=ja4');
    expect(await visitor.text()).toContain('curl.exe');
    const day = (await page.getAttribute('tbody time', 'datetime'))!.slice(0, 10);
    await visitor.go(`/search?q=quietharbor&from=${day}&to=${day}`);
    expect(await rows()).toBeGreaterThan(0);
    await visitor.go(`/search?q=quietharbor&to=2001-01-01`);
    await page.waitForSelector('text=No connection fits.');
    await visitor.go(`/search?q=quietharbor&field=destination&from=never`);
    await page.click('tbody a:has-text("alert")');
    await page.waitForSelector('h1:has-text("quietharbor")');
  });

  it('has no dead link', async () => {
    for (const path of PAGES) {
      await visitor.go(path);
      const links = await visitor.page.$$eval('a[href]', (all) => all.map((a) => a.getAttribute('href') ?? ''));
      for (const link of new Set(links)) {
        expect(link).toMatch(/^\/(alerts|hosts|destinations|fingerprints|search|exceptions|health)/);
        expect((await visitor.page.request.get(`http://127.0.0.1:${serving.port}${link}`)).status()).toBe(200);
      }
    }
  });

  it.each(PAGES)('has labels, contrast and room on %s, light and dark, wide and narrow', (path) => isFit(path));

  it('has labels, contrast and room on the alert, light and dark, wide and narrow', async () => {
    const [alert] = await store.listAlerts({ limit: 1 });
    await isFit(`/alerts/${alert!.id}`);
  });

  const isFit = async (path: string) => {
    await visitor.go(path);
    await isFitNow(path);
  };

  const isFitNow = async (path: string) => {
    const { page } = visitor;
    for (const width of [390, 1280]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        // The axis is drawn anew after the window has changed.
        await expect
          .poll(() => page.evaluate(pageFaults), { message: `${path} at ${width} in ${colorScheme}`, timeout: 5_000 })
          .toEqual([]);
      }
    }
  };

  it('asked nobody but its own server, and complained of nothing', () => {
    expect(visitor.strays()).toEqual([]);
    expect(visitor.complaints).toEqual([]);
  });
});
