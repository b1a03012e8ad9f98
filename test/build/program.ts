import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Arguments of node that run the program: compiled when that is fresh, as after `npm test` has built it, else from source. */
export const PROGRAM = isFresh('dist/enrich/cli/main.js')
  ? ['dist/enrich/cli/main.js']
  : ['--import', 'tsx', 'enrich/cli/main.ts'];

function isFresh(built: string): boolean {
  if (!existsSync(built)) return false;
  const at = statSync(built).mtimeMs;
  return ['sensor', 'enrich'].every((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).every(
      (file) => statSync(join(folder, file)).mtimeMs <= at,
    ),
  );
}
