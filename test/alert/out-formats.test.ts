import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { syslogMessage } from '../../enrich/alert/syslog.ts';
import { toCef } from '../../enrich/alert/to-cef.ts';
import { toSlack } from '../../enrich/alert/to-chat.ts';
import { toOcsf } from '../../enrich/alert/to-ocsf.ts';
import { withdrawalOf } from '../../enrich/alert/withdrawn.ts';
import { alertAbout } from '../build/console.ts';
import { readCef } from '../build/read-cef.ts';

const alert = alertAbout(1, 'ws-fin-01');

describe('OCSF', () => {
  it('has what a Detection Finding must have', () => {
    const finding = toOcsf(alert);
    expect(finding).toMatchObject({
      class_uid: 2004,
      category_uid: 2,
      activity_id: 1,
      type_uid: 200_401,
      severity_id: 4,
      time: Math.floor(alert.at / 1000),
      confidence_score: 50,
      is_alert: true,
      metadata: { version: '1.6.0', product: { vendor_name: 'Waybill' } },
      finding_info: { uid: alert.id, attacks: [{ sub_technique: { uid: 'T1048.002' } }] },
    });
  });

  it('names both ends, program and fingerprint as evidence', () => {
    const [evidence] = toOcsf(alert)['evidences'] as Record<string, unknown>[];
    expect(evidence).toMatchObject({
      dst_endpoint: { ip: '198.51.100.7', port: 443, hostname: 'ws-fin-01' },
      tls: { version: '1.3', sni: 'ws-fin-01' },
      process: { pid: 4_001, cmd_line: 'ws-fin-01', user: { name: 'ws-fin-01' } },
    });
  });

  it('updates a finding that the receiver knows, under the same id', () => {
    const update = toOcsf(alert, true);
    expect(update).toMatchObject({ activity_id: 2, type_uid: 200_402, finding_info: { uid: alert.id } });
  });

  it('takes a document that lacks everything', () => {
    expect(toOcsf({ ...alert, body: {} })).toMatchObject({ class_uid: 2004, finding_info: { uid: alert.id } });
  });
});

describe('CEF', () => {
  it('carries the alert in fields of the dictionary', () => {
    const { head, fields } = readCef(toCef(alert, '0.1.0'));
    expect(head).toEqual(['CEF:0', 'Waybill', 'Waybill', '0.1.0', 'AN1413', 'Exfiltration suspected', '8']);
    expect(fields.get('dst')).toBe('198.51.100.7');
    expect(fields.get('out')).toBe('2000000');
    expect(fields.get('externalId')).toBe(alert.id);
  });

  it('reads back as the same fields whatever outsiders wrote, on one line', () => {
    const keys = [...readCef(toCef(alert, '1')).fields.keys()];
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
      fc
        .array(fc.constantFrom('\\', '|', '=', ' src=1.2.3.4', '\n', '\r', '\u2028', 'x'), { minLength: 1 })
        .map((a) => a.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const line = toCef(alertAbout(1, text), '1');
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        const read = readCef(line);
        expect(read.head).toHaveLength(7);
        expect([...read.fields.keys()]).toEqual(keys);
        expect(read.fields.get('src')).toBe('10.0.0.1');
      }),
    );
  }, 30_000);
});

describe('an alert that was taken back', () => {
  it('says so in CEF and syslog, at the lowest severities, under the same id', () => {
    const gone = withdrawalOf(alert);
    const { head, fields } = readCef(toCef(gone, '0.1.0'));
    expect(head.at(-1)).toBe('1');
    expect(fields.get('externalId')).toBe(alert.id);
    expect(fields.get('act')).toBe('exfiltration_withdrawn');
    expect(fields.get('msg')).toMatch(/^Withdrawn: /);
    const header = { tier: 'withdrawn', time: '2026-11-23T09:00:12Z', hostname: 'h', messageId: 'alert' } as const;
    expect(syslogMessage(header, '')).toMatch(/^<109>1 /);
  });

  it('is no alert to who looks for alerts, and holds nothing of its evidence', () => {
    const { body } = withdrawalOf(alert);
    expect(body).toMatchObject({ event: { kind: 'event', id: alert.id }, waybill: { state: 'withdrawn' } });
    expect(body).not.toHaveProperty('process');
    expect(JSON.stringify(toSlack(withdrawalOf(alert)))).toContain('Withdrawn: exfiltration no longer suspected');
  });
});

describe('syslog messages', () => {
  it('begin as RFC 5424 says', () => {
    const header = {
      tier: 'high',
      time: '2026-11-23T09:00:12.468901Z',
      hostname: 'sensor 1\n',
      messageId: 'wb-1',
    } as const;
    expect(syslogMessage(header, 'one\ntwo')).toMatch(
      /^<106>1 2026-11-23T09:00:12\.468901Z sensor_1_ waybill \d+ wb-1 - one\\u\{a\}two$/,
    );
    expect(syslogMessage({ ...header, tier: 'medium', hostname: '' }, '')).toMatch(/^<108>1 \S+ - waybill /);
  });
});
