/** `npm run docs`: writes sensor/RECORD.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { recordPage } from './record-page.ts';

writeFileSync('sensor/RECORD.md', recordPage(readFileSync('sensor/record/flow-record.ts', 'utf8')));
