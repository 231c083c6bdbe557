import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceIdOfRoot } from '../../../src/model/ids.js';
import { buildForest } from '../../../src/reconstruct/assemble/traces.js';
import { client, type Exchange, exchangesOf } from './exchanges.js';

const SECOND = 1e9;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const OTHER = '0af7651916cd43dd8448eb211c80319c';
const w3c = (id: string) => `w3c:${id}:00f067aa0ba902b7`;

/** Exchanges in a chain or forest given by parents; row i starts at i seconds. */
function forestOf(
  parents: readonly number[],
  facts: Readonly<Record<number, Partial<Exchange>>> = {},
) {
  const exchanges = exchangesOf(
    parents.map((_, i) => client(i, { start: i * SECOND, ...facts[i] })),
  );
  const parent = Int32Array.from(parents);
  const forest = buildForest(
    exchanges,
    parent,
    parents.map((_, i) => `span-${i}`),
  );
  return { parent: [...parent], root: [...forest.root], traceId: forest.traceId };
}
const madeFrom = (row: number) => traceIdOfRoot(`span-${row}`);

describe('a tree', () => {
  it('is one trace, named after its root', () => {
    const { root, traceId } = forestOf([-1, 0, 1, 1, -1, 4]);
    expect(root).toEqual([0, 0, 0, 0, 4, 4]);
    expect(traceId).toEqual([0, 0, 0, 0, 4, 4].map(madeFrom));
  });

  it('may list children before their parents', () => {
    expect(forestOf([2, 0, -1]).root).toEqual([2, 2, 2]);
  });

  it('has the trace id that it carries, of the earliest carrier', () => {
    const { traceId } = forestOf([1, -1, 1], {
      0: { context: w3c(TRACE) },
      2: { context: w3c(OTHER) },
    });
    expect(traceId).toEqual([TRACE, TRACE, TRACE]);
  });

  it('has an id of 64 bits filled up, and none from what is no id', () => {
    const short = forestOf([-1], { 0: { context: 'b3:a3ce929d0e0e4736:00f067aa0ba902b7' } });
    expect(short.traceId).toEqual(['a3ce929d0e0e4736'.padStart(32, '0')]);
    for (const context of ['w3c', 'w3c:', 'w3c:xyz:1', `w3c:${TRACE}0:1`, 'b3:abc:1']) {
      expect(forestOf([-1], { 0: { context } }).traceId).toEqual([madeFrom(0)]);
    }
  });
});

describe('trees that carry the same trace id', () => {
  it('are one trace', () => {
    const context = w3c(TRACE);
    const { traceId, root } = forestOf([-1, -1, -1], { 0: { context }, 2: { context } });
    expect(traceId).toEqual([TRACE, madeFrom(1), TRACE]);
    expect(root).toEqual([0, 1, 2]);
  });

  it('are one trace as long as no minute passes between two of them', () => {
    const context = w3c(TRACE);
    const at = (second: number) => ({ context, start: second * SECOND });
    expect(forestOf([-1, -1, -1], { 0: at(0), 1: at(100), 2: at(50) }).traceId).toEqual([
      TRACE,
      TRACE,
      TRACE,
    ]);
    const reused = forestOf([-1, -1], { 0: at(0), 1: at(61) });
    expect(reused.traceId).toEqual([TRACE, madeFrom(1)]);
  });

  it('are not one trace where a thousand others carry the same id: it is a constant', () => {
    const carriers = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, row) => [row, { context: w3c(TRACE) }]));
    const forest = (count: number) =>
      new Set(forestOf(new Array<number>(count).fill(-1), carriers(count)).traceId).size;
    expect(forest(1000)).toBe(1);
    expect(forest(1001)).toBe(1001);
  });

  it('are told apart by their own start where the request was not recorded', () => {
    const context = w3c(TRACE);
    const late = { context, start: Number.NaN, responseStart: 200 * SECOND };
    expect(forestOf([-1, -1], { 0: { context }, 1: late }).traceId).toEqual([TRACE, madeFrom(1)]);
  });
});

describe('a cycle of parents', () => {
  it.each([
    ['of one', [0]],
    ['of two', [1, 0]],
    ['of three with a tail', [1, 2, 0, 2, 3]],
    ['beside a tree', [-1, 0, 3, 2, 3]],
  ])('%s is cut, and all of it is one trace', (_what, parents) => {
    const { parent, root, traceId } = forestOf(parents);
    for (const [row, top] of root.entries()) {
      expect(parent[top]).toBe(-1);
      expect(traceId[row]).toBe(madeFrom(top));
    }
    // One link fewer for each cycle, and no other changed.
    const changed = parents.filter((above, row) => above !== parent[row]);
    expect(changed).toHaveLength(1);
  });

  it('never remains: from every row of any graph the parents lead to its root', () => {
    const graph = fc
      .array(fc.nat(), { minLength: 1, maxLength: 40 })
      .map((list) => list.map((value) => (value % (list.length + 1)) - 1));
    fc.assert(
      fc.property(graph, (parents) => {
        const { parent, root } = forestOf(parents);
        for (let row = 0; row < parents.length; row++) {
          let at = row;
          for (let step = 0; parent[at] !== -1 && step <= parents.length; step++) at = parent[at]!;
          expect(at).toBe(root[row]);
          expect([-1, parents[row]]).toContain(parent[row]);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('and depth cost no more than their length', () => {
    const count = 300_000;
    const started = performance.now();
    const down = forestOf(Array.from({ length: count }, (_, i) => i - 1));
    const up = forestOf(Array.from({ length: count }, (_, i) => (i + 1) % count));
    expect(new Set([...down.root, ...up.root]).size).toBeLessThanOrEqual(2);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
