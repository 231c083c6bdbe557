const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/**
 * Row numbers in order of time, rows of equal time in their order: least significant digit
 * radix sort on the ns since the earliest row, three passes for recordings of up to 78 hours.
 *
 * @param times ns, below 2^53 apart; NaN counts as the earliest
 */
export function orderByTime(times: Float64Array): Uint32Array {
  const count = times.length;
  let order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  let least = Infinity;
  let most = Number.NEGATIVE_INFINITY;
  let isSorted = true;
  for (let i = 0; i < count; i++) {
    const time = times[i]!;
    if (time < least) least = time;
    if (time > most) most = time;
    if (i > 0 && !(time >= times[i - 1]!)) isSorted = false;
  }
  if (isSorted || count < 2) return order;
  let spare = new Uint32Array(count);
  const starts = new Uint32Array(DIGITS);
  for (let unit = 1; unit <= most - least || unit === 1; unit *= DIGITS) {
    starts.fill(0);
    const digitOf = (row: number) => (Math.floor((times[row]! - least) / unit) % DIGITS) | 0;
    for (let i = 0; i < count; i++) starts[digitOf(i)]!++;
    let sum = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      const size = starts[digit]!;
      starts[digit] = sum;
      sum += size;
    }
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      spare[starts[digitOf(row)]!++] = row;
    }
    [order, spare] = [spare, order];
  }
  return order;
}
