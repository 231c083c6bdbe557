import { expect, test } from 'vitest';
import { parseOptions } from '../../../bench/lab/options.js';
import { SETS } from '../../../bench/lab/sets.js';

test('everything of the set runs by default', () => {
  const options = parseOptions([], 'tune');
  expect(options.scenarios).toEqual(SETS.tune);
  expect(options.loads).toEqual(['1', '8', '32', '128', 'saturation']);
  expect(parseOptions([], 'report').scenarios).toEqual(SETS.report);
});

test('scenarios and loads can be picked, and come in their usual order', () => {
  const args = ['--scenario', 'go', '--scenario', 'node-fetch', '--concurrency', '128,8'];
  const { scenarios, loads } = parseOptions(args, 'tune');
  expect(scenarios.map(({ name }) => name)).toEqual(['node-fetch', 'go']);
  expect(loads).toEqual(['8', '128']);
});

test('what does not exist is refused, with what does', () => {
  expect(() => parseOptions(['--set', 'both'], 'tune')).toThrow(
    '--set both: no such thing; there are tune, report.',
  );
  expect(() => parseOptions(['--scenario', 'node'], 'tune')).toThrow(
    /--scenario node: .*node-fetch/,
  );
  expect(() => parseOptions(['--concurrency', '7'], 'tune')).toThrow(/there are 1, 8, 32, 128/);
  expect(() => parseOptions(['--nope'], 'tune')).toThrow(/nope/);
});
