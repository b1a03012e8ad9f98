/**
 * Pictures of every page, wide and narrow, light and dark, to look at after a change:
 * `waybill demo` in one terminal, then `tsx test/web/screenshots.ts 'http://127.0.0.1:4690/#token=…' DIRECTORY`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from '../build/chromium.ts';

const [url = '', directory = 'screenshots'] = process.argv.slice(2);
const PAGES = ['alerts', 'hosts', 'destinations', 'fingerprints', 'search', 'exceptions', 'health'];

mkdirSync(directory, { recursive: true });
const browser = await launchBrowser();
const page = await browser.newPage();
for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 390]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.goto(url);
    await page.waitForSelector('.alerts, .empty');
    const alerts = await page.$$eval('a.story', (links) => links.map((link) => link.getAttribute('href') ?? ''));
    for (const path of [...PAGES.map((name) => `/${name}`), ...alerts]) {
      await page.goto(new URL(path, url).href);
      await page.waitForFunction(() => !/Loading/.test(document.querySelector('main')?.textContent ?? 'Loading'));
      await page.waitForTimeout(300);
      const name = path.slice(1).replaceAll('/', '-');
      await page.screenshot({ path: join(directory, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      if (path === alerts[0]) {
        await page.screenshot({
          path: join(directory, `first-alert-${width}-${colorScheme}.png`),
          clip: { x: 0, y: 0, width, height: 1_000 },
          fullPage: true,
        });
      }
    }
  }
}
await browser.close();
