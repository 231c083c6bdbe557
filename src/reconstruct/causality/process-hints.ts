import { EventKind } from '../../model/event.js';
import type { HintTable } from '../../model/hint.js';
import { howMany, orderByTime } from './time-order.js';

/** The hints of one process as columns, in order of time. */
export interface ProcessHints {
  readonly count: number;
  /** EventKind: wake, loop, post or fork. */
  readonly kind: Uint8Array;
  readonly time: Float64Array;
  readonly tid: Uint32Array;
  readonly other: Uint32Array;
  /** post: ns since the message was posted; of other kinds without meaning. */
  readonly age: Float64Array;
}

/**
 * A word on which more than this share of all wakes happen, of at least this many threads, is
 * a lock of the whole process (an interpreter's lock, an allocator's): who is woken by it says
 * nothing.
 */
const COMMON_SHARE = 0.05;
const COMMON_WAKEES = 5;

export const NO_HINTS: ProcessHints = {
  count: 0,
  kind: new Uint8Array(0),
  time: new Float64Array(0),
  tid: new Uint32Array(0),
  other: new Uint32Array(0),
  age: new Float64Array(0),
};

/** The words that are locks of the whole process. */
function commonWords(table: HintTable, rows: Uint32Array): ReadonlySet<number> {
  const wakes = new Map<number, number>();
  const wakees = new Map<number, Set<number>>();
  let total = 0;
  for (const row of rows) {
    if (table.kind[row] !== EventKind.wake) continue;
    const word = table.wait_word[row]!;
    total++;
    wakes.set(word, (wakes.get(word) ?? 0) + 1);
    const known = wakees.get(word) ?? new Set();
    wakees.set(word, known);
    if (known.size < COMMON_WAKEES) known.add(table.other[row]!);
  }
  const isCommon = ([word, count]: [number, number]) =>
    count > COMMON_SHARE * total && wakees.get(word)!.size >= COMMON_WAKEES;
  return new Set([...wakes].filter(isCommon).map(([word]) => word));
}

/** The hints of one process, without the wakes that say nothing. @param rows its rows, any order */
export function hintsOf(table: HintTable, rows: Uint32Array): ProcessHints {
  const common = commonWords(table, rows);
  const kept = rows.filter(
    (row) => table.kind[row] !== EventKind.wake || !common.has(table.wait_word[row]!),
  );
  const order = orderByTime(Float64Array.from(kept, (row) => table.time[row]!));
  const ordered = order.map((i) => kept[i]!);
  return {
    count: ordered.length,
    kind: Uint8Array.from(ordered, (row) => table.kind[row]!),
    time: Float64Array.from(ordered, (row) => table.time[row]!),
    tid: ordered.map((row) => table.tid[row]!),
    other: ordered.map((row) => table.other[row]!),
    age: Float64Array.from(ordered, (row) => table.wait_word[row]!),
  };
}

/** Those of [from, to), ns, without copying. */
export function hintsBetween(hints: ProcessHints, from: number, to: number): ProcessHints {
  const { time } = hints;
  const [start, end] = [howMany(time, from), howMany(time, to)];
  return {
    count: end - start,
    kind: hints.kind.subarray(start, end),
    time: time.subarray(start, end),
    tid: hints.tid.subarray(start, end),
    other: hints.other.subarray(start, end),
    age: hints.age.subarray(start, end),
  };
}
