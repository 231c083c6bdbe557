import { expect, test } from 'vitest';
import { wallClock } from '../../src/reconstruct/wall-clock.js';

const S = 1_000_000_000n;
const pair = (at: bigint, ahead: bigint) => ({ timeNs: at * S, wallNs: at * S + ahead });

test('a clock that is never set has nothing to correct, whatever the noise of its readings', () => {
  const clock = wallClock([pair(0n, 1000n), pair(10n, -800_000n), pair(20n, 4_000_000n)]);
  expect(clock.isStepped).toBe(false);
  expect(clock.correction(15n * S)).toBe(0n);
});

test('a step holds from between the two pairs that bracket it, pairs in any order', () => {
  const step = -3600n * S;
  const clock = wallClock([pair(11n, step), pair(0n, 0n), pair(10n, 0n), pair(60n, step + 500n)]);
  expect(clock.isStepped).toBe(true);
  expect(clock.correction(10n * S)).toBe(0n);
  expect(clock.correction(11n * S)).toBe(step);
  expect(clock.correction(600n * S)).toBe(step);
  expect(clock.correction(-5n * S)).toBe(0n);
});

test('no pairs: nothing is known, nothing corrected', () => {
  expect(wallClock([])).toMatchObject({ isStepped: false });
  expect(wallClock([]).correction(5n)).toBe(0n);
});
