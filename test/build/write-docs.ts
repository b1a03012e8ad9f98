/** `npm run docs`: writes the pages that are made from the code. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { commandPages } from './command-pages.ts';
import { recordPage } from './record-page.ts';

writeFileSync('sensor/RECORD.md', recordPage(readFileSync('sensor/record/flow-record.ts', 'utf8')));
for (const [path, text] of await commandPages(readFileSync('README.md', 'utf8'))) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
