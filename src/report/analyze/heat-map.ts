import type { HeatMap, Window } from '../contract.js';
import type { Requests } from './requests.js';

const COLUMNS = 60;
/** Rows per factor of ten. */
const ROWS_PER_DECADE = 4;
const MIN_ROWS = 6;

/** Rounds a bin up to a length a reader can name: 1, 2 or 5 times a power of ten. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(atLeast, 1e-3)));
  return power * ([1, 2, 5, 10].find((factor) => power * factor >= atLeast * 0.999) ?? 10);
}

/** Upper bounds that cover all latencies in steps of a quarter of a decade. */
function latencyBounds(durations: Float64Array): number[] {
  const answered = durations.filter((duration) => duration > 0).sort();
  const low = answered[Math.floor(answered.length * 0.001)] ?? 1;
  const high = answered[answered.length - 1] ?? 10;
  const first = Math.floor(Math.log10(low) * ROWS_PER_DECADE) + 1;
  const last = Math.max(first + MIN_ROWS, Math.floor(Math.log10(high) * ROWS_PER_DECADE) + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** ((first + i) / ROWS_PER_DECADE));
}

/** Counts the requests by time and latency; the latency rows are logarithmic. */
export function buildHeatMap(requests: Requests, range: Window): HeatMap {
  const binMs = niceStep((range.toMs - range.fromMs) / COLUMNS);
  const columns = Math.max(1, Math.ceil((range.toMs - range.fromMs) / binMs));
  const boundsMs = latencyBounds(requests.duration);
  const counts = new Array<number>(columns * boundsMs.length).fill(0);
  const failed = new Array<number>(columns).fill(0);
  for (let i = 0; i < requests.rows; i++) {
    const at = Math.floor((requests.start[i]! - range.fromMs) / binMs);
    const column = Math.min(columns - 1, Math.max(0, at));
    if (requests.failed[i] === 1) failed[column]!++;
    const duration = requests.duration[i]!;
    if (Number.isNaN(duration)) continue;
    const found = boundsMs.findIndex((bound) => duration < bound);
    const row = found === -1 ? boundsMs.length - 1 : found;
    counts[row * columns + column]!++;
  }
  return { fromMs: range.fromMs, binMs, columns, boundsMs, counts, failed };
}
