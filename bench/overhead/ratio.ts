/** How much more one arm needs than the other, from pairs of runs. */
export interface Ratio {
  /** Median over the pairs. */
  readonly median: number;
  /** 95 % of the medians of resampled pairs lie here. */
  readonly interval: readonly [low: number, high: number];
  /** Least and greatest ratio of any pair. */
  readonly spread: readonly [low: number, high: number];
}

const RESAMPLES = 10_000;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Seeded numbers in [0, 1) (mulberry32): the same runs give the same interval. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ratios `after[i] / before[i]`, with a percentile bootstrap over the pairs. */
export function ratioOf(before: readonly number[], after: readonly number[], seed: number): Ratio {
  const ratios = before.map((value, i) => after[i]! / value);
  const random = randomFrom(seed);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)]!)),
  ).sort((a, b) => a - b);
  return {
    median: median(ratios),
    interval: [medians[Math.floor(RESAMPLES * 0.025)]!, medians[Math.floor(RESAMPLES * 0.975)]!],
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

const percent = (ratio: number) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
const range = ([low, high]: readonly [number, number]) => `${percent(low)} to ${percent(high)}`;

/** Median, interval and spread as table cells. */
export function describeRatio({ median: middle, interval, spread }: Ratio): string[] {
  return [percent(middle), range(interval), range(spread)];
}
