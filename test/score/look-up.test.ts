import { describe, expect, it } from 'vitest';
import { lookedUpBy } from '../../enrich/score/look-up.ts';
import { FULL_RECORD } from '../build/full-record.ts';

function told(sensor: boolean | undefined, onHost: boolean | undefined, domain_source?: string): boolean | undefined {
  const { dns_seen: _, ...waybill } = FULL_RECORD.waybill;
  const more = {
    ...(sensor === undefined ? {} : { dns_seen: sensor }),
    ...(domain_source === undefined ? {} : { domain_source }),
  };
  const { via: _via, ...direct } = waybill;
  return lookedUpBy({ waybill: { ...direct, ...more } }, onHost);
}

describe('a look-up', () => {
  it.each([
    [true, true, true],
    [true, false, true],
    [true, undefined, true],
    [false, true, true],
    [undefined, true, true],
    [false, false, false],
    [false, undefined, false],
    [undefined, false, false],
    [undefined, undefined, undefined],
  ])('seen by the sensor: %s, by the endpoint feed: %s, was made: %s', (sensor, onHost, made) => {
    expect(told(sensor, onHost)).toBe(made);
  });

  it('is not missed where an explicit proxy makes it', () => {
    for (const via of ['connect', 'socks5']) {
      expect(lookedUpBy({ waybill: { ...FULL_RECORD.waybill, via, dns_seen: false } }, false)).toBeUndefined();
      expect(lookedUpBy({ waybill: { ...FULL_RECORD.waybill, via, dns_seen: false } }, true)).toBe(true);
    }
  });

  it('was made when the name comes from it', () => {
    expect(told(undefined, false, 'dns')).toBe(true);
    expect(told(undefined, false, 'connect')).toBe(false);
  });
});
