import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quantile } from '../../src/report/analyze/quantile.js';
import { findStretches } from '../../src/report/analyze/scan.js';

const RANGE = { fromMs: 0, toMs: 60_000 };

function requestsEvery(ms: number, isBad: (at: number) => boolean) {
  const start = Float64Array.from({ length: RANGE.toMs / ms }, (_, i) => i * ms);
  return {
    start,
    bad: Uint8Array.from(start, (at) => (isBad(at) ? 1 : 0)),
  };
}

describe('the search for an incident', () => {
  test('finds a burst of bad requests', () => {
    const { start, bad } = requestsEvery(50, (at) => at >= 20_000 && at < 25_000);
    expect(findStretches(start, bad, RANGE)).toEqual([{ fromMs: 20_000, toMs: 25_000 }]);
  });

  test('finds several bursts, the strongest first, and never one twice', () => {
    const { start, bad } = requestsEvery(
      50,
      (at) => (at >= 10_000 && at < 12_000) || (at >= 40_000 && at < 48_000),
    );
    expect(findStretches(start, bad, RANGE)).toEqual([
      { fromMs: 40_000, toMs: 48_000 },
      { fromMs: 10_000, toMs: 12_000 },
    ]);
  });

  test('finds none among no requests, none bad, or all bad', () => {
    expect(findStretches(new Float64Array(0), new Uint8Array(0), RANGE)).toEqual([]);
    const good = requestsEvery(50, () => false);
    expect(findStretches(good.start, good.bad, RANGE)).toEqual([]);
    const all = requestsEvery(50, () => true);
    expect(findStretches(all.start, all.bad, RANGE)).toEqual([]);
  });

  test('finds chance in less than one of a hundred recordings', () => {
    let found = 0;
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    for (let run = 0; run < 300; run++) {
      const { start, bad } = requestsEvery(60, () => random() < 0.05);
      found += findStretches(start, bad, RANGE).length;
    }
    expect(found).toBeLessThan(3);
  });
});

describe('a quantile', () => {
  test('interpolates between neighbours', () => {
    expect(quantile(Float64Array.of(1, 2, 3, 4), 0.5)).toBe(2.5);
    expect(quantile(Float64Array.of(10), 0.99)).toBe(10);
    expect(quantile(new Float64Array(0), 0.5)).toBeNull();
  });

  test('lies between the least and the greatest value and rises with q', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, p, q) => {
          const sorted = Float64Array.from(values).sort();
          const low = quantile(sorted, Math.min(p, q))!;
          const high = quantile(sorted, Math.max(p, q))!;
          expect(low).toBeGreaterThanOrEqual(sorted[0]!);
          expect(high).toBeLessThanOrEqual(sorted[sorted.length - 1]!);
          expect(low).toBeLessThanOrEqual(high);
        },
      ),
    );
  });
});
