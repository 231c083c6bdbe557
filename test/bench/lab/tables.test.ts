import { describe, expect, it } from 'vitest';
import {
  backgroundLine,
  baselineTable,
  calibrationText,
  goalTable,
  scenarioTable,
  unbeaten,
} from '../../../bench/lab/tables.js';
import { resultOf, scoreOf } from './results.js';

const links = (right: number, wrong: number, unknown: number) => ({ right, wrong, unknown });

describe('the table of goals', () => {
  it('says what was reached together, how many recordings reach it alone, and the worst', () => {
    const good = scoreOf(links(5000, 0, 0), { traces: { whole: 2000, of: 2000 } });
    const bad = scoreOf(links(90, 10, 0), { traces: { whole: 3, of: 10 } });
    const row = (results: Parameters<typeof goalTable>[0]) => goalTable(results).split('\n')[2]!;
    expect(row([resultOf('threads', '8', good)])).toContain('| met | 1 of 1 |');
    const both = row([resultOf('threads', '8', good), resultOf('threads', '128', bad)]);
    expect(both).toContain('| **missed** | 1 of 2 | a threads at 128: 30.0 % |');
    expect(row([])).toContain('| - | 0 of 0 | - |');
  });
});

describe('baselines', () => {
  const rival = (right: number, wrong: number) => [
    { name: 'a rule', score: scoreOf(links(right, wrong, 0)) },
  ];

  it('that find as many right links are named, unless everything is right', () => {
    const own = scoreOf(links(90, 0, 10));
    expect(unbeaten([resultOf('loop', '8', own, rival(89, 11))])).toEqual([]);
    expect(unbeaten([resultOf('loop', '8', own, rival(90, 10))])).toEqual([
      'a loop at 8: a rule finds 90.00 % right and 10.00 % wrong, aftertrace 90.00 % and 0.00 %',
    ]);
    const all = scoreOf(links(100, 0, 0));
    expect(unbeaten([resultOf('loop', '8', all, rival(100, 0))])).toEqual([]);
  });

  it('are not compared with a single user', () => {
    expect(unbeaten([resultOf('loop', '1', scoreOf(links(1, 9, 0)), rival(10, 0))])).toEqual([]);
  });

  it('are added up by load', () => {
    const own = scoreOf(links(100, 0, 0));
    const lines = baselineTable([
      resultOf('loop', '8', own, rival(60, 40)),
      resultOf('threads', '8', own, rival(80, 20)),
      resultOf('loop', '128', own, rival(10, 90)),
    ]).split('\n');
    expect(lines[0]).toBe('| right / wrong at | 8 | 128 |');
    expect(lines[2]).toBe('| aftertrace | 100.0 % / 0.00 % | 100.0 % / 0.00 % |');
    expect(lines[3]).toBe('| a rule | 70.0 % / 30.00 % | 10.0 % / 90.00 % |');
  });

  it('the best of which stands beside each recording', () => {
    const baselines = [
      ...rival(20, 80),
      { name: 'a better one', score: scoreOf(links(50, 0, 50)) },
    ];
    const table = scenarioTable([resultOf('open', '32', scoreOf(links(97, 1, 2)), baselines)]);
    expect(table.split('\n')[2]).toBe(
      '| a open | 32 | 100 | 97.00 % | 1.00 % | 2.00 % | - | 0.00 % | a better one: 50.0 % |',
    );
  });
});

describe('calibration', () => {
  it('weighs the bins of all recordings by their links', () => {
    const bin = (linksIn: number, claimed: number, right: number) => ({
      calibration: [{ from: 0.9, links: linksIn, claimed, right }],
      certain: { links: 10, wrong: 0 },
    });
    const text = calibrationText([
      resultOf('loop', '8', scoreOf(links(1, 0, 0), bin(100, 0.95, 0.9))),
      resultOf('loop', '32', scoreOf(links(1, 0, 0), bin(300, 0.91, 0.94))),
    ]);
    // Claimed (95 + 273) / 400, right (90 + 282) / 400.
    expect(text).toContain('| 0.9 | 400 | 92.00 % | 93.00 % |');
    expect(text).toContain('Expected calibration error: 0.0100 (goal <= 0.02: met)');
    expect(text).toContain('Links called certain: 20, right 100.000 % (goal >= 99.95 %: met)');
  });
});

it('background calls are counted over all recordings', () => {
  const own = scoreOf(links(1, 0, 0), { background: { calls: 100, attached: 2 } });
  expect(backgroundLine([resultOf('loop', '8', own)])).toBe(
    'Calls of timers while requests were open: 100; left as roots: 98.00 % (goal >= 99 %: **missed**).',
  );
});
