import { expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { followGoroutines } from '../../../src/reconstruct/causality/goroutines.js';
import { callKinds } from '../../../src/reconstruct/causality/kinds.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { findRelatives, RELATIONS } from '../../../src/reconstruct/causality/relatives.js';
import { tableOf } from './simulate.js';

/** A call made at `start` ms, for which this goroutine waits. */
const call = (start: number, goroutine: number, target: string) => ({
  role: Role.client,
  truth: -1,
  requestStart: start * 1e6,
  requestTid: 1,
  responseStart: (start + 1) * 1e6,
  responseTid: 1,
  target,
  goroutine,
});

it('goroutines numbered in a row are related, and the calls of one; those of others are not', () => {
  const { exchanges, rows } = tableOf([
    call(0, 100, '/stock'),
    call(1, 101, '/price'),
    call(5, 101, '/list'),
    call(6, 103, '/stock'),
  ]);
  const index = indexProcess(exchanges, rows);
  const { of, classes, isSame } = findRelatives(index, followGoroutines(index), callKinds(index));
  const relativesOf = (client: number) =>
    [...RELATIONS.keys()].map((relation) => of[client * RELATIONS.length + relation]);
  // Lower, higher, earlier, later.
  expect(relativesOf(0)).toEqual([-1, 1, -1, -1]);
  expect(relativesOf(1)).toEqual([0, -1, -1, 2]);
  expect(relativesOf(2)).toEqual([-1, -1, 1, -1]);
  expect(relativesOf(3)).toEqual([-1, -1, -1, -1]);
  expect(classes[0 * RELATIONS.length + 1]).toBe(classes[1 * RELATIONS.length]);
  expect(isSame[classes[2 * RELATIONS.length + 2]!]).toBe(1);
});
