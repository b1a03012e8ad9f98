import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Enricher } from '../../enrich/enricher.ts';
import { ZoneClock } from '../../enrich/ingest/zone-clock.ts';
import { contentOf } from '../../enrich/service/batch-content.ts';
import { SettleCache } from '../../enrich/service/settle-cache.ts';
import { defaultSettings } from '../../enrich/settings.ts';
import { openRedis } from '../../enrich/store/redis.ts';
import { freePort } from '../build/redis-server.ts';
import { connectionLine, flowLine } from './enrich-records.ts';

const N = Number(process.argv[2] ?? 4000);
const ROUNDS = Number(process.argv[3] ?? 8);
const HOSTS = 200;
const dir = mkdtempSync('/tmp/zz-');
const port = await freePort();
const server = spawn('redis-server', ['--port', String(port), '--dir', dir, '--save', '', '--appendonly', 'yes'], { stdio: 'ignore' });
await setTimeout(500);
const store = await openRedis(`redis://127.0.0.1:${port}`);
const calls = new Map<string, number[]>();
let on = false;
const spy: any = {};
for (const m of ['put','get','find','between','count','query','kinds','observe','familiarity','novelty','losses','counters','putAlert','dropAlert','getAlert','listAlerts','expire','close','shards']) {
  spy[m] = (...args: any[]) => {
    const t = performance.now();
    const out = (store as any)[m](...args);
    if (on && out?.then) {
      const a = args[0];
      const names = Array.isArray(a) ? [...new Set(a.map((x: any) => x?.kind ?? x?.scope?.replace(/:.*/, '') ?? typeof x))].join(',') : String(args[1]);
      const key = m + ' ' + names;
      const row = calls.get(key) ?? calls.set(key, [0, 0, 0]).get(key)!;
      row[0]!++; row[1]! += Array.isArray(a) ? a.length : 1;
      out.then(() => (row[2]! += performance.now() - t), () => {});
    }
    return out;
  };
}
const cache = new SettleCache(spy);
const settings = defaultSettings();
const enricher = new Enricher(cache.store, settings);
const zones = new ZoneClock();
const redisCpu = () => { const s = readFileSync(`/proc/${server.pid}/stat`, 'latin1'); const f = s.slice(s.lastIndexOf(')') + 2).split(' '); return (Number(f[11]) + Number(f[12])) * 1e4; };
const best = new Map<string, number[]>();
async function phase<T>(name: string, f: () => Promise<T> | T): Promise<T> {
  const c = process.cpuUsage(); const r = redisCpu(); const t = performance.now();
  const out = await f();
  const u = process.cpuUsage(c);
  const row = [(performance.now() - t) * 1e3 / N, (u.user + u.system) / N, (redisCpu() - r) / N];
  (best.get(name) ?? best.set(name, []).get(name)! as any).push(row);
  return out;
}
for (let round = 0; round < ROUNDS; round++) {
  const ev = Buffer.from(Array.from({ length: N }, (_, i) => connectionLine(round * N + i, HOSTS)).join(''));
  const fl = Buffer.from(Array.from({ length: N }, (_, i) => flowLine(round * N + i, HOSTS)).join(''));
  const e = await phase('parse events', () => contentOf({ kind: 'raw', lines: ev, count: N } as any, zones));
  await phase('put events', () => enricher.putEvents(e.events));
  await phase('settle events', () => cache.during(() => enricher.settle()));
  const f = await phase('parse flows', () => contentOf({ kind: 'flows', lines: fl, count: N } as any, zones));
  await phase('put flows', () => enricher.putFlows(f.flows));
  on = round >= 2;
  await phase('settle flows', () => cache.during(() => enricher.settle()));
  on = false;
}
for (const [name, rows] of best) {
  const m = (rows as any as number[][]).slice(2);
  const min = (i: number) => Math.min(...m.map((r) => r[i]!)).toFixed(1);
  const med = (i: number) => m.map((r) => r[i]!).sort((a, b) => a - b)[m.length >> 1]!.toFixed(1);
  console.log(name.padEnd(16), `wall ${min(0)}/${med(0)}  node ${min(1)}/${med(1)}  redis ${min(2)}/${med(2)}`);
}
for (const [k, [c, n, t]] of [...calls].sort((a, b) => b[1][2]! - a[1][2]!) as any) console.log(k.padEnd(60), 'calls/round', (c/(ROUNDS-2)).toFixed(1), 'items/flow', (n/(ROUNDS-2)/N).toFixed(3), 'us/flow', (t*1e3/(ROUNDS-2)/N).toFixed(1));
await store.close(); server.kill('SIGKILL'); process.exit(0);

