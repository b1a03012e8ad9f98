/** What the Node servers hand out as files: a small git repository ("dumb" HTTPS) and a software package. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noise } from './documents.ts';
import { sh } from './shell.ts';

const COMMITS = 5;
const PACKAGE_BYTES = 2_600_000;

export function buildRepositories(workDirectory: string): void {
  const bare = join(workDirectory, 'repositories', 'ledger.git');
  if (existsSync(bare)) return;
  const tree = join(workDirectory, 'ledger');
  mkdirSync(tree, { recursive: true });
  const git = (...args: string[]): string =>
    sh('git', '-C', tree, '-c', 'user.name=j.okafor', '-c', 'user.email=j.okafor@halden.example', ...args);
  git('init', '-q', '-b', 'main');
  for (let commit = 1; commit <= COMMITS; commit++) {
    writeFileSync(join(tree, `part-${commit}.txt`), `ledger part ${commit}\n`.repeat(40 * commit));
    git('add', '.');
    git('commit', '-q', '-m', `ledger: part ${commit}`);
  }
  sh('git', 'clone', '-q', '--bare', tree, bare);
  sh('git', '-C', bare, 'update-server-info');
  const content = join(workDirectory, 'browser.bin');
  writeFileSync(content, noise('browser package', PACKAGE_BYTES));
  sh('7z', 'a', '-mx=1', join(workDirectory, 'repositories', 'package.7z'), content);
}
