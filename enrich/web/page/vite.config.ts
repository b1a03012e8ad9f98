import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Bundles the page, Preact included, into files that the console serves itself. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../../../dist/enrich/web/page', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // Everything is a file of its own: the content policy has no place for data: scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
});
