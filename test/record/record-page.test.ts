import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recordFields } from '../build/record-fields.ts';
import { recordPage } from '../build/record-page.ts';

const SOURCE = readFileSync('sensor/record/flow-record.ts', 'utf8');

describe('sensor/RECORD.md', () => {
  it('is what the code says today (npm run docs writes it)', () => {
    expect(readFileSync('sensor/RECORD.md', 'utf8')).toBe(recordPage(SOURCE));
  });

  it('has every field of the record, nested and shared ones too', () => {
    const paths = recordFields(SOURCE, 'FlowRecord').map((field) => field.path);
    for (const path of [
      'event.duration',
      'network.vlan?.id',
      'destination.packets',
      'destination.domain?',
      'tls?.client?.ja4?',
      'tls?.server?.x509?.alternative_names?',
      'observer.ingress?.interface.name',
      'waybill.flow_id',
      'waybill.dns_seen?',
    ]) {
      expect(paths).toContain(path);
    }
    expect(new Set(paths).size).toBe(paths.length);
  });
});
