import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openMemory } from '../../enrich/store/memory.ts';
import type { Serving } from '../../enrich/web/serve.ts';
import { launchBrowser } from '../build/chromium.ts';
import { alertAbout, describeBrowser, joinedFlow, openConsole } from '../build/console.ts';
import { HOSTILE } from './hostile-texts.ts';
import { INERT, lifeSigns } from './page-faults.ts';
import { MINUTE, PAGES, Visitor } from './visitor.ts';

describeBrowser('the console in Chromium over words of an attacker (h07)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, MINUTE);
  afterAll(() => browser?.close());

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
    expect(await visitor.page.evaluate(lifeSigns), path).toEqual(INERT);
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
