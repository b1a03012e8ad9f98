/** A real rsyslogd reads our syslog: over UDP, TCP and TLS, RFC 5424 headers, CEF fields and JSON documents. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OutputConfig } from '../../enrich/output-settings.ts';
import { openSink } from '../../enrich/service/outputs/open-sink.ts';
import { madeUpAuthority } from '../build/certificates.ts';
import { alertAbout } from '../build/console.ts';
import { readCef } from '../build/read-cef.ts';
import { freePort } from '../build/redis-server.ts';
import { describeWithRsyslog, type Rsyslog, startRsyslog } from '../build/syslog-server.ts';
import { eventually, temporary } from '../service/waybill-process.ts';

/** Each message as rsyslog understood it. */
const TEMPLATE = `template(name="read" type="list") {
  constant(value="{") property(name="pri" format="jsonf" outname="pri")
  constant(value=",") property(name="protocol-version" format="jsonf" outname="version")
  constant(value=",") property(name="timestamp" dateFormat="rfc3339" format="jsonf" outname="time")
  constant(value=",") property(name="hostname" format="jsonf" outname="host")
  constant(value=",") property(name="app-name" format="jsonf" outname="app")
  constant(value=",") property(name="msgid" format="jsonf" outname="msgid")
  constant(value=",") property(name="structured-data" format="jsonf" outname="data")
  constant(value=",") property(name="msg" format="jsonf" outname="msg")
  constant(value="}\\n")
}
action(type="omfile" file="OUT" template="read")
`;
const HOSTILE = 'x" \\ ] | = \n\r\u2028\u202e <134>1 - forged {"a":1} ä 漢';

interface Read {
  readonly pri: string;
  readonly version: string;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly msgid: string;
  readonly data: string;
  readonly msg: string;
}

describeWithRsyslog('rsyslog', ['imudp', 'imtcp', 'lmnsd_ossl'], () => {
  const directory = temporary();
  const file = (name: string, text: string): string => {
    writeFileSync(`${directory.path}/${name}`, text);
    return `${directory.path}/${name}`;
  };
  const { ca, server } = madeUpAuthority();
  const stranger = madeUpAuthority();
  const authority = file('ca.pem', ca);
  const [cert, key] = [file('cert.pem', server.cert), file('key.pem', server.key)];
  const ports = { udp: 0, tcp: 0, tls: 0 };
  const receivers: Rsyslog[] = [];
  const made = (): Read[] => receivers.flatMap((receiver) => receiver.lines()).map((line) => JSON.parse(line) as Read);

  beforeAll(async () => {
    for (const transport of ['udp', 'tcp', 'tls'] as const) ports[transport] = await freePort();
    receivers.push(
      await startRsyslog(
        `global(maxMessageSize="512k" parser.escapeControlCharactersOnReceive="off")
module(load="imudp") module(load="imtcp" maxFrameSize="600000")
input(type="imudp" port="${ports.udp}" address="127.0.0.1")
input(type="imtcp" port="${ports.tcp}" address="127.0.0.1")
${TEMPLATE}`,
        ports.tcp,
      ),
      await startRsyslog(
        `global(maxMessageSize="512k" defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="${authority}"
  defaultNetstreamDriverCertFile="${cert}" defaultNetstreamDriverKeyFile="${key}")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" port="${ports.tls}" address="127.0.0.1")
${TEMPLATE}`,
        ports.tls,
      ),
    );
  }, 30_000);
  afterAll(() => {
    for (const receiver of receivers) receiver.stop();
    directory.remove();
  });

  const send = async (n: number, transport: 'udp' | 'tcp' | 'tls', more: object, text = HOSTILE): Promise<Read> => {
    const settings = { name: 'siem', kind: 'syslog', host: '127.0.0.1', port: ports[transport], transport, ...more };
    const sink = openSink(OutputConfig.parse(settings));
    const isIt = ({ msg }: Read) => msg.includes(`wb-${String(n).padStart(6, '0')}`) || msg.includes(`"host-${n}"`);
    // Again, as the queue would: on a loaded machine rsyslogd has answered the first bytes of a handshake with no TLS.
    await eventually(() =>
      sink.send([{ alert: alertAbout(n, text), isKnown: false }]).then(
        () => true,
        () => false,
      ),
    );
    await eventually(() => made().some(isIt));
    const found = made().filter(isIt);
    expect(found).toHaveLength(1);
    return found[0]!;
  };
  const tls = { ca_file: authority, cert_file: cert, key_file: key };

  it.each([
    [1, 'udp', {}],
    [2, 'tcp', {}],
    [4, 'tls', tls],
  ] as const)('reads alert %i as CEF over %s, header and fields', async (n, transport, more) => {
    const read = await send(n, transport, more, 'curl=1|2');
    const { at, body } = alertAbout(n, 'curl=1|2') as { at: number; body: { message: string } };
    expect(read).toMatchObject({
      pri: '106',
      version: '1',
      host: hostname(),
      app: 'waybill',
      msgid: 'alert',
      data: '-',
    });
    expect(Date.parse(read.time)).toBe(Math.floor(at / 1000));
    const { head, fields } = readCef(read.msg.trim());
    expect([head[0], head[6]]).toEqual(['CEF:0', '8']);
    expect([fields.get('msg'), fields.get('src')]).toEqual([body.message, '10.0.0.1']);
  });

  it.each([
    [5, 'tcp', 'ecs', {}],
    [7, 'tls', 'ecs', tls],
    [8, 'tls', 'ocsf', tls],
  ] as const)(
    'reads alert %i over %s as the %s document, whatever outsiders wrote in it',
    async (n, transport, format, more) => {
      const { msg } = await send(n, transport, { ...more, format });
      expect(msg).not.toMatch(/[\n\r\u2028\u202e]/);
      const document = JSON.parse(msg) as { message: string };
      if (format === 'ecs') expect(document).toEqual(alertAbout(n, HOSTILE).body);
      else expect(document).toMatchObject({ class_uid: 2004, finding_info: { uid: alertAbout(n).id } });
    },
  );

  it('reads a document of a quarter of a megabyte as one message', async () => {
    const sink = openSink(
      OutputConfig.parse({
        name: 's',
        kind: 'syslog',
        host: '127.0.0.1',
        port: ports.tcp,
        transport: 'tcp',
        format: 'ecs',
      }),
    );
    const alert = alertAbout(10, 'long ');
    const body = { ...(alert.body as object), padding: 'p'.repeat(250_000), id: 'wb-long' };
    await sink.send([{ alert: { ...alert, body }, isKnown: false }]);
    await eventually(() => made().some(({ msg }) => msg.includes('wb-long')));
    expect(JSON.parse(made().find(({ msg }) => msg.includes('wb-long'))!.msg)).toEqual(body);
  });

  it('gets nothing from us when its certificate is not of our authority', async () => {
    const settings = { name: 's', kind: 'syslog', host: '127.0.0.1', port: ports.tls, transport: 'tls' };
    const sink = openSink(OutputConfig.parse({ ...settings, ...tls, ca_file: file('stranger.pem', stranger.ca) }));
    await expect(sink.send([{ alert: alertAbout(11), isKnown: false }])).rejects.toThrow();
    expect(made().some(({ msg }) => msg.includes('wb-000011'))).toBe(false);
  });

  it('is the rsyslog that it says', () => {
    expect(execFileSync('/usr/sbin/rsyslogd', ['-v'], { encoding: 'utf8' })).toMatch(/rsyslogd +8\./);
  });
});
