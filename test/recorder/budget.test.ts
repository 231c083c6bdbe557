import { describe, expect, test } from 'vitest';
import { SAMPLE_ALL } from '../../src/model/sample.js';
import { Budget, budgetSteps } from '../../src/recorder/budget.js';
import type { Cost } from '../../src/recorder/cost.js';

const SNAPLEN = 1024;

function cost(changes: Partial<Cost>): Cost {
  const nothing = { cpuShare: 0, eventsPerSecond: 0, bytesPerSecond: 0, leftOutPerSecond: 0 };
  return { seconds: 1, ...nothing, ...changes };
}

/** Seconds of a host whose traffic makes `rate` events a second where everything is recorded. */
function live(budget: Budget, rate: number, seconds: number): string[] {
  const steps: string[] = [];
  for (let second = 0; second < seconds; second++) {
    const share = budget.step.sampleLimit / SAMPLE_ALL;
    const events = { eventsPerSecond: rate * share, leftOutPerSecond: rate * (1 - share) };
    if (budget.weigh(cost(events))) steps.push(budget.step.name);
  }
  return steps;
}

describe('the steps of the budget', () => {
  test('each takes away what the one before did, and more: hints, heads, connections', () => {
    const steps = budgetSteps(SNAPLEN);
    expect(steps.slice(0, 5).map(({ name }) => name)).toEqual([
      'full',
      'no-hints',
      'short-heads',
      'sample-1/2',
      'sample-1/4',
    ]);
    for (const [i, step] of steps.entries()) {
      const before = steps[i - 1] ?? step;
      expect(step.headLimit).toBeLessThanOrEqual(before.headLimit);
      expect(step.sampleLimit).toBeLessThanOrEqual(before.sampleLimit);
      expect(Number(step.hintsPaused)).toBeGreaterThanOrEqual(Number(before.hintsPaused));
    }
  });

  test('a snap length below that of short heads is not raised by the step', () => {
    expect(budgetSteps(64)[2]?.headLimit).toBe(64);
  });
});

describe('a budget', () => {
  test('without limits never steps', () => {
    const budget = new Budget({}, SNAPLEN);
    expect(live(budget, 1e6, 60)).toEqual([]);
  });

  test('a little over the limit steps down one by one until it holds', () => {
    const budget = new Budget({ maxEventsPerSecond: 1000 }, SNAPLEN);
    expect(live(budget, 1500, 30)).toEqual(['no-hints', 'short-heads', 'sample-1/2']);
    expect(budget.detail.reason).toMatch(/^1\d{3} events\/s, limit 1000$/);
  });

  test('far over the limit takes several steps at once, and stays there while the flood lasts', () => {
    const budget = new Budget({ maxEventsPerSecond: 1000 }, SNAPLEN);
    const steps = live(budget, 60_000, 200);
    expect(steps[0]).toBe('sample-1/64');
    expect(budget.step.sampleLimit / SAMPLE_ALL).toBeLessThan(1000 / 60_000);
    // What is left out is known, so no step up is tried in vain.
    expect(steps.length).toBeLessThan(3);
  });

  test('steps up again when the flood is over, not before there has been room for a while', () => {
    const budget = new Budget({ maxEventsPerSecond: 1000 }, SNAPLEN);
    live(budget, 60_000, 30);
    expect(live(budget, 100, 8)).toEqual([]);
    live(budget, 100, 40);
    expect(budget.step.name).toBe('full');
  });

  test('the limit that is closest to its end decides, and is named', () => {
    const limits = { maxCpu: 0.02, maxEventsPerSecond: 1e6, maxBytesPerSecond: 1 << 20 };
    const budget = new Budget(limits, SNAPLEN);
    budget.weigh(cost({ cpuShare: 0.03, eventsPerSecond: 10, bytesPerSecond: 1000 }));
    expect(budget.detail).toMatchObject({ level: 1, hints: false });
    expect(budget.detail.reason).toBe('CPU 3.00 % of one processor, limit 2.00 %');
  });

  test('a step up that had to be taken back is tried more rarely', () => {
    const budget = new Budget({ maxCpu: 0.02 }, SNAPLEN);
    const moves: number[] = [];
    for (let second = 0; second < 200; second++) {
      // Whole heads cost twice as much here: more than the budget assumes.
      const cpuShare = budget.level >= 2 ? 0.01 : 0.03;
      if (budget.weigh(cost({ cpuShare }))) moves.push(second);
    }
    const ups = moves.length;
    expect(ups).toBeGreaterThan(4);
    const firstGap = moves[2]! - moves[1]!;
    const lastGap = Math.max(...moves.slice(-3).map((at, i, all) => at - (all[i - 1] ?? at)));
    expect(lastGap).toBeGreaterThan(1.5 * firstGap);
  });
});
