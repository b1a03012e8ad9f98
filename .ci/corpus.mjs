// Runs the corpus checks and compares with the floor below: agreement may grow, never shrink. What is left of the disagreements
// is explained in test/CORPUS.md. Usage: node .ci/corpus.mjs DIRECTORY
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const at = process.argv[2];
const floor = JSON.parse(readFileSync(new URL('corpus-floor.json', import.meta.url), 'utf8'));
const run = (tool, corpus) => {
  const { stdout, stderr } = spawnSync(`${at}/tools/${tool}`, [`${at}/corpus/${corpus}`], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return stdout;
};
const numbers = (text, pattern) => (pattern.exec(text) ?? []).slice(1).map(Number);

const [agree, , failed, falseFlows] = numbers(
  run('check-tls', 'tls'),
  /check-tls: (\d+) of (\d+) fields agree .*, (\d+) failed runs, (\d+) false TLS flows/,
);
const [good, short] = numbers(run('check-endpoint', 'endpoint'), /check-endpoint: (\d+) agree, (\d+) fall short/);
const complaints = [
  agree >= floor.tls_fields || `TLS fields agreeing: ${agree}, floor ${floor.tls_fields}`,
  failed === 0 || `${failed} failed runs`,
  falseFlows <= floor.false_tls_flows || `${falseFlows} false TLS flows`,
  good >= floor.endpoint_recordings || `endpoint recordings agreeing: ${good}, floor ${floor.endpoint_recordings}`,
  short <= floor.endpoint_short || `${short} endpoint recordings fall short`,
].filter((complaint) => complaint !== true);
for (const complaint of complaints) console.error(`corpus: ${complaint}`);
process.exit(complaints.length > 0 ? 1 : 0);
