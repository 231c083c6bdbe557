/** The coarsest clock that is looked for, µs. */
const COARSEST = 1e6;
/** The finest that matters: gaps of processes are seldom shorter. */
const FINEST = 10;
/** Share of the times that keep to the ticks of a clock: a few may come from another one. */
const KEEPING = 0.98;

/**
 * The tick of the clock that times were read from: the greatest power of ten that nearly all of
 * them are multiples of, whatever they are counted from.
 *
 * @param columns times in µs; those that are not finite are left aside
 * @returns µs; 0 where the clock is finer than ten of them, or there are no times
 */
export function tickOf(columns: readonly Float64Array[]): number {
  for (let tick = COARSEST; tick >= FINEST; tick /= 10) {
    let steps = 0;
    let kept = 0;
    for (const times of columns) {
      for (let i = 1; i < times.length; i++) {
        const step = times[i]! - times[i - 1]!;
        if (!Number.isFinite(step)) continue;
        steps++;
        if (Math.abs(step - tick * Math.round(step / tick)) < 0.01) kept++;
      }
    }
    if (steps > 0 && kept >= KEEPING * steps) return tick;
  }
  return 0;
}
