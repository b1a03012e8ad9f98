import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readExceptions } from '../../enrich/alert/exception-file.ts';
import { judgedFrom, readBundle } from '../../enrich/bundle/read-bundle.ts';
import { replay } from '../../enrich/cli/replay.ts';
import { drillFact } from '../../enrich/join/drill-mark.ts';
import { withMarkedAlerts } from '../../enrich/service/marked-alerts.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import type { Store } from '../../enrich/store/store.ts';
import type { Serving } from '../../enrich/web/serve.ts';
import { launchBrowser } from '../build/chromium.ts';
import { alertAbout, describeBrowser, joinedFlow, openConsole } from '../build/console.ts';
import { HOSTILE } from './hostile-texts.ts';
import { pageFaults } from './page-faults.ts';

const PAGES = ['/alerts', '/hosts', '/destinations', '/fingerprints', '/search', '/exceptions', '/health'];
const STORIES = ['story-exfil-archive', 'story-exfil-chunks'];
const MINUTE = 60_000;

/** One visitor: a fresh profile, with everything that it asked for and complained about. */
class Visitor {
  readonly page: Page;
  readonly requests: string[] = [];
  readonly complaints: string[] = [];
  readonly dialogs: string[] = [];
  private readonly context: BrowserContext;
  private readonly origin: string;

  private constructor(context: BrowserContext, page: Page, serving: Serving) {
    this.context = context;
    this.page = page;
    this.origin = `http://127.0.0.1:${serving.port}`;
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('dialog', (dialog) => {
      this.dialogs.push(dialog.message());
      void dialog.dismiss();
    });
  }

  static async come(browser: Browser, serving: Serving, options: Parameters<Browser['newContext']>[0] = {}) {
    const context = await browser.newContext(options);
    const visitor = new Visitor(context, await context.newPage(), serving);
    await visitor.page.goto(serving.url);
    await visitor.page.waitForSelector('.alerts, .empty');
    return visitor;
  }

  async go(path: string): Promise<void> {
    await this.page.goto(`${this.origin}${path}`);
    await this.page.waitForSelector('main h1');
    await this.page.waitForFunction(() => !/Loading/.test(document.querySelector('main')?.textContent ?? ''));
  }

  text(): Promise<string> {
    return this.page.innerText('main');
  }

  /** Requests that left for anywhere but the console. */
  strays(): string[] {
    return this.requests.filter((url) => !url.startsWith(this.origin) && !url.startsWith('blob:'));
  }

  leave(): Promise<void> {
    return this.context.close();
  }
}

describeBrowser('the console in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, MINUTE);
  afterAll(() => browser?.close());

  describe('over two replayed stories', () => {
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
      await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length < n, all);
      expect(await rows()).toBeGreaterThan(0);
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

  describe('over words of an attacker (h07)', () => {
    const store = openMemory();
    const idOf = (n: number) => alertAbout(n).id;
    let serving: Serving;
    let visitor: Visitor;
    beforeAll(async () => {
      for (const [n, { text }] of HOSTILE.entries()) {
        await store.putAlert(alertAbout(n, text));
        await store.put([joinedFlow(n, text)]);
      }
      serving = await openConsole(store);
      visitor = await Visitor.come(browser, serving);
    }, MINUTE);
    afterAll(async () => {
      await visitor?.leave();
      await serving?.close(500);
    });

    const isInert = async (path: string) => {
      await visitor.go(path);
      const shown = await visitor.page.evaluate(() => ({
        scripts: document.querySelectorAll('script').length,
        foreign: document.querySelectorAll('img, iframe, style, form, base, a[href^="javascript"], a[href^="data"]')
          .length,
        hidden: /[^\P{C}\n\t]/u.test(document.body.textContent ?? ''),
        owned: 'owned' in globalThis,
        wide: document.documentElement.scrollWidth > innerWidth,
      }));
      expect(shown, path).toEqual({ scripts: 1, foreign: 0, hidden: false, owned: false, wide: false });
    };

    it.each(HOSTILE.map(({ name }, n) => ({ name, n })))('shows $name inert on its alert', async ({ n }) => {
      await isInert(`/alerts/${idOf(n)}?axis=whole`);
    });

    it.each(PAGES)('shows all of them inert on %s', async (path) => {
      await isInert(path);
      if (path !== '/health' && path !== '/exceptions') expect(await visitor.text()).toContain('<script>');
    });

    it('takes them inert from the address and from a reader of the list', async () => {
      await isInert(`/alerts?q=${encodeURIComponent(HOSTILE[0]!.text)}&tier=${encodeURIComponent(HOSTILE[1]!.text)}`);
      await isInert(`/alerts/${encodeURIComponent(HOSTILE[0]!.text)}`);
    });

    it('led to no dialog, no request elsewhere, no report', async () => {
      await visitor.go('/health');
      expect(await visitor.text()).toMatch(/Content policy reports\s+0/);
      // The alert that is not there is a 404, which the browser notes as an error of its own.
      const complaints = visitor.complaints.filter((text) => !text.includes('404'));
      expect([visitor.dialogs, visitor.strays(), complaints]).toEqual([[], [], []]);
    });

    it('counts what the policy stops, so that 0 reports mean something', async () => {
      const serving = await openConsole(openMemory());
      const visitor = await Visitor.come(browser, serving);
      await visitor.page.evaluate(() => {
        const image = document.createElement('img');
        image.src = 'http://127.0.0.2:9/stolen';
        document.body.append(image);
      });
      await visitor.page.waitForTimeout(300);
      await visitor.go('/health');
      expect(await visitor.text()).toMatch(/Content policy reports\s+1/);
      await visitor.leave();
      await serving.close(500);
    });

    it('makes no markup of text even where a script of the page would want it', async () => {
      const serving = await openConsole(openMemory());
      const visitor = await Visitor.come(browser, serving);
      const said = await visitor.page.evaluate(() => {
        try {
          document.body.innerHTML = '<p>markup</p>';
          return 'done';
        } catch (error) {
          return (error as Error).name;
        }
      });
      expect(said).toBe('TypeError');
      await visitor.leave();
      await serving.close(500);
    });
  });

  it('teaches what is needed when there are no alerts', async () => {
    const serving = await openConsole(openMemory());
    const visitor = await Visitor.come(browser, serving);
    expect(await visitor.text()).toMatch(/No alerts yet[\s\S]*sensor[\s\S]*EDR/);
    for (const path of PAGES) await visitor.go(path);
    expect(visitor.complaints).toEqual([]);
    await visitor.leave();
    await serving.close(500);
  });

  it('shows an alert that comes while the page is looked at, says so, and moves neither the focus nor the line above', async () => {
    const store = openMemory();
    await store.putAlert(alertAbout(1));
    const serving = await openConsole(store);
    const { page, leave } = await Visitor.come(browser, serving).then((visitor) => {
      return { page: visitor.page, leave: () => visitor.leave() };
    });
    await page.waitForSelector('.alert >> text=word-1');
    await page.keyboard.press('j');
    const top = () => page.evaluate(() => document.querySelector('.alerts')?.getBoundingClientRect().top);
    const before = await top();
    await store.putAlert(alertAbout(2));
    await page.waitForSelector('[role=status]:has-text("1 new alert since you came here.")', { timeout: 15_000 });
    await page.waitForSelector('.alert >> text=word-2');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('word-1');
    expect(await top()).toBe(before);
    await leave();
    await serving.close(500);
  });

  it('shows on Health what the last drill missed and how to mend it, inert and fit for everybody', async () => {
    const store = openMemory();
    const evil = HOSTILE[0]!.text.slice(0, 900);
    const drill = (n: number, seen: boolean) => {
      const [id, at] = [String(n).repeat(32), '2026-11-23T09:00:00.000Z'];
      const point = { at, late_seconds: 1, detail: evil };
      const missing = seen ? {} : { seen: false, mend: 'let the endpoint feed send network connections' };
      const report = {
        ...{ id, at, host: evil, program: evil, pid: 7, to: evil, archive_bytes: 1, sent_bytes: 1, passed: seen },
        points: [
          { ...point, point: 'process' as const, seen: true },
          { ...point, point: 'connection' as const, seen: true, ...missing },
        ],
      };
      const from = 1_795_392_000_000_000 + n;
      return drillFact({
        id,
        host: evil,
        ips: [],
        to: { ip: '192.0.2.1', port: 443 },
        bytes: 1,
        from,
        until: from,
        by: evil,
        report,
      });
    };
    await store.put([drill(1, true), drill(2, false)]);
    const serving = await openConsole(store);
    const visitor = await Visitor.come(browser, serving);
    await visitor.go('/health');
    await visitor.page.waitForSelector('.drills table');
    const text = await visitor.text();
    expect(text).toMatch(/▲ the alert did not come; missing: connection/);
    expect(text).toContain('To mend: let the endpoint feed send network connections');
    expect(text).toMatch(/✓ came/);
    for (const width of [390, 1280]) {
      await visitor.page.setViewportSize({ width, height: 800 });
      expect(await visitor.page.evaluate(pageFaults)).toEqual([]);
    }
    expect([visitor.dialogs, visitor.strays(), visitor.complaints]).toEqual([[], [], []]);
    await visitor.leave();
    await serving.close(500);
  });

  it('says so when an alert is not there, and when the server goes away, and goes on when it is back', async () => {
    const store = openMemory();
    await store.putAlert(alertAbout(1));
    const serving = await openConsole(store);
    const visitor = await Visitor.come(browser, serving);
    await visitor.go('/alerts');
    await serving.close(0);
    await visitor.page.waitForSelector('text=The server does not answer', { timeout: 15_000 });
    expect(await visitor.text()).toContain('word-1');
    const again = await openConsole(store, { port: serving.port });
    await visitor.page.click('text=Ask again');
    await visitor.page.waitForFunction(() => document.querySelector('.error') === null);
    await visitor.page.goto(`http://127.0.0.1:${again.port}/alerts/wb-none`);
    await visitor.page.waitForSelector('text=no alert has this id');
    await visitor.leave();
    await again.close(500);
  }, 30_000);

  it('asks for the token where there is none, refuses a wrong one and opens with the right one', async () => {
    const serving = await openConsole(openMemory());
    const [address, token] = serving.url.split('#token=') as [string, string];
    const page = await browser.newPage();
    await page.goto(address);
    await page.fill('#token', 'wrong-token');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=not valid here');
    await page.fill('#token', token);
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=No alerts yet');
    await page.close();
    await serving.close(500);
  });

  it('shows 50 of 10,000 alerts at a time, and the rest behind links', async () => {
    const store = openMemory();
    const template = alertAbout(1);
    for (let n = 0; n < 10_000; n++) await store.putAlert({ ...template, id: `wb-${n}`, at: template.at + n });
    const serving = await openConsole(store);
    const visitor = await Visitor.come(browser, serving);
    await visitor.page.waitForSelector('text=1–50 of 10,000');
    expect(await visitor.page.locator('.alert').count()).toBe(50);
    expect(await visitor.page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(3_000);
    await visitor.page.click('text=Next');
    await visitor.page.waitForSelector('text=51–100 of 10,000');
    expect(visitor.page.url()).toContain('offset=50');
    await visitor.leave();
    await serving.close(500);
  }, 30_000);
});
