/** Senders as they are: the curl lines of the README, and rsyslog's Elasticsearch output. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithRsyslog, startRsyslog } from '../build/syslog-server.ts';
import { type ServiceHere, serviceHere } from './service-here.ts';
import { eventually, linesOf, STORY, temporary } from './waybill-process.ts';

const TOKEN = 'the-senders-token';
const tokens = [
  {
    name: 'edr',
    sha256: createHash('sha256').update(TOKEN).digest('hex'),
    scopes: ['events' as const, 'read' as const],
  },
];
const records = linesOf(`${STORY}.endpoint.jsonl`);
const directory = temporary();
afterAll(() => directory.remove());
writeFileSync(`${directory.path}/events.jsonl`, `${records.join('\n')}\n`);

describe('the curl lines of the README', () => {
  let here: ServiceHere;
  beforeAll(async () => {
    here = await serviceHere({ tokens });
  }, 30_000);
  afterAll(() => here.remove());

  const all = records.length;
  const expected = [
    { accepted: all, damaged: 0 },
    { accepted: all, damaged: 0 },
    { accepted: 1, damaged: 0 },
    { text: 'Success', code: 0 },
    { text: 'Success', code: 0, ackId: 0 },
    { acks: { 0: true } },
    { errors: false },
  ];
  const lines = readFileSync('README.md', 'utf8')
    .split('\n')
    .filter((line) => line.includes('curl -sS $URL/'));

  it('are as many as this test expects', () => expect(lines).toHaveLength(expected.length));

  it.each(expected.map((answer, i) => [lines[i] ?? '', answer] as const))('%s', async (line, answer) => {
    const env = { ...process.env, URL: here.url, TOKEN };
    const { stdout } = await promisify(execFile)('bash', ['-c', line], { cwd: directory.path, env });
    expect(JSON.parse(stdout)).toMatchObject(answer);
  });
});

describeWithRsyslog('rsyslog’s omelasticsearch', ['omelasticsearch', 'imfile'], () => {
  it('delivers every line of a file, to a receiver that it first finds broken', async () => {
    // Hangs up on whoever comes.
    const broken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(broken, 'listening');
    const { port } = broken.address() as AddressInfo;
    const tried = once(broken, 'connection');
    const rsyslog = await startRsyslog(`global(workDirectory="DIR" maxMessageSize="512k")
module(load="imfile") module(load="omelasticsearch")
input(type="imfile" file="${directory.path}/events.jsonl" tag="edr" ruleset="send")
template(name="line" type="string" string="%msg%")
ruleset(name="send") {
  action(type="omelasticsearch" server="127.0.0.1" serverport="${port}" uid="elastic" pwd="${TOKEN}" template="line"
    searchIndex="edr" searchType="" bulkmode="on" errorFile="OUT" action.resumeRetryCount="-1" action.resumeInterval="1")
}
`);
    await tried;
    broken.close();
    await once(broken, 'close');
    const here = await serviceHere({ listen: `127.0.0.1:${port}`, tokens });
    const counted = async (): Promise<number> => {
      const page = await fetch(`${here.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
      return Number(/received_records_total\{fate="accepted"\} (\d+)/.exec(await page.text())?.[1]);
    };
    // At least: what is not answered in time, on a busy machine, is sent again.
    await eventually(async () => (await counted()) >= records.length, 45_000);
    expect(rsyslog.lines()).toEqual([]);
    rsyslog.stop();
    await here.remove();
  }, 60_000);
});
