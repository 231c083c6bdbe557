/** A stretch of time in which one span kept its trace from ending sooner. */
export interface CriticalSegment {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/** Children of every row of a trace, latest end first. */
function childrenByEnd(
  parent: Int32Array,
  end: Float64Array,
  rows: Uint32Array,
): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const row of rows) {
    const above = parent[row]!;
    if (above === -1) continue;
    const list = children.get(above);
    if (list === undefined) children.set(above, [row]);
    else list.push(row);
  }
  for (const list of children.values()) list.sort((a, b) => end[b]! - end[a]! || a - b);
  return children;
}

/**
 * The critical path of one trace: walking back from the root's end, time belongs to the
 * child that finished last before that moment, and where none was running, to the span
 * itself. Children are clamped to their parent; what lies outside it cannot delay it.
 * (The definition of CRISP, USENIX ATC 2022, and of Jaeger's critical path.)
 *
 * @param parent per row: row of the parent, -1 none
 * @param start per row, any unit
 * @param end per row
 * @param rows the trace's rows, any order
 * @returns segments from the root's start to its end, in time order, without overlap
 */
export function criticalSegments(
  parent: Int32Array,
  start: Float64Array,
  end: Float64Array,
  rows: Uint32Array,
  root: number,
): CriticalSegment[] {
  const children = childrenByEnd(parent, end, rows);
  const segments: CriticalSegment[] = [];
  // A stack rather than recursion: hostile or merged traces may be very deep.
  const until = end[root]!;
  const stack = [{ row: root, from: start[root]!, until, at: until, next: 0 }];
  while (stack.length > 0) {
    const frame = stack[stack.length - 1]!;
    const child = children.get(frame.row)?.[frame.next];
    if (child === undefined) {
      if (frame.at > frame.from) segments.push({ row: frame.row, from: frame.from, to: frame.at });
      stack.pop();
      continue;
    }
    frame.next++;
    const from = Math.max(frame.from, start[child]!);
    const to = Math.min(frame.at, end[child]!);
    // A child that ended after the moment at hand ran beside one that mattered more.
    if (end[child]! > frame.at && frame.at < frame.until) continue;
    if (to <= from) continue;
    if (frame.at > to) segments.push({ row: frame.row, from: to, to: frame.at });
    frame.at = from;
    stack.push({ row: child, from, until: to, at: to, next: 0 });
  }
  return segments.reverse();
}
