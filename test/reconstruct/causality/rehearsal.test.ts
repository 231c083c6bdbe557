import { expect, it } from 'vitest';
import type { OpenInput } from '../../../src/reconstruct/causality/open-calls.js';
import { temper } from '../../../src/reconstruct/causality/rehearsal.js';

/** One call in doubt between two requests, of which context prefers the second a little. */
const open = {
  isOpen: Uint8Array.of(1),
  lists: { offsets: Uint32Array.of(0, 2), list: Uint32Array.of(0, 1) },
  chances: Float64Array.of(0.4, 0.6),
} as unknown as OpenInput;

it('what timing adds counts whole at the power of one', () => {
  const chance = Float64Array.of(0.95, 0.05);
  temper(open, chance, 1);
  expect([...chance]).toEqual([0.95, 0.05]);
});

it('counts for less below, and says nothing at none', () => {
  const half = Float64Array.of(0.95, 0.05);
  temper(open, half, 0.5);
  // Odds of context 2/3, times the square root of what timing adds: (19 / (2/3)) ** 0.5.
  const odds = (2 / 3) * Math.sqrt(19 / (2 / 3));
  expect(half[0]).toBeCloseTo(odds / (1 + odds), 6);
  const none = Float64Array.of(0.95, 0.05);
  temper(open, none, 0);
  expect(none[0]).toBeCloseTo(0.4, 6);
});

it('leaves what belongs to no request its share', () => {
  const chance = Float64Array.of(0.5, 0.1);
  temper(open, chance, 0.5);
  expect(chance[0]! + chance[1]!).toBeCloseTo(0.6, 6);
});
