import { criticalSegments } from '../../model/critical-path.js';

/** Own time of every row on the critical path of its tree, ns. */
export function criticalTimes(
  parent: Int32Array,
  root: Int32Array,
  start: Float64Array,
  end: Float64Array,
): Float64Array {
  const trees = new Map<number, number[]>();
  for (let row = 0; row < root.length; row++) {
    const tree = trees.get(root[row]!);
    if (tree === undefined) trees.set(root[row]!, [row]);
    else tree.push(row);
  }
  const times = new Float64Array(root.length);
  for (const [top, rows] of trees) {
    for (const segment of criticalSegments(parent, start, end, Uint32Array.from(rows), top)) {
      times[segment.row]! += segment.to - segment.from;
    }
  }
  return times;
}
