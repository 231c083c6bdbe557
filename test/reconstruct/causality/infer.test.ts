import { describe, expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { VerdictCode } from '../../../src/reconstruct/causality/decide.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import type { ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';
import {
  anyThread,
  eventLoop,
  leased,
  onGoroutines,
  queued,
  type Row,
  seeded,
  tableOf,
  threadPool,
  withHealthChecks,
} from './simulate.js';

const MIN_CONFIDENCE = 0.9;

interface Score {
  readonly calls: number;
  readonly right: number;
  readonly wrong: number;
  readonly unknown: number;
  readonly certainWrong: number;
  readonly roots: number;
}

/** Scores the links of one simulated process against its truth. */
function score(simulated: readonly Row[], hints?: ProcessHints): Score {
  const { exchanges, rows } = tableOf(simulated);
  const { index, decisions } = inferCauses(exchanges, rows, MIN_CONFIDENCE, hints);
  const total = { calls: 0, right: 0, wrong: 0, unknown: 0, certainWrong: 0, roots: 0 };
  for (let client = 0; client < index.clients.length; client++) {
    const row = simulated[index.clients[client]!]!;
    const verdict = decisions.verdict[client];
    total.calls++;
    if (verdict === VerdictCode.root) total.roots++;
    if (verdict === VerdictCode.root && row.truth === -1) total.right++;
    else if (verdict === VerdictCode.unknown || verdict === VerdictCode.root) total.unknown++;
    else if (index.servers[decisions.best(client)] === row.truth) total.right++;
    else {
      total.wrong++;
      if (verdict === VerdictCode.certain) total.certainWrong++;
    }
  }
  return total;
}

describe('inferCauses', () => {
  it('links every call of a thread pool, whatever the load', () => {
    const result = score(threadPool(32, 2000, 1));
    expect(result).toMatchObject({ calls: 4000, right: 4000, wrong: 0 });
  });

  it('links calls of a busy event loop', () => {
    const result = score(eventLoop({ requests: 2000, every: 0.4e6, deferred: () => 0, seed: 2 }));
    expect(result.calls).toBe(6000);
    expect(result.right / result.calls).toBeGreaterThan(0.99);
    expect(result.wrong / result.calls).toBeLessThan(0.001);
    expect(result.certainWrong).toBe(0);
  });

  it('does not trust the thread when timers sit between request and call', () => {
    const deferred = (random: () => number) => (1 + 5 * random()) * 1e6;
    const result = score(eventLoop({ requests: 2000, every: 0.8e6, deferred, seed: 3 }));
    expect(result.right / result.calls).toBeGreaterThan(0.6);
    expect(result.wrong / result.calls).toBeLessThan(0.01);
    expect(result.certainWrong).toBe(0);
  });

  it('leaves health checks alone, however busy the loop', () => {
    const busy = eventLoop({ requests: 2000, every: 0.8e6, deferred: () => 0, seed: 9 });
    const simulated = withHealthChecks(busy, 20e6);
    const { exchanges, rows } = tableOf(simulated);
    const { index, decisions } = inferCauses(exchanges, rows, MIN_CONFIDENCE);
    const checks = [...decisions.verdict].filter(
      (_, client) => simulated[index.clients[client]!]!.target === '/health',
    );
    const attached = checks.filter(
      (verdict) => verdict === VerdictCode.certain || verdict === VerdictCode.probable,
    );
    expect(checks.length).toBeGreaterThan(50);
    expect(attached.length / checks.length).toBeLessThan(0.05);
    expect(score(simulated).wrong).toBeLessThan(0.005 * index.clients.length);
  });

  it('says unknown rather than guess when threads mean nothing', () => {
    const result = score(anyThread(threadPool(16, 2000, 4), 12, 5));
    expect(result.wrong / result.calls).toBeLessThan(0.02);
    expect(result.certainWrong / result.calls).toBeLessThan(0.0005);
  });

  it('follows the thread that took the connection, whoever writes the request', () => {
    const result = score(leased(threadPool(16, 1000, 11)));
    expect(result).toMatchObject({ calls: 2000, right: 2000, wrong: 0 });
  });

  it('knows by the response whom a worker of a full queue has worked for', () => {
    const { rows, hints } = queued(threadPool(8, 1000, 12), false, 13);
    const result = score(rows, hints);
    expect(result.wrong).toBe(0);
    expect(result.right / result.calls).toBeGreaterThan(0.995);
  });

  it('knows by the thread that a worker wakes in the end whom it has worked for', () => {
    const { rows, hints } = queued(threadPool(8, 1000, 14), true, 15);
    const result = score(rows, hints);
    expect(result.wrong).toBe(0);
    expect(result.right / result.calls).toBeGreaterThan(0.995);
    // Without the wake-ups most of that cannot be known, and must not be guessed.
    const blind = score(rows);
    expect(blind.right).toBeLessThan(result.right);
    expect(blind.wrong / blind.calls).toBeLessThan(0.02);
  });

  it('follows goroutines, whatever threads they run on', () => {
    const result = score(onGoroutines(threadPool(16, 1000, 16), 17));
    expect(result).toMatchObject({ calls: 2000, right: 2000, wrong: 0 });
  });

  it('leaves background calls without a parent', () => {
    const random = seeded(6);
    const rows = eventLoop({ requests: 1000, every: 10e6, deferred: () => 0, seed: 7 });
    const end = Math.max(...rows.map((row) => row.requestStart));
    const background: Row[] = [];
    for (let at = 1e6; at < end; at += 50e6 + random() * 1e6) {
      background.push({
        role: Role.client,
        truth: -1,
        requestStart: at,
        requestTid: 1,
        responseStart: at + 2e6,
        responseTid: 1,
        target: '/health',
      });
    }
    const all = score([...rows, ...background]);
    expect(background.length).toBeGreaterThan(150);
    // Each must stay without a parent; most are recognised as belonging to no request at all.
    expect(all.wrong).toBeLessThan(background.length * 0.02);
    expect(all.roots).toBeGreaterThan(background.length * 0.5);
    expect(all.certainWrong).toBe(0);
  });

  it('believes an identity that both carry, over the thread', () => {
    const rows = eventLoop({
      requests: 500,
      every: 0.5e6,
      deferred: (random) => 1e6 + 3e6 * random(),
      seed: 8,
    });
    const tagged = rows.map((row) => ({
      ...row,
      traceContext: `w3c:${row.truth.toString(16).padStart(32, '0')}:00f067aa0ba902b7`,
    }));
    const result = score(tagged);
    expect(result).toMatchObject({ right: result.calls, wrong: 0 });
  });

  it('does not believe an identity that every request carries', () => {
    const rows = eventLoop({ requests: 500, every: 0.5e6, deferred: () => 0, seed: 9 });
    const tagged = rows.map((row) => ({
      ...row,
      traceContext: `b3:${'ab'.repeat(16)}:00f067aa0ba902b7`,
    }));
    const result = score(tagged);
    expect(result.wrong / result.calls).toBeLessThan(0.005);
    expect(result.right / result.calls).toBeGreaterThan(0.98);
  });

  it('gives the same answer for the same rows', () => {
    const rows = eventLoop({ requests: 200, every: 1e6, deferred: () => 0, seed: 10 });
    const { exchanges, rows: all } = tableOf(rows);
    const first = inferCauses(exchanges, all, MIN_CONFIDENCE);
    const second = inferCauses(exchanges, all, MIN_CONFIDENCE);
    expect(second.decisions).toEqual(first.decisions);
  });
});
