// Compiles sensor and enrich into dist/, bundles the console's page there, and links the program as node_modules/.bin/waybill, so that `npx waybill` works in the clone.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.ci/tsconfig.build.json'], {
  stdio: 'inherit',
});
execFileSync(
  process.execPath,
  ['node_modules/vite/bin/vite.js', 'build', '--config', 'enrich/web/page/vite.config.ts'],
  {
    stdio: ['ignore', 2, 2],
  },
);
chmodSync('dist/enrich/cli/main.js', 0o755);
const link = 'node_modules/.bin/waybill';
mkdirSync(dirname(link), { recursive: true });
rmSync(link, { force: true });
symlinkSync(relative(dirname(link), 'dist/enrich/cli/main.js'), link);
