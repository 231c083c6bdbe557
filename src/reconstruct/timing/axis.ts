/**
 * The axis on which gaps are judged: linear below about 32 µs, logarithmic above, the same to
 * both sides of zero. A position is counted in cells, {@link CELLS_PER_OCTAVE} to a doubling.
 */
const SCALE = 32;
const CELLS_PER_OCTAVE = 32;
/** Octaves to each side: up to 2^41 µs, 25 days. */
const OCTAVES = 36;
/** The cell of the gap zero. */
const ZERO = OCTAVES * CELLS_PER_OCTAVE;
export const CELLS = 2 * ZERO + 1;

const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;
const MANTISSA = 2 ** 20;
const EXPONENT_OF_SCALE = 1023 + Math.log2(SCALE);
/** log2(1 + m) is about m + BEND m (1 - m), 0 <= m <= 1, within 0.009. */
const BEND = 0.3431;

/**
 * Where a gap lies, 0..CELLS - 1, monotone. The logarithm is read from the number's exponent and
 * mantissa: a tenth of the time of Math.asinh, in the innermost loop.
 *
 * @param gap µs; anything that is no number lies at the far end
 */
export function positionOf(gap: number): number {
  FLOAT[0] = (gap < 0 ? -gap : gap) + SCALE;
  const high = WORDS[HIGH]!;
  const octave = (high >>> 20) - EXPONENT_OF_SCALE;
  if (octave >= OCTAVES) return gap < 0 ? 0 : CELLS - 1;
  const m = (high & (MANTISSA - 1)) / MANTISSA;
  const at = (octave + m + BEND * m * (1 - m)) * CELLS_PER_OCTAVE;
  return gap < 0 ? ZERO - at : ZERO + at;
}

/** The gap at the middle of a cell, µs: the inverse of {@link positionOf}. */
export function gapAt(cell: number): number {
  const size = SCALE * (2 ** (Math.abs(cell - ZERO) / CELLS_PER_OCTAVE) - 1);
  return cell < ZERO ? -size : size;
}

/** Log of the width of each cell, in µs: turns mass per cell into density per µs. */
export const LOG_WIDTHS = Float64Array.from({ length: CELLS }, (_, cell) =>
  Math.log((SCALE * 2 ** (Math.abs(cell - ZERO) / CELLS_PER_OCTAVE) * Math.LN2) / CELLS_PER_OCTAVE),
);
