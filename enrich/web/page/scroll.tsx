import type { ComponentChildren } from 'preact';

/** A table that may be wider than the page: it scrolls for itself, with the keyboard too. */
export function Scroll({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard (WCAG 2.1.1)
    <section class="scroll" tabIndex={0} aria-label={`${name}, table`}>
      {children}
    </section>
  );
}
