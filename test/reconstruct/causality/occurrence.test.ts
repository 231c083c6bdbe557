// What the times of calls say of whether requests make them, where one request is open at a time.
import { expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { backgroundShares } from '../../../src/reconstruct/causality/background.js';
import { findCandidates } from '../../../src/reconstruct/causality/candidates.js';
import { callKinds, requestKinds } from '../../../src/reconstruct/causality/kinds.js';
import { requestEvidence } from '../../../src/reconstruct/causality/occurrence.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { type Row, tableOf } from './simulate.js';

const MS = 1e6;

const exchange = (role: number, target: string, start: number, end: number): Row => ({
  role,
  truth: -1,
  requestStart: start * MS,
  requestTid: 1,
  responseStart: end * MS,
  responseTid: 1,
  target,
});

/** Requests of 9.8 ms, one every 10 ms, of which every third is of another route; and calls. */
function learn(requests: number, calls: (row: (target: string, at: number) => void) => void) {
  const rows = Array.from({ length: requests }, (_, i) =>
    exchange(Role.server, i % 3 === 2 ? '/b' : '/a', 10 * i, 10 * i + 9.8),
  );
  calls((target, at) => rows.push(exchange(Role.client, target, at, at + 0.1)));
  const { exchanges, rows: all } = tableOf(rows);
  const index = indexProcess(exchanges, all);
  const kinds = callKinds(index);
  const asked = requestKinds(index);
  return {
    evidence: requestEvidence(index, kinds, asked),
    shares: backgroundShares(index, findCandidates(index), kinds, asked),
  };
}

it('a dozen requests that make one call each show that calls are theirs', () => {
  const { evidence, shares } = learn(12, (call) => {
    for (let i = 0; i < 12; i++) call('/each', 10 * i + 2);
  });
  expect(evidence[0]).toBeGreaterThan(3);
  expect(shares[0]).toBeLessThan(0.01);
});

it('calls of one route alone are its own', () => {
  const { evidence } = learn(12, (call) => {
    for (let i = 2; i < 12; i += 3) call('/some', 10 * i + 5);
  });
  expect(evidence[0]).toBeGreaterThan(2);
});

it('a timer that fires in one request and not in the next is nobody’s', () => {
  const { evidence, shares } = learn(120, (call) => {
    for (let i = 0; i < 16; i++) call('/tick', 73 * i + 1);
  });
  expect(evidence[0]).toBeLessThan(0);
  expect(shares[0]).toBeGreaterThan(0.05);
});

it('says nothing where several requests are always open', () => {
  const rows = Array.from({ length: 20 }, (_, i) =>
    exchange(Role.server, '/a', 10 * i, 10 * i + 25),
  );
  rows.push(exchange(Role.client, '/c', 55, 56));
  const { exchanges, rows: all } = tableOf(rows);
  const index = indexProcess(exchanges, all);
  expect([...requestEvidence(index, callKinds(index), requestKinds(index))]).toEqual([0]);
});
