import { describe, expect, it } from 'vitest';
import { CELLS, positionOf } from '../../../src/reconstruct/timing/axis.js';
import { tickOf } from '../../../src/reconstruct/timing/clock.js';
import { GapDensity } from '../../../src/reconstruct/timing/density.js';
import { GapHistogram } from '../../../src/reconstruct/timing/histogram.js';
import { invert, normalQuantile } from '../../../src/reconstruct/timing/normal.js';
import { seeded } from '../causality/simulate.js';

function learn(gaps: readonly number[]): GapDensity {
  const histogram = new GapHistogram();
  for (const gap of gaps) histogram.add(gap, 1);
  return new GapDensity(histogram);
}

describe('the axis of gaps', () => {
  it('is monotone, symmetric about zero, and holds every number', () => {
    let last = -1;
    for (let exponent = 12; exponent > -4; exponent -= 0.01) {
      const position = positionOf(-(10 ** exponent));
      expect(position).toBeGreaterThanOrEqual(last);
      expect(position + positionOf(10 ** exponent)).toBeCloseTo(CELLS - 1, 9);
      last = position;
    }
    for (const gap of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e300]) {
      expect(positionOf(gap)).toBeGreaterThanOrEqual(0);
      expect(positionOf(gap)).toBeLessThanOrEqual(CELLS - 1);
    }
  });
});

describe('a gap density', () => {
  const random = seeded(1);
  const density = learn(
    Array.from({ length: 2000 }, () => 1000 + 200 * normalQuantile(random() || 0.5)),
  );

  it('is one in sum over all gaps', () => {
    let sum = 0;
    for (let gap = -3000; gap < 6000; gap++) sum += Math.exp(density.log(gap));
    expect(sum).toBeGreaterThan(0.95);
    expect(sum).toBeLessThan(1.05);
  });

  it('is highest where the examples are, and nowhere impossible', () => {
    expect(density.log(1000)).toBeGreaterThan(density.log(1600));
    expect(density.log(1600)).toBeGreaterThan(density.log(50_000));
    for (const gap of [-1e12, 0, 1e12, Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(density.log(gap)).toBeLessThan(-10);
      expect(Number.isNaN(density.log(gap))).toBe(false);
    }
  });

  it('knows where a gap lies among the examples', () => {
    const score = (gap: number) => density.scoreAt(positionOf(gap));
    expect(score(1000)).toBeCloseTo(0, 1);
    expect(score(1200)).toBeCloseTo(1, 0);
    expect(score(-1e9)).toBeLessThan(-4);
    expect(score(1e9)).toBeGreaterThan(4);
  });

  it('can be made from a single example', () => {
    expect(learn([5]).log(5)).toBeGreaterThan(-6);
  });
});
describe('the mathematics', () => {
  it('has the quantiles of the normal distribution', () => {
    expect(normalQuantile(0.5)).toBeCloseTo(0, 9);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 5);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232, 5);
  });

  it('inverts a matrix', () => {
    const matrix = Float64Array.of(2, 0.5, 0.1, 0.5, 1, 0.2, 0.1, 0.2, 3);
    const { inverse, determinant } = invert(matrix, 3);
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) {
        let sum = 0;
        for (let k = 0; k < 3; k++) sum += matrix[row * 3 + k]! * inverse[k * 3 + column]!;
        expect(sum).toBeCloseTo(row === column ? 1 : 0, 12);
      }
    }
    // 2 (1·3 − 0.2²) − 0.5 (0.5·3 − 0.2·0.1) + 0.1 (0.5·0.2 − 0.1·1)
    expect(determinant).toBeCloseTo(2 * 2.96 - 0.5 * 1.48 + 0.1 * 0, 9);
  });
});

describe('clocks of whole milliseconds', () => {
  it('are recognised, whatever they count from, and fine ones are not', () => {
    const coarse = Float64Array.from({ length: 100 }, (_, i) => 123.4 + 1000 * ((i * 7) % 13));
    expect(tickOf([coarse, Float64Array.of(1, Number.POSITIVE_INFINITY, 1)])).toBe(1000);
    const random = seeded(2);
    expect(tickOf([coarse.map((at) => at + 1000 * random())])).toBe(0);
    expect(tickOf([])).toBe(0);
  });

  it('make gaps as likely as the tick that they lie in, short ones not more than long ones', () => {
    const histogram = new GapHistogram(1000);
    for (const [gap, count] of [
      [0, 200],
      [1000, 500],
      [2000, 300],
    ] as const)
      histogram.add(gap, count);
    const density = new GapDensity(histogram);
    const shareOf = (gap: number) => 1000 * Math.exp(density.log(gap));
    expect(shareOf(0)).toBeCloseTo(0.2, 1);
    expect(shareOf(1000)).toBeCloseTo(0.5, 1);
    expect(shareOf(2000)).toBeCloseTo(0.3, 1);
    expect(shareOf(3000)).toBeLessThan(0.05);
    expect(shareOf(-1000)).toBeLessThan(0.05);
  });
});
