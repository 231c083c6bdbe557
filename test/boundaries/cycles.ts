/**
 * One cycle per group of nodes that reach each other: depth-first search that cuts each
 * edge leading back to a node of the path at hand. No cycle is found only if there is none.
 */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const before = path.indexOf(node);
    if (before !== -1) {
      cycles.push(path.slice(before));
      return;
    }
    if (done.has(node)) return;
    path.push(node);
    for (const next of edges.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of edges.keys()) visit(node);
  return cycles;
}
