import { describe, expect, it } from 'vitest';
import { checkMetrics, type MetricSpec, renderMetrics } from '../../sensor/base/metrics.ts';

const gauge = (o: Partial<MetricSpec>): MetricSpec => ({
  name: 'waybill_x',
  type: 'gauge',
  help: 'X.',
  read: () => 1,
  ...o,
});

describe('metrics as Prometheus reads them', () => {
  it('have help, type and value', () => {
    expect(renderMetrics([gauge({})])).toBe('# HELP waybill_x X.\n# TYPE waybill_x gauge\nwaybill_x 1\n');
  });
  it('are left out while they are not known', () => {
    expect(renderMetrics([gauge({ read: () => undefined })])).toBe('');
  });
  it('have one line for each value of a label, escaped', () => {
    const values = new Map([
      ['plain', 1],
      ['a"b\\c\nd', 2],
    ]);
    expect(renderMetrics([gauge({ read: () => ({ label: 'why', values }) })])).toContain(
      'waybill_x{why="plain"} 1\nwaybill_x{why="a\\"b\\\\c\\nd"} 2\n',
    );
  });
  it('write numbers that are none as the format has them', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, 0.5];
    const text = values.map(
      (n) =>
        renderMetrics([gauge({ read: () => n })])
          .split('\n')[2]
          ?.split(' ')[1],
    );
    expect(text).toEqual(['NaN', '+Inf', '-Inf', '1e+21', '0.5']);
  });
  it('are refused when their names would mislead', () => {
    expect(() => checkMetrics([gauge({}), gauge({ name: 'waybill_y_total', type: 'counter' })])).not.toThrow();
    expect(() => checkMetrics([gauge({ type: 'counter' })])).toThrow(/_total/);
    expect(() => checkMetrics([gauge({ name: 'waybill_x_total' })])).toThrow(/_total/);
    expect(() => checkMetrics([gauge({}), gauge({})])).toThrow(/unique/);
    expect(() => checkMetrics([gauge({ name: 'other_x' })])).toThrow(/waybill_/);
  });
});
