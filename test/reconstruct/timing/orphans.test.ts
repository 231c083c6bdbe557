import { expect, it } from 'vitest';
import { Orphans } from '../../../src/reconstruct/timing/orphans.js';
import { NONE, type TimingProblem } from '../../../src/reconstruct/timing/problem.js';

const CALLS = 200;
/** One call a µs; of each it was supposed that one in a hundred belongs to no span. */
const supposed = Math.log(0.01 * (CALLS / (CALLS - 1)));

function problemWith(none: Float64Array): TimingProblem {
  return {
    callType: new Uint32Array(CALLS),
    callStart: Float64Array.from({ length: CALLS }, (_, call) => call),
    none,
  } as unknown as TimingProblem;
}

/** A state in which every `every`-th call belongs to no span. */
const stateWith = (every: number) =>
  Int32Array.from({ length: CALLS }, (_, call) => (call % every === 0 ? NONE : call));

it('holds more calls for nobody’s the more are found to be, and fewer the fewer', () => {
  const none = new Float64Array(CALLS).fill(supposed);
  const orphans = new Orphans(problemWith(none));
  const many = none.slice();
  orphans.learn([stateWith(4)], many);
  const few = none.slice();
  orphans.learn([new Int32Array(CALLS)], few);
  expect(many[0]).toBeGreaterThan(supposed + 2);
  expect(few[0]).toBeLessThan(supposed - 2);
});

it('counts over all states', () => {
  const none = new Float64Array(CALLS).fill(supposed);
  const orphans = new Orphans(problemWith(none));
  const one = none.slice();
  orphans.learn([stateWith(4)], one);
  const two = none.slice();
  orphans.learn([stateWith(2), new Int32Array(CALLS)], two);
  expect(two[0]).toBeCloseTo(one[0]!, 9);
});

it('leaves calls alone that are known to have a span', () => {
  const none = new Float64Array(CALLS).fill(supposed);
  none[7] = Number.NEGATIVE_INFINITY;
  const out = none.slice();
  new Orphans(problemWith(none)).learn([stateWith(2)], out);
  expect(out[7]).toBe(Number.NEGATIVE_INFINITY);
});
