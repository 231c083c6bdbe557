import { expect, it } from 'vitest';
import type { Example } from '../../../src/reconstruct/timing/bundles.js';
import { CallCounts } from '../../../src/reconstruct/timing/call-counts.js';
import type { TimingProblem } from '../../../src/reconstruct/timing/problem.js';

/** Calls 0..3 are of type 0, calls 4..7 of type 1. */
const problem = { callType: Uint32Array.of(0, 0, 0, 0, 1, 1, 1, 1) } as unknown as TimingProblem;

/** Half of the spans call type 0 once and half twice; each has no call of type 1 or one. */
const examples: Example[] = [[0], [0, 4], [0, 1], [0, 1, 4]].map((bundle, span) => ({
  span,
  bundle,
  weight: 25,
}));
const counts = new CallCounts(problem, examples, 2, 100, 1);

it('takes the counts of types for independent', () => {
  for (const bundle of [[0], [0, 4], [0, 1], [0, 1, 4]]) {
    expect(Math.exp(counts.log(bundle))).toBeCloseTo(0.25, 2);
  }
});

it('holds counts that were never seen for possible, and the less the more calls they are', () => {
  const three = counts.log([0, 1, 2]);
  const four = counts.log([0, 1, 2, 3]);
  expect(three).toBeLessThan(Math.log(0.05));
  expect(four).toBeLessThan(three);
  expect(four).toBeGreaterThan(-30);
});

it('weighs several states of a span as one span', () => {
  const copies = examples.map((own) => ({ ...own, weight: 4 * own.weight }));
  const same = new CallCounts(problem, copies, 2, 100, 4);
  expect(same.log([0, 1])).toBeCloseTo(counts.log([0, 1]), 9);
});
