const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
/** Times are taken apart two digits at a time: whole numbers below 2^22 are integers to the engine. */
const PAIR = DIGITS ** 2;

/** Sorts rows by one digit of their keys into `spare`, rows of equal digits in their order. @returns false where all have the same */
function sortByDigit(
  keys: Uint32Array,
  shift: number,
  order: Uint32Array,
  spare: Uint32Array,
  starts: Uint32Array,
): boolean {
  starts.fill(0);
  for (let i = 0; i < keys.length; i++) starts[(keys[i]! >> shift) & (DIGITS - 1)]!++;
  if (starts[(keys[0]! >> shift) & (DIGITS - 1)] === keys.length) return false;
  let sum = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const size = starts[digit]!;
    starts[digit] = sum;
    sum += size;
  }
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    spare[starts[(keys[row]! >> shift) & (DIGITS - 1)]!++] = row;
  }
  return true;
}

/**
 * Row numbers in order of time, rows of equal time in their order: least significant digit
 * radix sort on the ns since the earliest row, four passes for recordings of up to four hours.
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
  const keys = new Uint32Array(count);
  for (let unit = 1; unit <= most - least || unit === 1; unit *= PAIR) {
    for (let i = 0; i < count; i++) {
      const rest = Math.floor((times[i]! - least) / unit);
      keys[i] = rest - Math.floor(rest / PAIR) * PAIR;
    }
    for (const shift of [0, DIGIT_BITS]) {
      if (sortByDigit(keys, shift, order, spare, starts)) [order, spare] = [spare, order];
    }
  }
  return order;
}

/** How many of the sorted `times` lie before `at`. */
export function howMany(times: Float64Array, at: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
