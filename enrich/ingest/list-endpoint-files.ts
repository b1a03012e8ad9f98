import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a directory tree taken as endpoint logs, by the endings that exports and forwarders give them. */
const LOG_NAME = /\.(jsonl?|ndjson|xml|csv|log|txt)(\.gz)?$/i;
/** Golden expectations and the like beside recordings are no logs. */
const NOT_LOGS = /^(package|tsconfig|expected|manifest|truth)[^/]*\.json$/i;
/** Files taken from one tree. */
const MAX_FILES = 100_000;

/** The path itself, or the logs under a directory, sorted by path. Beside captures only `*.endpoint.*` counts as a log. */
export function listEndpointFiles(path: string): readonly string[] {
  if (path === '-' || !statSync(path).isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && !entry.name.startsWith('.') && LOG_NAME.test(entry.name) && !NOT_LOGS.test(entry.name),
    )
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const marked = files.filter((file) => /\.endpoint\.[^/]+$/.test(file));
  return (marked.length > 0 ? marked : files).slice(0, MAX_FILES);
}
