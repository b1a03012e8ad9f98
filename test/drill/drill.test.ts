import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storeDirectory } from '../../enrich/cli/open-backend.ts';
import type { DrillReport } from '../../enrich/drill/report.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openConsole } from '../build/console.ts';
import { describeLive, LISTENING, Network, SENDING } from '../build/live-network.ts';
import { tied } from '../build/tied.ts';

const MINUTES = 60_000;
const TOKEN = 'token-for-drills';
/** Addresses: the drilled host, and where it sends to, which is also where the service is. */
const HOST = '10.9.0.2';
const OUTSIDE = '203.0.113.1';
const NODE = [process.execPath, '--import', 'tsx'];

interface Ran {
  readonly code: number;
  readonly report: DrillReport;
  readonly err: string;
}

describeLive('waybill drill over a network', () => {
  let network: Network;
  let drilled = '';
  let data = '';
  let tokenFile = '';
  let url = '';
  let receiver = '';
  const children: ChildProcess[] = [];
  const ran = new Map<string, Ran>();

  const start = (namespace: string, ...command: readonly string[]): { child: ChildProcess; said: () => string } => {
    const child = spawn(...tied('ip', ['netns', 'exec', namespace, ...command]), { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let text = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (piece: Buffer) => (text += piece.toString()));
    return { child, said: () => text };
  };

  const until = async (look: () => string | undefined, said: () => string): Promise<string> => {
    const end = performance.now() + MINUTES;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`waited in vain: ${said()}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };

  const drill = async (...more: readonly string[]): Promise<Ran> => {
    const common = ['--service', url, '--token-file', tokenFile, '--push', '--json', '--wait', '4', '--size', '256'];
    const child = spawn(
      ...tied('ip', ['netns', 'exec', drilled, ...NODE, 'enrich/cli/main.ts', 'drill', ...common, ...more]),
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let [out, err] = ['', ''];
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (err += piece.toString()));
    const code = await new Promise<number>((resolve) => child.on('close', (ended) => resolve(ended ?? -1)));
    if (out === '') throw new Error(`the drill ended with ${code}: ${err}`);
    return { code, report: JSON.parse(out) as DrillReport, err };
  };

  beforeAll(async () => {
    network = new Network();
    chmodSync(network.folder, 0o755);
    drilled = `${network.name}h`;
    execFileSync('ip', ['netns', 'add', drilled]);
    network.ip('link', 'set', SENDING, 'netns', drilled);
    const inside = (...args: readonly string[]): void => void execFileSync('ip', ['-n', drilled, ...args]);
    inside('link', 'set', 'lo', 'up');
    inside('addr', 'add', `${HOST}/24`, 'dev', SENDING);
    inside('link', 'set', SENDING, 'up');
    inside('route', 'add', '203.0.113.0/24', 'dev', SENDING);
    network.ip('addr', 'add', `${OUTSIDE}/24`, 'dev', LISTENING);
    network.ip('route', 'add', '10.9.0.0/24', 'dev', LISTENING);

    data = join(network.folder, 'data');
    mkdirSync(data);
    tokenFile = join(network.folder, 'token');
    writeFileSync(tokenFile, `${TOKEN}\n`);
    const sha256 = createHash('sha256').update(TOKEN).digest('hex');
    const config = join(network.folder, 'waybill.yaml');
    const tokens = `[{ name: drills, scopes: [drill, events], sha256: ${sha256} }]`;
    writeFileSync(config, `service: { listen: '${OUTSIDE}:0', plain: true, tokens: ${tokens} }\n`);
    const run = ['enrich/cli/main.ts', 'run', '-i', LISTENING, '--data', data, '--config', config];
    const options = ['--user', 'nobody', '--status', 'off', '--no-stdout'];
    const service = start(network.name, ...NODE, ...run, ...options);
    const receiving = start(
      network.name,
      ...NODE,
      '-e',
      `import('./enrich/drill/receiver.ts').then((m) => m.openReceiver('${OUTSIDE}')).then((r) => console.log('port ' + r.port))`,
    );
    const isUp = (): string | undefined =>
      service.said().includes('capture is up') && service.said().includes('"ready"')
        ? /"port":(\d+)/.exec(service.said())?.[1]
        : undefined;
    url = `http://${OUTSIDE}:${await until(isUp, service.said)}`;
    receiver = `${OUTSIDE}:${await until(() => /port (\d+)/.exec(receiving.said())?.[1], receiving.said)}`;
    // Side by side: none of them minds the others.
    const outside = ['--to', receiver];
    const wanted: readonly (readonly [string, readonly string[]])[] = [
      ['whole', outside],
      ['process', [...outside, '--without', 'process']],
      ['archive', [...outside, '--without', 'archive']],
      ['connection', [...outside, '--without', 'connection']],
      ['flow', []], // to its own loopback, where no sensor listens
    ];
    for (const [name, result] of await Promise.all(
      wanted.map(async ([name, options]) => [name, await drill(...options)] as const),
    ))
      ran.set(name, result);
    const ended = new Promise((resolve) => service.child.on('close', resolve));
    service.child.kill('SIGTERM');
    await ended;
  }, 3 * MINUTES);

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    network.remove();
    execFileSync('ip', ['netns', 'del', drilled]);
  });

  const missing = (name: string): string[] =>
    ran
      .get(name)!
      .report.points.filter(({ seen }) => !seen)
      .map(({ point }) => point);

  it('ends with 0 and says how late each point was when all arrived', () => {
    const { code, report } = ran.get('whole')!;
    expect(missing('whole')).toEqual([]);
    expect(code).toBe(0);
    expect(report.alert).toMatch(/^wb-/);
    expect(report.points.map(({ late_seconds: late }) => typeof late)).toEqual(Array(6).fill('number'));
  });

  it.each([
    ['process', ['process'], /process starts/],
    ['archive', ['archive', 'alert'], /file writes with sizes/],
    ['connection', ['connection', 'join', 'alert'], /network connections/],
    ['flow', ['flow', 'join', 'alert'], /no sensor saw/],
  ])('names what is missing without the %s, and how to mend it', (name, points, mend) => {
    expect(missing(name)).toEqual(points);
    expect(ran.get(name)!.report.points.find(({ point }) => point === name)?.mend).toMatch(mend);
    expect(ran.get(name)!.code).toBe(points.includes('alert') ? 1 : 0);
  });

  it(
    'runs sensor and service on lo by itself when no service is named',
    async () => {
      const alone = start(network.name, ...NODE, 'enrich/cli/main.ts', 'drill', '--wait', '20', '--size', '256');
      const code = await new Promise((resolve) => alone.child.on('close', resolve));
      expect(alone.said()).toMatch(/The alert came: wb-/);
      expect(code).toBe(0);
    },
    MINUTES,
  );

  it('shows in the console as a marked alert that is no open incident, with its history, and has trained nothing', async () => {
    const store = await openEmbedded(storeDirectory(data));
    const serving = await openConsole(store, { token: TOKEN });
    const ask = async (path: string): Promise<Record<string, unknown>> => {
      const answer = await fetch(`http://127.0.0.1:${serving.port}/api/${path}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      return (await answer.json()) as Record<string, unknown>;
    };
    try {
      const list = await ask('alerts');
      expect(list).toMatchObject({ open: 0, alerts: [{ drill: true }, { drill: true }] });
      const { body } = await ask(`alerts/${ran.get('whole')!.report.alert}`);
      expect(body).toMatchObject({ tags: ['drill'], waybill: { drill: ran.get('whole')!.report.id } });
      expect((await ask('drills'))['drills']).toHaveLength(5);
      expect(await store.familiarity([{ scope: 'org', destination: 'domain:waybill-drill.invalid' }])).toEqual([
        undefined,
      ]);
      expect(await store.novelty('org', 0, 65_535)).toEqual([]);
    } finally {
      await serving.close(100);
      await store.close();
    }
  });
});
