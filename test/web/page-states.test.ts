import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { keepException } from '../../enrich/alert/exception-file.ts';
import { drillFact } from '../../enrich/join/drill-mark.ts';
import { withMarkedAlerts } from '../../enrich/service/marked-alerts.ts';
import { type Delivery, DeliveryLog } from '../../enrich/service/outputs/delivery-log.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { launchBrowser } from '../build/chromium.ts';
import { alertAbout, describeBrowser, openConsole } from '../build/console.ts';
import { HOSTILE } from './hostile-texts.ts';
import { INERT, lifeSigns, pageFaults } from './page-faults.ts';
import { MINUTE, PAGES, Visitor } from './visitor.ts';

describeBrowser('the states of the console in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, MINUTE);
  afterAll(() => browser?.close());

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
    const visitor = await Visitor.come(browser, serving);
    const { page } = visitor;
    await page.clock.install();
    await visitor.go('/alerts');
    await page.waitForSelector('.alert >> text=word-1');
    await page.keyboard.press('j');
    const top = () => page.evaluate(() => document.querySelector('.alerts')?.getBoundingClientRect().top);
    const before = await top();
    await store.putAlert(alertAbout(2));
    // The server's own look at the store is good for two seconds.
    await page.waitForTimeout(2_100);
    await page.clock.runFor(6_000);
    await page.waitForSelector('[role=status]:has-text("1 new alert since you came here.")', { timeout: 15_000 });
    await page.waitForSelector('.alert >> text=word-2');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('word-1');
    expect(await top()).toBe(before);
    await visitor.leave();
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

  it('shows on an alert how it stands at each way out and why, inert whatever a receiver answers', async () => {
    const store = openMemory();
    const alert = alertAbout(1);
    await store.putAlert(alert);
    const log = new DeliveryLog(store, 'worker');
    const usual = { attempts: 2, digest: '', tier: 'high', owner: 'worker', told: alert.at, toldLast: alert.at };
    const stand = (output: string, delivery: Pick<Delivery, 'state' | 'why'>) =>
      log.write(output, [{ alert: alert.id, known: 0, delivery: { ...usual, changed: alert.at, ...delivery } }]);
    await stand('siem', { state: 'waiting', why: 'connection refused' });
    await stand('chat', { state: 'sent' });
    await stand('desk', { state: 'refused', why: 'HTTP 422: no such project' });
    await stand('lake', { state: 'withdrawn' });
    await stand('pager', { state: 'given_up', why: 'no answer in 10 s' });
    for (const [n, { text }] of HOSTILE.entries()) await stand(`evil-${n}`, { state: 'refused', why: text });
    const outputs = ['siem', 'chat', 'desk', 'lake', 'pager', 'never-told', ...HOSTILE.keys()].map((name) =>
      typeof name === 'number' ? `evil-${name}` : name,
    );
    const serving = await openConsole(store, { outputs: () => outputs });
    const visitor = await Visitor.come(browser, serving);
    await visitor.go(`/alerts/${alert.id}`);
    await visitor.page.waitForSelector('.deliveries dl');
    const told = await visitor.page.innerText('.deliveries');
    expect(told).toMatch(/siem\s+… waiting\s+2026-11-\d\d .*2 attempts · connection refused/);
    expect(told).toMatch(/chat\s+✓ sent/);
    expect(told).toMatch(/desk\s+▲ refused\s.* · HTTP 422: no such project/);
    expect(told).toMatch(/lake\s+– withdrawn by later evidence/);
    expect(told).toMatch(/pager\s+▲ given up\s.* · no answer in 10 s/);
    expect(told).toContain('<script>globalThis.owned=1</script>');
    expect(told).not.toContain('never-told');
    for (const width of [390, 1280]) {
      await visitor.page.setViewportSize({ width, height: 800 });
      await expect.poll(() => visitor.page.evaluate(pageFaults)).toEqual([]);
      expect(await visitor.page.evaluate(lifeSigns)).toEqual(INERT);
    }
    expect([visitor.dialogs, visitor.strays(), visitor.complaints]).toEqual([[], [], []]);
    await visitor.leave();
    await serving.close(500);
  });

  it('says in words in the list which alerts an exception covers and which a drill made', async () => {
    const store = openMemory();
    const [covered, drill, other] = [alertAbout(1), alertAbout(2), alertAbout(3)];
    const { waybill, ...body } = drill.body as { readonly waybill: object };
    const marked = { ...drill, body: { ...body, waybill: { ...waybill, drill: 'd-1' } } };
    for (const alert of [covered, marked, other]) await store.putAlert(alert);
    const fields = { image: 'C:\\word-1', destination: 'word-1', owner: 'Ana', reason: 'x', expires: '2100-01-01' };
    const serving = await openConsole(withMarkedAlerts(store, () => [{ id: 'ex-1', ...fields }]));
    const visitor = await Visitor.come(browser, serving);
    await visitor.go('/alerts?sort=time');
    const when = await visitor.page.$$eval('.alert .when', (all) => all.map((e) => e.textContent));
    expect(when).toEqual([
      expect.stringMatching(/\d$/),
      expect.stringMatching(/\d– announced drill$/),
      expect.stringMatching(/\d– allowed by an exception$/),
    ]);
    for (const width of [390, 1280]) {
      await visitor.page.setViewportSize({ width, height: 800 });
      expect(await visitor.page.evaluate(pageFaults)).toEqual([]);
    }
    await visitor.leave();
    await serving.close(500);
  });

  it('says on every page that the store does not answer, and goes on asking', async () => {
    const data = mkdtempSync(join(tmpdir(), 'waybill-away-test-'));
    const fields = { image: 'C:\\word-1', destination: 'word-1', owner: 'Ana', reason: 'x', expires: '2100-01-01' };
    keepException(data, { id: 'ex-1', ...fields });
    const store = openMemory();
    const alert = alertAbout(1);
    await store.putAlert(alert);
    const serving = await openConsole(store, { exceptions: data });
    const visitor = await Visitor.come(browser, serving);
    const { page } = visitor;
    await visitor.go(`/alerts/${alert.id}`);
    await page.waitForSelector('.download');
    await store.close();
    for (const [n, name] of ['OCSF', 'STIX', 'Evidence bundle'].entries()) {
      await page.click(`button:has-text("${name}")`);
      await page.waitForFunction((n) => document.querySelectorAll('.download .why').length > n, n);
    }
    expect(await page.innerText('.download')).toMatch(/the store does not answer: the store in memory is closed/);
    for (const path of [...PAGES, `/alerts/${alert.id}`]) {
      await visitor.go(path);
      const said = await page.innerText('main [role=alert]');
      expect(said, path).toContain('the store does not answer: the store in memory is closed');
      expect(said, path).toContain('asks again by itself every few seconds');
      expect(await page.evaluate(pageFaults), path).toEqual([]);
    }
    await page.clock.install();
    for (const [path, asked] of [
      ['/search', '**/api/flows?*'],
      ['/exceptions', '**/api/exceptions'],
    ] as const) {
      await visitor.go(path);
      await Promise.all([page.waitForRequest(asked), page.clock.runFor(6_000)]);
    }
    await visitor.leave();
    await serving.close(500);
    rmSync(data, { recursive: true, force: true });
  });

  it('says so when an alert is not there, and when the server goes away, and goes on when it is back', async () => {
    const store = openMemory();
    await store.putAlert(alertAbout(1));
    const serving = await openConsole(store);
    const visitor = await Visitor.come(browser, serving);
    await visitor.page.clock.install();
    await visitor.go('/alerts');
    await serving.close(0);
    await visitor.page.clock.runFor(6_000);
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
