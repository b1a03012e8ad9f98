import type { Browser, BrowserContext, Page } from 'playwright-core';

import type { Serving } from '../../enrich/web/serve.ts';

/** Every page but the one of an alert. */
export const PAGES = ['/alerts', '/hosts', '/destinations', '/fingerprints', '/search', '/exceptions', '/health'];
/** What a browser, a build and a replay may take before the first test, milliseconds. */
export const MINUTE = 60_000;

/** One visitor: a fresh profile, with everything that it asked for and complained about. */
export class Visitor {
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
