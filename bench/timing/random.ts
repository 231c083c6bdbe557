/** Seeded draws: mulberry32 (Tommy Ettinger, public domain), and what is made of it. */
export interface Random {
  /** In [0, 1). */
  share(): number;
  /** A whole number in [0, count). */
  below(count: number): number;
  /** Of the standard normal distribution. */
  normal(): number;
  exponential(mean: number): number;
}

export function seededDraws(seed: number): Random {
  let state = seed >>> 0;
  const share = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    share,
    below: (count) => Math.floor(share() * count),
    normal: () => Math.sqrt(-2 * Math.log(1 - share())) * Math.cos(2 * Math.PI * share()),
    exponential: (mean) => -Math.log(1 - share()) * mean,
  };
}
