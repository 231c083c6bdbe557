import { describe, expect, it } from 'vitest';
import { VerdictCode } from '../../../src/reconstruct/causality/decide.js';
import { NO_HINTS, type ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';
import { WindowedCauses } from '../../../src/reconstruct/causality/windows.js';
import { eventLoop, queued, type Row, tableOf, threadPool, withHealthChecks } from './simulate.js';

/** What becomes of each call, by its row: its verdict, and the row of its most probable parent. */
function decide(simulated: readonly Row[], exchanges: number, hints: ProcessHints = NO_HINTS) {
  const { exchanges: table, rows } = tableOf(simulated);
  const size = { exchanges, overlap: exchanges / 10 };
  const decided = new Map<number, { verdict: number; parent: number }>();
  let windows = 0;
  let most = 0;
  new WindowedCauses(table, rows, hints, undefined, false, size).run((causes, from, to) => {
    const { index, decisions } = causes;
    windows++;
    most = Math.max(most, index.clients.length + index.servers.length);
    for (let client = 0; client < index.clients.length; client++) {
      const start = index.clientStart[client]!;
      if (start < from || start >= to) continue;
      const row = index.clients[client]!;
      expect(decided.has(row)).toBe(false);
      const best = decisions.best(client);
      const parent = best === -1 ? -1 : index.servers[best]!;
      decided.set(row, { verdict: decisions.verdict[client]!, parent });
    }
  });
  return { decided, windows, most };
}

function countRight(simulated: readonly Row[], { decided }: ReturnType<typeof decide>) {
  const counts = { calls: decided.size, right: 0, wrong: 0 };
  for (const [row, { verdict, parent }] of decided) {
    if (verdict === VerdictCode.unknown || verdict === VerdictCode.root) continue;
    counts[parent === simulated[row]!.truth ? 'right' : 'wrong']++;
  }
  return counts;
}

describe('causes of a long-lived process', () => {
  it('are found window by window, each call once and as if all had been seen at once', () => {
    const rows = threadPool(16, 2000, 1);
    const cut = decide(rows, 1000);
    expect(cut.windows).toBe(6);
    expect(cut.most).toBeLessThan(1250);
    expect(countRight(rows, cut)).toEqual({ calls: 4000, right: 4000, wrong: 0 });
  });

  it('are no worse at the borders of windows', () => {
    const rows = eventLoop({ requests: 600, every: 0.4e6, deferred: () => 0, seed: 2 });
    const [cut, whole] = [decide(rows, 600), decide(rows, 1e6)];
    expect([cut.windows, whole.windows]).toEqual([4, 1]);
    const [parts, all] = [countRight(rows, cut), countRight(rows, whole)];
    expect(parts.calls).toBe(all.calls);
    expect(parts.right).toBeGreaterThan(0.998 * all.right);
    expect(parts.wrong).toBeLessThan(all.wrong + 0.001 * all.calls);
  });

  it('use the wake-ups of their own window', () => {
    const { rows, hints } = queued(threadPool(8, 300, 12), false, 13);
    const result = countRight(rows, decide(rows, 300, hints));
    expect(result.wrong).toBe(0);
    expect(result.right / result.calls).toBeGreaterThan(0.99);
  });

  it('know calls that come like clockwork from all of its life', () => {
    const busy = eventLoop({ requests: 800, every: 0.8e6, deferred: () => 0, seed: 9 });
    // In each window there are fewer health checks than make a habit.
    const rows = withHealthChecks(busy, 80e6);
    const { decided, windows } = decide(rows, 400);
    expect(windows).toBeGreaterThan(5);
    const checks = [...decided].filter(([row]) => rows[row]!.target === '/health');
    const attached = checks.filter(
      ([, { verdict }]) => verdict === VerdictCode.certain || verdict === VerdictCode.probable,
    );
    expect(checks.length).toBeGreaterThan(6);
    expect(attached.length).toBe(0);
  });

  it('keep a request that outlives many windows', () => {
    const rows = threadPool(8, 1000, 3);
    const first = rows.findIndex(({ truth }, i) => truth === i);
    const end = Math.max(...rows.map(({ responseStart }) => responseStart));
    const long: Row = {
      ...rows[first]!,
      truth: rows.length,
      requestStart: 0,
      requestTid: 99,
      responseStart: end,
      responseTid: 99,
      target: '/stream',
    };
    const late: Row = {
      ...rows.find(({ truth }, i) => truth !== i)!,
      truth: rows.length,
      requestStart: end - 2e6,
      requestTid: 99,
      responseStart: end - 1e6,
      responseTid: 99,
    };
    const all = [...rows, long, late];
    const { decided, windows } = decide(all, 500);
    expect(windows).toBeGreaterThan(3);
    expect(decided.get(rows.length + 1)).toEqual({
      verdict: VerdictCode.certain,
      parent: rows.length,
    });
  });
});
