/** What `lifeSigns` gives where the words of others are nothing but words. */
export const INERT = { scripts: 1, foreign: 0, hidden: false, owned: false, wide: false };

/** Runs in the browser: what the words of others have become on a page. */
export function lifeSigns(): typeof INERT {
  return {
    scripts: document.querySelectorAll('script').length,
    foreign: document.querySelectorAll('img, iframe, style, form, base, a[href^="javascript"], a[href^="data"]').length,
    hidden: /[^\P{C}\n\t]/u.test(document.body.textContent ?? ''),
    owned: 'owned' in globalThis,
    wide: document.documentElement.scrollWidth > innerWidth,
  };
}

/**
 * Runs in the browser: what keeps people out of a page. Controls without a name, text too close in colour to what lies behind
 * it (WCAG 2.1 AA: 4.5, or 3 when large), a page wider than its window, headings and landmarks that are missing.
 */
export function pageFaults(): string[] {
  const faults: string[] = [];
  const nameOf = (e: Element): string =>
    e.getAttribute('aria-label') ??
    [...((e as HTMLInputElement).labels ?? [])].map((l) => l.textContent).join('') +
      ((e as HTMLElement).innerText ?? '');
  for (const e of document.querySelectorAll('a, button, input, select, textarea, [role=img], nav, section[tabindex]')) {
    if (nameOf(e).trim() === '') faults.push(`no name: ${e.outerHTML.slice(0, 80)}`);
  }
  if (document.querySelectorAll('main h1').length !== 1) faults.push('not one main heading');
  if (!document.documentElement.lang) faults.push('no language');
  if (document.documentElement.scrollWidth > innerWidth)
    faults.push(`wider than the window by ${document.documentElement.scrollWidth - innerWidth}`);

  const rgb = (text: string): number[] => (text.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: number[]): number => {
    const [r, g, b] = color
      .slice(0, 3)
      .map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const behind = (e: Element): number[] => {
    for (let at: Element | null = e; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || (color[3] ?? 0) > 0.99) return color;
    }
    return [255, 255, 255];
  };
  for (const e of document.querySelectorAll('body *')) {
    const ownText = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && (n.textContent ?? '').trim() !== '');
    if (!ownText || e.getClientRects().length === 0 || e.closest('noscript')) continue;
    const style = getComputedStyle(e);
    const color = rgb(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [luminance(color), luminance(behind(e))].sort((x, y) => y - x) as [number, number];
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (isLarge ? 3 : 4.5)) faults.push(`contrast ${ratio.toFixed(2)}: ${(e.textContent ?? '').slice(0, 40)}`);
  }
  return faults;
}
