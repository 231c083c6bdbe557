import type { Batch } from '../../model/batch.js';
import { EventFlag } from '../../model/event.js';

/**
 * One direction of a connection: its records in stream order, each byte once. Offsets
 * count from the first recorded byte and do not wrap.
 */
export interface Stream {
  /** Row of each record in the event table. */
  readonly rows: Uint32Array;
  /** Bytes of the record that an earlier one had already brought (overlap). */
  readonly overlaps: Uint32Array;
  /** Bytes missing in the recording before each record. */
  readonly gaps: Float64Array;
}

/** Distance from sequence number `from` to `to`, right across the wrap at 2^32. */
function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** True where `rows` are already in stream order, as they nearly always are. */
function isOrdered(offsets: Float64Array): boolean {
  for (let i = 1; i < offsets.length; i++) if (offsets[i]! < offsets[i - 1]!) return false;
  return true;
}

/**
 * Orders the records of one direction by sequence number, drops what came twice, and
 * finds what is missing.
 *
 * @param rows rows of one direction in capture order
 */
export function buildStream(events: Batch, rows: readonly number[]): Stream {
  const data = rows.filter(
    (row) => events.bytes[row]! > 0 && (events.flags[row]! & EventFlag.peek) === 0,
  );
  const offsets = new Float64Array(data.length);
  for (let i = 1; i < data.length; i++) {
    const step = distance(events.sequence[data[i - 1]!]!, events.sequence[data[i]!]!);
    offsets[i] = offsets[i - 1]! + step;
  }
  const order = Uint32Array.from(data.keys());
  if (!isOrdered(offsets)) order.sort((a, b) => offsets[a]! - offsets[b]! || a - b);
  return trimOverlaps(events, data, offsets, order);
}

function trimOverlaps(
  events: Batch,
  data: readonly number[],
  offsets: Float64Array,
  order: Uint32Array,
): Stream {
  const rows: number[] = [];
  const overlaps: number[] = [];
  const gaps: number[] = [];
  let covered = order.length > 0 ? offsets[order[0]!]! : 0;
  for (const i of order) {
    const start = offsets[i]!;
    const end = start + events.bytes[data[i]!]!;
    if (end <= covered) continue;
    rows.push(data[i]!);
    overlaps.push(Math.max(0, covered - start));
    gaps.push(Math.max(0, start - covered));
    covered = end;
  }
  return {
    rows: Uint32Array.from(rows),
    overlaps: Uint32Array.from(overlaps),
    gaps: Float64Array.from(gaps),
  };
}
