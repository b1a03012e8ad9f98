import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../sensor/base/exit.ts';
import type { HttpAnswer } from '../service/http-answer.ts';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml; charset=utf-8'],
]);

/** The built page: beside this file in dist/, or there when this runs from the sources. */
const BUILT = ['./page/assets', '../../dist/enrich/web/page/assets'];

export interface PageFiles {
  /** The document, the same for every address of the page. */
  readonly document: HttpAnswer;
  /** Script, style and icon by path. */
  readonly assets: ReadonlyMap<string, HttpAnswer>;
}

/** Reads the built page into memory once: no request ever names a file. */
export function loadPage(directory = builtPage()): PageFiles {
  const assets = new Map<string, HttpAnswer>();
  for (const name of readdirSync(join(directory, 'assets'))) {
    const type = TYPES.get(extname(name));
    if (type === undefined) continue;
    const text = readFileSync(join(directory, 'assets', name), 'utf8');
    // Names carry a hash of the content.
    assets.set(`/assets/${name}`, {
      status: 200,
      text,
      type,
      headers: { 'cache-control': 'public, max-age=31536000, immutable' },
    });
  }
  const text = readFileSync(join(directory, 'index.html'), 'utf8');
  return { document: { status: 200, text, type: 'text/html; charset=utf-8' }, assets };
}

function builtPage(): string {
  for (const path of BUILT) {
    const assets = fileURLToPath(new URL(path, import.meta.url));
    if (existsSync(assets)) return join(assets, '..');
  }
  throw new UserError('the console is not built here: npm run build');
}
