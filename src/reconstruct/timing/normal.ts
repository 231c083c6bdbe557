/** Coefficients of Acklam's rational approximation (2003); relative error below 1.15e-9. */
const A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
];
const B = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
  1,
];
const C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783,
];
const D = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
const TAIL = 0.02425;

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/** Quantile of the standard normal distribution. @param p 0 < p < 1 */
export function normalQuantile(p: number): number {
  if (p > 1 - TAIL) return -normalQuantile(1 - p);
  if (p < TAIL) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(C, q) / polynomial(D, q);
  }
  const q = p - 0.5;
  const r = q * q;
  return (q * polynomial(A, r)) / polynomial(B, r);
}

/**
 * Inverse and determinant of a small symmetric positive definite matrix, by Gauss and
 * Jordan with pivoting.
 *
 * @param matrix size × size, row by row
 */
export function invert(
  matrix: Float64Array,
  size: number,
): { inverse: Float64Array; determinant: number } {
  const work = Float64Array.from(matrix);
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  let determinant = 1;
  const swap = (values: Float64Array, a: number, b: number) => {
    for (let j = 0; j < size; j++) {
      const kept = values[a * size + j]!;
      values[a * size + j] = values[b * size + j]!;
      values[b * size + j] = kept;
    }
  };
  for (let i = 0; i < size; i++) {
    let pivot = i;
    for (let row = i + 1; row < size; row++) {
      if (Math.abs(work[row * size + i]!) > Math.abs(work[pivot * size + i]!)) pivot = row;
    }
    if (pivot !== i) {
      swap(work, i, pivot);
      swap(inverse, i, pivot);
      determinant = -determinant;
    }
    const by = work[i * size + i]!;
    determinant *= by;
    for (let j = 0; j < size; j++) {
      work[i * size + j]! /= by;
      inverse[i * size + j]! /= by;
    }
    for (let row = 0; row < size; row++) {
      const factor = work[row * size + i]!;
      if (row === i || factor === 0) continue;
      for (let j = 0; j < size; j++) {
        work[row * size + j]! -= factor * work[i * size + j]!;
        inverse[row * size + j]! -= factor * inverse[i * size + j]!;
      }
    }
  }
  return { inverse, determinant };
}
