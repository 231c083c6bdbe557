import type { ExchangeTable } from '../../model/exchange.js';
import { traceIdOfRoot } from '../../model/ids.js';

/** A recorded trace id that comes back after this long is another trace that reuses it, ns. */
const REUSE_GAP_NS = 60e9;
/** An id that more trees than this carry is a constant, set by a load driver or a defect: it names no trace. */
const MOST_TREES_PER_ID = 1000;

/** The trees that parents form. */
export interface Forest {
  /** Per row: the row of its tree's root. */
  readonly root: Int32Array;
  /** Per row: trace id. */
  readonly traceId: string[];
}

/** Follows parents to the root, with path compression; a cycle is cut where it is met. */
function findRoots(parent: Int32Array): Int32Array {
  const root = new Int32Array(parent.length).fill(-1);
  const path: number[] = [];
  const onPath = new Uint8Array(parent.length);
  for (let row = 0; row < parent.length; row++) {
    let at = row;
    while (root[at] === -1) {
      path.push(at);
      onPath[at] = 1;
      const next = parent[at]!;
      if (next === -1 || onPath[next] === 1) {
        if (next !== -1) parent[at] = -1;
        root[at] = at;
        break;
      }
      at = next;
    }
    const found = root[at]!;
    for (const visited of path) {
      root[visited] = found;
      onPath[visited] = 0;
    }
    path.length = 0;
  }
  return root;
}

/** The first trace id in a trace_context column value: "kind:traceId:parentId ...". */
function recordedTraceId(context: string): string | undefined {
  const id = context.split(' ', 1)[0]?.split(':')[1];
  return id !== undefined && /^[0-9a-f]{16,32}$/.test(id) ? id.padStart(32, '0') : undefined;
}

function startOf(exchanges: ExchangeTable, row: number): number {
  const start = exchanges.request_start[row]!;
  return Number.isNaN(start) ? exchanges.response_start[row]! : start;
}

/**
 * Gives every tree a trace id: the one its exchanges carry in band (the earliest
 * carrier decides), else one made from its root. Trees that carry the same id are one
 * trace, unless they lie more than a minute apart: then the id is being reused.
 *
 * @param parent per row, -1 none; links that would close a cycle are removed from it
 * @param spanIds per row
 */
export function buildForest(
  exchanges: ExchangeTable,
  parent: Int32Array,
  spanIds: readonly string[],
): Forest {
  const root = findRoots(parent);
  const carriers = new Map<number, { row: number; id: string }>();
  for (let row = 0; row < exchanges.rows; row++) {
    const id = recordedTraceId(exchanges.trace_context[row]!);
    if (id === undefined) continue;
    const known = carriers.get(root[row]!);
    if (known === undefined || startOf(exchanges, row) < startOf(exchanges, known.row)) {
      carriers.set(root[row]!, { row, id });
    }
  }
  const trees = new Map<string, number>();
  for (const { id } of carriers.values()) trees.set(id, (trees.get(id) ?? 0) + 1);
  const lastSeen = new Map<string, number>();
  const idOfRoot = new Map<number, string>();
  const roots = [...new Set(root)].sort(
    (a, b) => startOf(exchanges, a) - startOf(exchanges, b) || a - b,
  );
  for (const row of roots) {
    const carried = carriers.get(row)?.id;
    const isConstant = carried !== undefined && trees.get(carried)! > MOST_TREES_PER_ID;
    const recorded = isConstant ? undefined : carried;
    const start = startOf(exchanges, row);
    const previous = recorded === undefined ? undefined : lastSeen.get(recorded);
    const reused = previous !== undefined && start - previous > REUSE_GAP_NS;
    const id = recorded === undefined || reused ? traceIdOfRoot(spanIds[row]!) : recorded;
    if (recorded !== undefined && !reused) lastSeen.set(recorded, start);
    idOfRoot.set(row, id);
  }
  return { root, traceId: Array.from(root, (row) => idOfRoot.get(row)!) };
}
