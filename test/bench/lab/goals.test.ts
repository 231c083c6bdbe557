import { describe, expect, it } from 'vitest';
import { GOALS, meets, resultsFor, totalOf } from '../../../bench/lab/goals.js';
import { resultOf, scoreOf } from './results.js';

const [threads, loop, handOff, open] = GOALS;
const some = scoreOf({ right: 1, wrong: 0, unknown: 0 });

describe('a goal', () => {
  it('covers the loads that it names, and no other workload', () => {
    const all = (['threads', 'loop', 'hand-off', 'open'] as const).flatMap((workload) =>
      (['1', '8', '32', '128', 'saturation'] as const).map((load) =>
        resultOf(workload, load, some),
      ),
    );
    const covered = (goal: typeof threads) =>
      resultsFor(goal!, all).map(({ scenario, load }) => `${scenario.workload} ${load}`);
    expect(covered(threads)).toEqual(['threads 1', 'threads 8', 'threads 32', 'threads 128']);
    expect(covered(loop)).toEqual(['loop 128']);
    expect(covered(handOff)).toHaveLength(8);
    expect(covered(open)).toEqual(['open 128', 'open saturation']);
  });

  it('is met by enough whole traces and few enough wrong links, both', () => {
    const reached = (whole: number, wrong: number) =>
      meets(threads!, {
        links: { right: 10_000 - wrong, wrong, unknown: 0 },
        traces: { whole, of: 1000 },
      });
    expect(reached(995, 5)).toBe(true);
    expect(reached(994, 5)).toBe(false);
    expect(reached(995, 6)).toBe(false);
  });

  it('is not met by no calls at all', () => {
    expect(meets(threads!, totalOf([]))).toBe(false);
  });
});

describe('totals', () => {
  it('add up links and traces of all recordings', () => {
    const one = scoreOf({ right: 3, wrong: 1, unknown: 0 }, { traces: { whole: 1, of: 2 } });
    const two = scoreOf({ right: 5, wrong: 0, unknown: 2 }, { traces: { whole: 3, of: 3 } });
    expect(totalOf([resultOf('loop', '8', one), resultOf('loop', '32', two)])).toEqual({
      links: { right: 8, wrong: 1, unknown: 2 },
      traces: { whole: 4, of: 5 },
    });
  });
});
