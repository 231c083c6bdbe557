import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CriticalSegment, criticalSegments } from '../../src/model/critical-path.js';

/** A span as [parent, start, end]; row 0 is the root. */
type Span = readonly [parent: number, start: number, end: number];

function segmentsOf(spans: readonly Span[]): CriticalSegment[] {
  return criticalSegments(
    Int32Array.from(spans, ([parent]) => parent),
    Float64Array.from(spans, ([, start]) => start),
    Float64Array.from(spans, ([, , end]) => end),
    Uint32Array.from(spans.keys()),
    0,
  );
}

/** `row:from-to` of every segment. */
function path(spans: readonly Span[]): string[] {
  return segmentsOf(spans).map(({ row, from, to }) => `${row}:${from}-${to}`);
}

describe('criticalSegments', () => {
  it('gives all time to a span without children', () => {
    expect(path([[-1, 0, 10]])).toEqual(['0:0-10']);
  });

  it('gives the time of children one after another to them, and the gaps to the parent', () => {
    const spans: Span[] = [
      [-1, 0, 100],
      [0, 10, 30],
      [0, 40, 90],
    ];
    expect(path(spans)).toEqual(['0:0-10', '1:10-30', '0:30-40', '2:40-90', '0:90-100']);
  });

  it('of parallel children takes the one that ended last', () => {
    const spans: Span[] = [
      [-1, 0, 100],
      [0, 10, 90],
      [0, 10, 50],
      [0, 20, 89],
    ];
    expect(path(spans)).toEqual(['0:0-10', '1:10-90', '0:90-100']);
  });

  it('goes on before the child that ended last with the one that had ended by then', () => {
    const spans: Span[] = [
      [-1, 0, 100],
      [0, 60, 95],
      [0, 5, 55],
      // Still ran when 1 began, so that 1 did not wait for it.
      [0, 30, 70],
    ];
    expect(path(spans)).toEqual(['0:0-5', '2:5-55', '0:55-60', '1:60-95', '0:95-100']);
  });

  it('follows children of children', () => {
    const spans: Span[] = [
      [-1, 0, 10],
      [0, 1, 9],
      [1, 2, 8],
      [2, 3, 7],
    ];
    expect(path(spans)).toEqual(['0:0-1', '1:1-2', '2:2-3', '3:3-7', '2:7-8', '1:8-9', '0:9-10']);
  });

  it('clamps a child that outlives its parent', () => {
    const spans: Span[] = [
      [-1, 0, 10],
      [0, 4, 50],
    ];
    expect(path(spans)).toEqual(['0:0-4', '1:4-10']);
  });

  it('clamps what is below such a child as well, as when the clock of a host is ahead', () => {
    const spans: Span[] = [
      [-1, 0, 10],
      [0, 2, 15],
      [1, 3, 12],
      [2, 4, 11],
    ];
    expect(path(spans)).toEqual(['0:0-2', '1:2-3', '2:3-4', '3:4-10']);
  });

  it('clamps a child that began before its parent', () => {
    const spans: Span[] = [
      [-1, 10, 20],
      [0, 5, 15],
    ];
    expect(path(spans)).toEqual(['1:10-15', '0:15-20']);
  });

  it('leaves out a child that lies outside its parent, or takes no time', () => {
    const spans: Span[] = [
      [-1, 10, 20],
      [0, 0, 9],
      [0, 21, 30],
      [0, 15, 15],
    ];
    expect(path(spans)).toEqual(['0:10-20']);
  });

  it('is empty for a root without duration', () => {
    expect(path([[-1, 5, 5]])).toEqual([]);
  });

  it('leaves out rows of other traces', () => {
    const rows = Uint32Array.of(1, 2);
    const parent = Int32Array.of(1, -1, 1);
    const start = Float64Array.of(0, 0, 2);
    const end = Float64Array.of(9, 10, 4);
    const segments = criticalSegments(parent, start, end, rows, 1);
    expect(segments.map(({ row }) => row)).toEqual([1, 2, 1]);
  });

  it('follows a trace of a hundred thousand nested spans', () => {
    const depth = 100_000;
    const spans = Array.from({ length: depth }, (_, i): Span => [i - 1, i, 2 * depth - i]);
    const segments = segmentsOf(spans);
    expect(segments).toHaveLength(2 * depth - 1);
    expect(segments[depth - 1]).toEqual({ row: depth - 1, from: depth - 1, to: depth + 1 });
  });
});

const anyTrace = fc
  .array(fc.tuple(fc.nat(), fc.integer({ min: -20, max: 60 }), fc.nat({ max: 50 })), {
    minLength: 1,
    maxLength: 30,
  })
  .map((spans) =>
    spans.map(
      ([parent, start, length], i): Span => [i === 0 ? -1 : parent % i, start, start + length],
    ),
  );

describe('the segments of any trace', () => {
  it('follow each other from the start to the end of the root, each within all spans above it', () => {
    fc.assert(
      fc.property(anyTrace, (spans) => {
        let at = spans[0]![1];
        for (const { row, from, to } of segmentsOf(spans)) {
          expect(from).toBe(at);
          expect(to).toBeGreaterThan(from);
          at = to;
          for (let above = row; above !== -1; above = spans[above]![0]) {
            const [, start, end] = spans[above]!;
            expect(from).toBeGreaterThanOrEqual(start);
            expect(to).toBeLessThanOrEqual(end);
          }
        }
        expect(at).toBe(spans[0]![2]);
      }),
      { numRuns: 2000 },
    );
  });

  it('never blame a span for the last stretch of its time if a child was still running', () => {
    fc.assert(
      fc.property(anyTrace, (spans) => {
        const last = segmentsOf(spans).at(-1);
        if (last === undefined) return;
        const running = spans.filter(
          ([parent, start, end]) => parent === last.row && start < last.to && end >= last.to,
        );
        expect(running.filter(([, start, end]) => end > start)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});
