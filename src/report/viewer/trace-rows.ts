import type { TraceChunk, TraceEntry } from '../contract.js';

export interface TraceRow {
  /** Row in the chunk. */
  readonly row: number;
  readonly depth: number;
}

/** The spans of a trace as a tree in reading order: children by start, below their parent. */
export function orderRows(chunk: TraceChunk, trace: TraceEntry): TraceRow[] {
  const children = new Map<number, number[]>();
  const last = trace.firstRow + trace.spans;
  for (let row = trace.firstRow; row < last; row++) {
    const parent = chunk.parent[row]!;
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [row]);
    else known.push(row);
  }
  for (const list of children.values()) {
    list.sort((a, b) => chunk.startMs[b]! - chunk.startMs[a]! || b - a);
  }
  const rows: TraceRow[] = [];
  const stack = (children.get(-1) ?? []).map((row) => ({ row, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    rows.push(next);
    for (const row of children.get(next.row) ?? []) stack.push({ row, depth: next.depth + 1 });
  }
  return rows;
}

/** First start and last end of a trace, ms. */
export function extentOf(chunk: TraceChunk, rows: readonly TraceRow[]): [number, number] {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { row } of rows) {
    from = Math.min(from, chunk.startMs[row]!);
    to = Math.max(to, chunk.endMs[row]!);
  }
  return [from, Math.max(to, from + 1e-6)];
}
