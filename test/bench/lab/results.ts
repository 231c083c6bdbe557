import type { LinkScore, Score } from '../../../bench/accuracy/score.js';
import type { Result } from '../../../bench/lab/run.js';
import type { Load, Scenario, Workload } from '../../../bench/lab/scenario.js';

export function scoreOf(total: LinkScore, more: Partial<Score> = {}): Score {
  return {
    expectedExchanges: 10,
    foundExchanges: 10,
    expectedHops: 5,
    joinedHops: 5,
    wrongHops: 0,
    services: new Map(),
    total,
    background: { calls: 0, attached: 0 },
    traces: { whole: 0, of: 0 },
    certain: { links: 0, wrong: 0 },
    calibration: [],
    calibrationError: 0,
    ...more,
  };
}

export function resultOf(
  workload: Workload,
  load: Load,
  own: Score,
  baselines: readonly { readonly name: string; readonly score: Score }[] = [],
): Result {
  const scenario: Scenario = {
    name: `a ${workload}`,
    what: 'made up',
    workload,
    services: [],
    entry: 'front',
    mix: { '/': 1 },
    seed: 1,
  };
  return { scenario, load, judgement: { own, baselines, lost: 0, cpuSeconds: 1 } };
}
