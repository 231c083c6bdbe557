import type { Batch } from '../model/batch.js';
import { EventKind } from '../model/event.js';
import { HINT_COLUMNS, type HintTable } from '../model/hint.js';
import { emptyTable } from '../model/tables.js';

const TWO_32 = 0x1_0000_0000;

/** Kinds that are hints and nothing else. */
const HINTS: ReadonlySet<number> = new Set([EventKind.wake, EventKind.loop, EventKind.post]);

/** Wakes, turns of event loops, posted messages, and the creation of threads (not of processes). */
function isHint(batch: Batch, row: number): boolean {
  const kind = batch.kind[row]!;
  if (HINTS.has(kind)) return true;
  return kind === EventKind.fork && batch.tid[row] !== batch.pid[row];
}

/** Reads 64-bit integers as doubles without making an object of each: exact below 2^53. */
function wordsOf(column: BigInt64Array | BigUint64Array): Uint32Array {
  return new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
}

/** The hints of a batch, with times after `baseNs`. The process is left open. */
export function takeHints(batch: Batch, baseNs: bigint): HintTable {
  let count = 0;
  for (let row = 0; row < batch.rows; row++) if (isHint(batch, row)) count++;
  const out = emptyTable(HINT_COLUMNS, count);
  if (count === 0) return out;
  const times = wordsOf(batch.time_ns);
  const words = wordsOf(batch.wait_word);
  const baseLow = Number(baseNs & 0xffffffffn);
  const baseHigh = Number(baseNs >> 32n);
  let at = 0;
  for (let row = 0; row < batch.rows; row++) {
    if (!isHint(batch, row)) continue;
    const isFork = batch.kind[row] === EventKind.fork;
    out.pid[at] = batch.pid[row]!;
    out.kind[at] = batch.kind[row]!;
    out.time[at] = (times[row * 2 + 1]! - baseHigh) * TWO_32 + (times[row * 2]! - baseLow);
    out.tid[at] = isFork ? batch.parent[row]! : batch.tid[row]!;
    out.other[at] = isFork ? batch.tid[row]! : batch.wakee[row]!;
    out.call[at] = batch.call[row]!;
    out.wait_call[at] = batch.wait_call[row]!;
    out.wait_word[at] = words[row * 2 + 1]! * TWO_32 + words[row * 2]!;
    at++;
  }
  return out;
}
