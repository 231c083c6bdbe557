import { describe, expect, it } from 'vitest';
import { solveTiming } from '../../../src/reconstruct/timing/solve.js';
import { around, type Behaviour, outcome, play, pose } from './programs.js';

function solve(load: Parameters<typeof play>[0], behaviours: readonly Behaviour[], least = 0.5) {
  const program = play(load, behaviours);
  const problem = pose(program);
  return outcome(program, problem, solveTiming(problem), least);
}

/** Two calls one after the other. */
const sequence: Behaviour = (call, start, random) => {
  const first = call(0, start + around(200, random), around(3000, random));
  const second = call(1, first + around(150, random), around(2000, random));
  return second + around(100, random);
};

/** Two calls at once, then a third when both have replied. */
const join: Behaviour = (call, start, random) => {
  const at = start + around(300, random);
  const left = call(0, at, around(4000, random));
  const right = call(1, at + around(20, random), around(4000, random));
  const third = call(2, Math.max(left, right) + around(80, random), around(1500, random));
  return third + around(100, random);
};

describe('solveTiming', () => {
  it('settles calls in sequence at a concurrency of several', () => {
    const { right, wrong } = solve({ spans: 1000, every: 1500, seed: 1 }, [sequence]);
    expect(right).toBeGreaterThan(0.98);
    expect(wrong).toBeLessThan(0.02);
  });

  it('learns joins without being told the call graph', () => {
    const { right, wrong } = solve({ spans: 1000, every: 2000, seed: 2 }, [join]);
    expect(right).toBeGreaterThan(0.97);
    expect(wrong).toBeLessThan(0.02);
  });

  it('tells routes apart by their habits', () => {
    const { right } = solve({ spans: 1500, every: 1500, seed: 3 }, [sequence, join]);
    expect(right).toBeGreaterThan(0.97);
  });

  it('copes with calls that are repeated, and with calls that a cache skips', () => {
    const repeating: Behaviour = (call, start, random) => {
      let at = start + around(200, random);
      for (let i = 0; i < 3; i++) at = call(0, at, around(1000, random)) + around(50, random);
      return at;
    };
    const caching: Behaviour = (call, start, random) => {
      const at = start + around(200, random);
      return (random() < 0.6 ? at : call(1, at, around(3000, random))) + around(100, random);
    };
    const { right, wrong } = solve({ spans: 1500, every: 1500, seed: 4 }, [repeating, caching]);
    expect(right).toBeGreaterThan(0.95);
    expect(wrong).toBeLessThan(0.04);
  });

  it('is mostly right where it claims to be sure, and unsure where it cannot know', () => {
    const erratic: Behaviour = (call, start, random) => {
      const reply = call(0, start + random() * 20_000, around(1000, random));
      return reply + random() * 20_000;
    };
    const { wrong, unknown } = solve({ spans: 600, every: 1000, seed: 5 }, [erratic], 0.9);
    expect(wrong).toBeLessThan(0.05);
    expect(unknown).toBeGreaterThan(0.5);
  });

  it('finds habits where twelve spans are open at once and none is beyond doubt', () => {
    const { right } = solve({ spans: 1000, every: 450, seed: 9 }, [sequence]);
    expect(right).toBeGreaterThan(0.8);
  });

  it('learns that a queue keeps order, and lets that decide between gaps alike', () => {
    let free = 0;
    const queued: Behaviour = (call, start, random) => {
      // One worker takes the spans in turn: gaps vary with the queue, the order never does.
      free = Math.max(free, start) + 1500 * -Math.log(1 - random());
      return call(0, free, around(4000, random)) + 2000 * random();
    };
    const { right } = solve({ spans: 1000, every: 1900, seed: 10 }, [queued]);
    expect(right).toBeGreaterThan(0.9);
  });

  it('gives the same answer every time', () => {
    const problem = pose(play({ spans: 200, every: 1500, seed: 6 }, [join]));
    expect(solveTiming(problem)).toEqual(solveTiming(problem));
  });

  it('follows what other evidence says of calls that timing cannot tell apart', () => {
    const twins: Behaviour = (call, start) => call(0, start, 10_000);
    const program = play({ spans: 100, every: 10, seed: 7 }, [twins]);
    const problem = pose(program);
    for (const [call, { span }] of program.calls.entries()) {
      for (let at = problem.offsets[call]!; at < problem.offsets[call + 1]!; at++) {
        problem.prior[at] = problem.list[at] === span ? 0 : -12;
      }
    }
    expect(outcome(program, problem, solveTiming(problem), 0.9).right).toBe(1);
  });
});

describe('odd input', () => {
  it('without spans, calls or candidates is answered with nothing', () => {
    expect(solveTiming(pose({ spans: [], calls: [] }))).toHaveLength(0);
    const alone = { spans: [{ start: 0, end: 10, route: 0 }], calls: [] };
    expect(solveTiming(pose(alone))).toHaveLength(0);
    const orphan = { spans: [], calls: [{ span: -1, start: 1, end: 2, type: 0 }] };
    expect(solveTiming(pose(orphan))).toHaveLength(0);
  });

  it('with times that are all the same, or were never seen, gives probabilities', () => {
    const span = { start: 0, end: Number.POSITIVE_INFINITY, route: 0 };
    const call = { span: 0, start: 0, end: 0, type: 0 };
    const program = {
      spans: Array.from({ length: 40 }, () => span),
      calls: [
        ...Array.from({ length: 40 }, (_, type) => ({ ...call, type })),
        { ...call, end: Number.POSITIVE_INFINITY },
      ],
    };
    const chance = solveTiming(pose(program));
    expect(chance).toHaveLength(41 * 40);
    expect(chance.every((p) => p >= 0 && p <= 1)).toBe(true);
  });

  it('with hundreds of calls in spans of a kind seen only six times is seldom guessed at', () => {
    const batch: Behaviour = (call, start, random) => {
      let at = start;
      for (let i = 0; i < 400; i++) at = call(i % 7, at + 10, around(100, random));
      return at;
    };
    const { wrong } = solve({ spans: 6, every: 100_000, seed: 8 }, [batch], 0.9);
    expect(wrong).toBeLessThan(0.1);
  });
});
