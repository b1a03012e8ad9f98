/** Alerts leave the service: over every kind of output, whatever happens to the other side or to the service itself. */
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeExceptions } from '../../enrich/alert/exception-file.ts';
import { OutputConfig, type OutputSettings } from '../../enrich/output-settings.ts';
import { DeliveryLog, deliveriesOf } from '../../enrich/service/outputs/delivery-log.ts';
import { MAX_WAITING, OutputQueue } from '../../enrich/service/outputs/output-queue.ts';
import { readSettings, type Settings } from '../../enrich/settings.ts';
import { openEmbedded } from '../../enrich/store/embedded.ts';
import { openMemory } from '../../enrich/store/memory.ts';
import { openLog } from '../../sensor/base/log.ts';
import { alertAbout } from '../build/console.ts';
import { describeWithRedis, freePort, type RedisServer, startRedis } from '../build/redis-server.ts';
import { webhookReceiver } from '../build/webhook-receiver.ts';
import { type ServiceHere, serviceHere } from './service-here.ts';
import { oneTheft } from './stories.ts';
import { enrichProcess, eventually, metric, post, settingsWith, temporary, waybill } from './waybill-process.ts';

vi.setConfig({ testTimeout: 60_000 }); // processes, a Redis and their start-up beside other suites
const directory = temporary();
afterAll(() => directory.remove());
const log = openLog({ name: 'test', level: 'silent', terminal: false });
const secret = `${directory.path}/secret`;
writeFileSync(secret, 'the-signing-key\n');

let theft: Awaited<ReturnType<typeof oneTheft>>;
beforeAll(async () => {
  theft = await oneTheft();
}, 30_000);

const output = (settings: Record<string, unknown>): OutputSettings => OutputConfig.parse(settings);
const hook = (url: URL, more: Record<string, unknown> = {}): OutputSettings =>
  output({ name: 'hook', kind: 'webhook', url: url.href, secret_file: secret, private: true, ...more });

async function steal(url: string): Promise<void> {
  expect((await post(`${url}/v1/events`, theft.endpoint)).status).toBe(202);
  expect((await post(`${url}/v1/flows`, theft.flows)).status).toBe(202);
  await eventually(async () => (await metric(url, 'waiting_batches')) === 0);
}

const alertsOf = (here: ServiceHere) => here.store.listAlerts({ limit: 10 });
const lastDelivery = async (here: ServiceHere, name: string) => {
  const [alert] = await alertsOf(here);
  return (await deliveriesOf(here.store, [name], alert?.id ?? ''))[0]?.delivery;
};

describe('an output', () => {
  it('of kind file gets each alert as one line, after a line that broke off too', async () => {
    const file = `${directory.path}/alerts.jsonl`;
    writeFileSync(file, '{"cut o');
    const here = await serviceHere({ outputs: [output({ name: 'file', kind: 'file', path: file })] });
    await steal(here.url);
    await eventually(() => readFileSync(file, 'utf8').split('\n').length > 2);
    const [alert] = await alertsOf(here);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toEqual(alert!.body);
    await eventually(async () => (await lastDelivery(here, 'file'))?.state === 'sent');
    expect(await lastDelivery(here, 'file')).toMatchObject({ attempts: 1 });
    await here.remove();
  });

  it('that answers 500 gets the alert again under the same id, signed, and is named while it fails', async () => {
    const receiver = await webhookReceiver((response, attempt) => response.writeHead(attempt < 3 ? 500 : 204).end());
    const here = await serviceHere({ outputs: [hook(receiver.url)] });
    await steal(here.url);
    await eventually(() => receiver.taken.length >= 1);
    await eventually(async () => (await metric(here.url, 'output_up')) === 0);
    expect(await lastDelivery(here, 'hook')).toMatchObject({ state: 'waiting', why: 'the receiver answers 500' });
    await eventually(async () => (await lastDelivery(here, 'hook'))?.state === 'sent');
    const { taken } = receiver;
    const [alert] = await alertsOf(here);
    expect(new Set(taken.map(({ headers }) => headers['x-waybill-delivery']))).toEqual(
      new Set([`${alert!.id}.${alert!.revision}`]),
    );
    for (const { body, headers } of taken) {
      const [, seconds, digest] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['x-waybill-signature'])) ?? [];
      expect(digest).toBe(createHmac('sha256', 'the-signing-key').update(`${seconds}.${body}`).digest('hex'));
    }
    await eventually(async () => (await metric(here.url, 'output_up')) === 1);
    receiver.close();
    await here.remove();
  });

  it('that is dead holds up neither the others nor the work', async () => {
    const receiver = await webhookReceiver();
    const dead = hook(new URL(`http://127.0.0.1:${await freePort()}/`), { name: 'dead' });
    const here = await serviceHere({ outputs: [dead, hook(receiver.url)] });
    await steal(here.url);
    await eventually(() => receiver.taken.length > 0);
    expect((await fetch(`${here.url}/readyz`)).status).toBe(200);
    expect(await lastDelivery(here, 'dead')).toMatchObject({ state: 'waiting' });
    const lines = [
      'waiting{output="dead"} 1',
      'up{output="dead"} 0',
      'waiting{output="hook"} 0',
      'sent_total{output="hook"} 1',
    ];
    await eventually(async () => {
      const metrics = await (await fetch(`${here.url}/metrics`)).text();
      return lines.every((line) => metrics.includes(`waybill_enrich_output_${line}`));
    });
    receiver.close();
    await here.remove();
  });

  it('that redirects into this network, or lies in it without leave, gets nothing', async () => {
    const inside = await webhookReceiver();
    const receiver = await webhookReceiver((response) => response.writeHead(307, { location: inside.url.href }).end());
    const here = await serviceHere({
      outputs: [hook(receiver.url), hook(inside.url, { name: 'inside', private: false })],
    });
    await steal(here.url);
    await eventually(async () => (await lastDelivery(here, 'hook'))?.why === 'the receiver answers 307');
    await eventually(async () => (await lastDelivery(here, 'inside'))?.why === 'the address is not a public one');
    expect(inside.taken).toEqual([]);
    receiver.close();
    inside.close();
    await here.remove();
  });

  it('that will not take an alert does not get it again, and the alert says so', async () => {
    const receiver = await webhookReceiver((response) => response.writeHead(422).end());
    const here = await serviceHere({ outputs: [hook(receiver.url)] });
    await steal(here.url);
    await eventually(async () => (await metric(here.url, 'output_refused_total')) === 1);
    expect(await lastDelivery(here, 'hook')).toMatchObject({ state: 'refused', why: 'the receiver answers 422' });
    expect(receiver.taken).toHaveLength(1);
    receiver.close();
    await here.remove();
  });

  it('of shape slack or teams gets a message whose address stands in a file and in no log', async () => {
    const receiver = await webhookReceiver();
    const address = `${directory.path}/address`;
    writeFileSync(address, `${receiver.url.href}/T000/SECRET\n`);
    const chat = (shape: string) =>
      output({ name: shape, kind: 'webhook', shape, url_file: address, private: true, minimum_tier: 'high' });
    const here = await serviceHere({ outputs: [chat('slack'), chat('teams')] });
    await steal(here.url);
    await eventually(() => receiver.taken.length === 2);
    const bodies = receiver.taken.map(({ body }) => JSON.parse(body) as { text?: string; attachments?: object[] });
    expect(bodies.find(({ text }) => text !== undefined)?.text).toMatch(/^HIGH: .*sent 3\.61 MB to/);
    expect(bodies.find(({ attachments }) => attachments !== undefined)?.attachments?.[0]).toMatchObject({
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: { type: 'AdaptiveCard' },
    });
    expect(receiver.taken.every(({ path }) => path.endsWith('/T000/SECRET'))).toBe(true);
    receiver.close();
    await here.remove();
  });
});

describe('what waits for an output', () => {
  it('survives a killed service, and goes out once the receiver is there', async () => {
    const data = `${directory.path}/killed`;
    const config = `${directory.path}/killed.yaml`;
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/hook`;
    const one = { name: 'hook', kind: 'webhook', url, secret_file: secret, private: true };
    writeFileSync(config, JSON.stringify({ service: { outputs: [one] } }));
    const first = await enrichProcess(['--data', data, '--config', config, '--no-stdout']);
    await steal(first.url);
    await eventually(async () => (await metric(first.url, 'output_failures_total')) > 0);
    first.kill('SIGKILL');
    await first.ended;
    expect(first.err()).not.toContain('the-signing-key');
    const receiver = await webhookReceiver(undefined, port);
    const second = await enrichProcess(['--data', data, '--config', config, '--no-stdout']);
    await eventually(() => receiver.taken.length === 1);
    await eventually(async () => (await metric(second.url, 'output_waiting')) === 0);
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    const store = await openEmbedded(`${data}/store`);
    const [alert] = await store.listAlerts({ limit: 1 });
    expect((await deliveriesOf(store, ['hook'], alert!.id))[0]).toMatchObject({ delivery: { state: 'sent' } });
    await store.close();
    expect(receiver.taken).toHaveLength(1);
    receiver.close();
  }, 60_000);

  it('is bounded: what finds no room is counted, and says so', async () => {
    const store = openMemory();
    const alerts = Array.from({ length: MAX_WAITING + 2 }, (_, n) => ({
      id: `wb-${n}`,
      at: n,
      revision: 1,
      body: { n },
    }));
    const sink = { atOnce: 1, send: () => Promise.reject(new Error('away')), close: async () => undefined };
    const context = { store, log, deliveries: new DeliveryLog(store, 'me'), exceptions: () => [] };
    const queue = new OutputQueue(output({ name: 'full', kind: 'file', path: 'x' }), sink, context);
    await queue.tell(alerts);
    await queue.tell(alerts.slice(0, 5));
    expect(queue.depth).toBe(MAX_WAITING);
    expect(queue.counters.ended.get('dropped')).toBe(2);
    const [last] = await deliveriesOf(store, ['full'], alerts.at(-1)!.id);
    expect(last).toMatchObject({ delivery: { state: 'dropped' } });
  });

  it('passes to another worker when its own is gone', async () => {
    const store = openMemory();
    const alert = alertAbout(1);
    await store.putAlert(alert);
    const got: string[] = [];
    const sink = (owner: string) => ({
      atOnce: 1,
      send: async (alerts: readonly { alert: { id: string } }[]) => void got.push(`${owner} ${alerts[0]!.alert.id}`),
      close: async () => undefined,
    });
    const queue = (owner: string) =>
      new OutputQueue(output({ name: 'o', kind: 'file', path: 'x' }), sink(owner), {
        store,
        log,
        deliveries: new DeliveryLog(store, owner),
        exceptions: () => [],
      });
    await queue('dead').tell([alert]); // and is never started
    const heir = queue('heir');
    heir.start();
    await heir.adopt(new Set(['dead']));
    expect(heir.depth).toBe(0);
    await heir.adopt(new Set());
    await eventually(() => got.length > 0);
    await heir.stop(100);
    expect(got).toEqual([`heir ${alert.id}`]);
    expect((await deliveriesOf(store, ['o'], alert.id))[0]).toMatchObject({
      delivery: { state: 'sent', owner: 'heir' },
    });
  });

  it('is sent as it is when its turn comes, and again when it changes on its way', async () => {
    const store = openMemory();
    const got: number[] = [];
    const told = (revision: number) => ({ ...alertAbout(1, `revision ${revision}`), revision });
    const tell = async (revision: number): Promise<void> => {
      await store.putAlert(told(revision));
      await queue.tell([told(revision)]);
    };
    const sink = {
      atOnce: 10,
      async send([out]: readonly { alert: { revision: number } }[]) {
        if (got.length === 0) await tell(3);
        got.push(out!.alert.revision);
      },
      close: async () => undefined,
    };
    const context = { store, log, deliveries: new DeliveryLog(store, 'me'), exceptions: () => [] };
    const queue = new OutputQueue(output({ name: 'o', kind: 'file', path: 'x' }), sink, context);
    await tell(1);
    await tell(2);
    queue.start();
    await eventually(() => got.length === 2 && queue.depth === 0);
    await queue.tell([told(3)]);
    await queue.stop(100);
    expect(got).toEqual([2, 3]);
  });
});

describe('an alert that evidence takes back', () => {
  /** Under these settings nothing is an alert; another event of the host makes the service look again. */
  async function takeBack(here: ServiceHere, settings: Settings): Promise<void> {
    await here.service.use({ ...settings, score: { ...settings.score, prior: 1e-12 } });
    await lookAgain(here);
    await eventually(async () => (await alertsOf(here)).length === 0);
  }
  const lookAgain = (here: ServiceHere) =>
    post(`${here.url}/v1/events`, theft.endpoint.replaceAll('ledger', `other-${looks++}`));
  let looks = 0;

  it('is called back from the receiver that has it, once, and is told again when it comes back', async () => {
    const receiver = await webhookReceiver();
    const outputs = [hook(receiver.url, { format: 'ocsf', updates: 'tier' })];
    const settings = settingsWith({ outputs, requests_per_second: 1_000 });
    const here = await serviceHere({ outputs });
    await steal(here.url);
    await eventually(async () => (await lastDelivery(here, 'hook'))?.state === 'sent');
    const [alert] = await alertsOf(here);
    const stateNow = async () => (await deliveriesOf(here.store, ['hook'], alert!.id))[0]?.delivery.state;
    await takeBack(here, settings);
    await eventually(async () => (await stateNow()) === 'withdrawn');
    await lookAgain(here);
    await eventually(async () => (await metric(here.url, 'waiting_batches')) === 0);
    const findings = () => receiver.taken.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(findings().map((finding) => finding['activity_id'])).toEqual([1, 3]);
    expect(findings()[1]).toMatchObject({ finding_info: { uid: alert!.id }, status: 'Resolved' });
    expect(await metric(here.url, 'output_withdrawn_total')).toBe(1);
    await here.service.use(settings);
    await lookAgain(here);
    await eventually(() => receiver.taken.length === 3);
    await eventually(async () => (await stateNow()) === 'sent');
    expect(findings()[2]).toMatchObject({ activity_id: 2, finding_info: { uid: alert!.id } });
    const ids = receiver.taken.map(({ headers }) => headers['x-waybill-delivery']);
    expect(new Set(ids).size).toBe(3);
    receiver.close();
    await here.remove();
  });

  it('is called back after a restart when the receiver was away, and never where it was not told', async () => {
    const data = `${directory.path}/called-back`;
    const port = await freePort();
    const receiver = await webhookReceiver(undefined, port);
    const never = hook(new URL(`http://127.0.0.1:${await freePort()}/`), { name: 'never', minimum_tier: 'high' });
    const outputs = [hook(receiver.url)];
    const first = await serviceHere({ outputs }, { data });
    await steal(first.url);
    await eventually(async () => (await lastDelivery(first, 'hook'))?.state === 'sent');
    const [alert] = await alertsOf(first);
    receiver.close();
    await takeBack(first, settingsWith({ outputs: [...outputs, never], requests_per_second: 1_000 }));
    await first.stop();
    const again = await webhookReceiver(undefined, port);
    const second = await serviceHere({ outputs }, { data });
    await eventually(() => again.taken.length === 1);
    expect(JSON.parse(again.taken[0]!.body)).toMatchObject({
      message: expect.stringMatching(/^Withdrawn: /),
      event: { id: alert!.id, kind: 'event' },
      waybill: { state: 'withdrawn' },
    });
    expect(await deliveriesOf(second.store, ['never'], alert!.id)).toEqual([]);
    again.close();
    await second.stop();
  });
});

describe('an exception', () => {
  it('marks the alert and holds it back from outputs; its end, and its removal, bring the alert back', async () => {
    const receiver = await webhookReceiver();
    const here = await serviceHere({ outputs: [hook(receiver.url)] });
    const place = `${here.data}/store`;
    const exception = {
      id: 'al-1',
      owner: 'ops',
      reason: 'CHG-7',
      expires: '2099-01-01',
      image: 'C:\\Windows\\System32\\curl.exe',
      destination: 'drop.quietharbor.example',
    };
    writeExceptions(place, [exception]);
    await steal(here.url);
    await eventually(async () => (await lastDelivery(here, 'hook'))?.state === 'allowed');
    expect(await lastDelivery(here, 'hook')).toMatchObject({ why: 'al-1' });
    const [alert] = await here.service.shown(here.store).listAlerts({ limit: 1 });
    expect(alert!.body).toMatchObject({ waybill: { allowed: { id: 'al-1', owner: 'ops' } } });
    expect(receiver.taken).toEqual([]);
    writeExceptions(place, [{ ...exception, expires: new Date(Date.now() + 1_200).toISOString() }]);
    await eventually(() => receiver.taken.length === 1);
    const [again] = await here.service.shown(here.store).listAlerts({ limit: 1 });
    expect(again!.body).not.toHaveProperty('waybill.allowed');
    receiver.close();
    await here.remove();
  });
});

describeWithRedis('an output of kind redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({
      args: ['--requirepass', 'stream-secret'],
      cliArgs: ['-a', 'stream-secret', '--no-auth-warning'],
    });
  });
  afterAll(() => redis.remove());

  it('adds each alert to the stream, with its id', async () => {
    const password = `${directory.path}/password`;
    writeFileSync(password, 'stream-secret\n');
    const stream = { name: 'stream', kind: 'redis', url: redis.url, password_file: password, stream: 'alerts' };
    const here = await serviceHere({ outputs: [output({ ...stream, format: 'ocsf' })] });
    await steal(here.url);
    await eventually(async () => (await metric(here.url, 'output_sent_total')) === 1);
    const [, , id, , revision, , text] = redis.cli('xrange', 'alerts', '-', '+').split('\n').slice(0);
    const [alert] = await alertsOf(here);
    expect([id, revision]).toEqual([alert!.id, String(alert!.revision)]);
    expect(JSON.parse(text!)).toMatchObject({ class_uid: 2004, finding_info: { uid: alert!.id } });
    await here.remove();
  });
});

describeWithRedis('workers on one Redis', () => {
  it('send each alert once, whoever told it', async () => {
    const redis = await startRedis();
    const receiver = await webhookReceiver();
    const worker = (name: string) => serviceHere({ outputs: [hook(receiver.url)] }, { store: redis.url, worker: name });
    const [a, b] = [await worker('a'), await worker('b')];
    expect((await post(`${a.url}/v1/events`, theft.endpoint)).status).toBe(202);
    expect((await post(`${b.url}/v1/flows`, theft.flows)).status).toBe(202);
    await eventually(() => receiver.taken.length > 0, 30_000);
    await eventually(
      async () => (await metric(a.url, 'waiting_batches')) + (await metric(b.url, 'waiting_batches')) === 0,
    );
    await Promise.all([a.stop(), b.stop()]); // brings second looks to their end
    const bodies = receiver.taken.map(({ headers }) => String(headers['x-waybill-delivery']));
    expect(bodies).toEqual([...new Set(bodies)]);
    await Promise.all([a.remove(), b.remove()]);
    receiver.close();
    await redis.remove();
  }, 30_000);
});

describe('settings of outputs', () => {
  it('are changed by a reload, and a file that cannot be read leaves the old ones', async () => {
    const receiver = await webhookReceiver();
    const here = await serviceHere();
    const broken = settingsWith({ outputs: [hook(receiver.url, { secret_file: `${directory.path}/none` })] });
    await expect(here.service.use(broken)).rejects.toThrow(/hook: secret_file: .* cannot be read \(ENOENT\)/);
    await here.service.use(settingsWith({ outputs: [hook(receiver.url)], requests_per_second: 1_000 }));
    await steal(here.url);
    await eventually(() => receiver.taken.length === 1);
    await here.remove();
    receiver.close();
  });

  it('are checked all at once, each complaint where it stands', async () => {
    const config = `${directory.path}/wrong.yaml`;
    writeFileSync(
      config,
      `service:
  outputs:
    - { name: a, kind: syslog, host: siem, port: 514, transport: udp, format: ocsf }
    - { name: a, kind: file, path: x }
    - { name: 'b c', kind: webhook, url: 'ftp://x' }
    - { name: d, kind: webhook, shape: slack, url: 'https://hooks.slack.example/T/S' }
    - { name: e, kind: redis, url: 'redis://user:secret@host', stream: s }
    - { name: f, kind: syslog, host: siem, port: 514, transport: tcp, key_file: /none }
`,
    );
    const checked = waybill('check-config', config);
    expect(await checked.ended).toBe(2);
    const complaints = checked.err().trim().split('\n');
    const places = complaints.map((line) =>
      line.replace(/^.*wrong\.yaml:(\d+):\d+ service\.outputs\.\d\.?(\w*): .*$/, '$1 $2'),
    );
    expect(places.sort()).toEqual([
      '3 format',
      '4 name',
      '5 ',
      '5 name',
      '5 url',
      '6 url',
      '7 url',
      '8 key_file',
      '8 key_file',
    ]);
    expect(checked.err()).not.toContain('secret@');
    writeFileSync(
      config,
      'service:\n  outputs:\n    - { name: a, kind: webhook, url: "https://x", secret_file: /none }\n',
    );
    expect(() => readSettings(config, { withFiles: true })).toThrow(
      /wrong\.yaml:3:\d+ service\.outputs\.0\.secret_file: \/none cannot be read \(ENOENT\)/,
    );
  });
});
