import type { ExchangeTable } from '../../model/exchange.js';
import type { WallClock } from '../wall-clock.js';

/** Columns of an exchange that are moments. */
const MOMENTS = [
  'connect_time',
  'request_start',
  'request_end',
  'response_start',
  'response_end',
] as const;

/** By how much every row moves, ns: what the host's wall clock was ahead when its part of the trace began. */
function shiftsOf(
  start: Float64Array,
  host: ArrayLike<number>,
  root: Int32Array,
  clocks: readonly WallClock[],
  baseNs: bigint,
): Float64Array {
  const first = new Map<string, number>();
  const keyOf = (row: number) => `${root[row]} ${host[row]}`;
  for (let row = 0; row < start.length; row++) {
    const known = first.get(keyOf(row));
    if (known === undefined || start[row]! < known) first.set(keyOf(row), start[row]!);
  }
  return start.map((_, row) => {
    const at = baseNs + BigInt(Math.round(first.get(keyOf(row))!));
    return Number(clocks[host[row]!]!.correction(at));
  });
}

/**
 * Exchanges with the times that the wall clocks of their hosts showed. Where a clock was set, all of a
 * trace on a host moves by the same: durations and order stay those of the monotonic clock.
 *
 * @param root per row: its trace
 * @param clocks per host of the plan
 * @returns the same table where no clock was set
 */
export function onWallClock(
  x: ExchangeTable,
  start: Float64Array,
  root: Int32Array,
  clocks: readonly WallClock[],
  baseNs: bigint,
): ExchangeTable {
  if (!clocks.some(({ isStepped }) => isStepped)) return x;
  const shifts = shiftsOf(start, x.host, root, clocks, baseNs);
  const moved = { ...x };
  for (const name of MOMENTS) moved[name] = x[name].map((time, row) => time + shifts[row]!);
  return moved;
}
