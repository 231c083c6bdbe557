/**
 * A quantile of values sorted rising, linearly interpolated between neighbours
 * (definition 7 of Hyndman and Fan, 1996).
 *
 * @param q 0..1
 * @returns null for no values
 */
export function quantile(sorted: Float64Array, q: number): number | null {
  if (sorted.length === 0) return null;
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (at - below);
}
