import { describe, expect, it } from 'vitest';
import { auditProcess } from '../../../src/reconstruct/causality/audit.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import { NO_HINTS } from '../../../src/reconstruct/causality/process-hints.js';
import { anyThread, type Row, tableOf, threadPool } from './simulate.js';

/** Every call carries the trace id of its request. */
const traced = (rows: readonly Row[]) =>
  rows.map((row) => ({
    ...row,
    traceContext: `w3c:${row.truth.toString(16).padStart(32, '0')}:00f067aa0ba902b7`,
  }));

function audit(simulated: readonly Row[]) {
  const { exchanges, rows } = tableOf(simulated);
  const causes = inferCauses(exchanges, rows);
  return auditProcess(causes, exchanges, rows, undefined, NO_HINTS);
}

describe('auditProcess', () => {
  it('finds right without ids what threads tell', () => {
    const found = audit(traced(threadPool(32, 300, 1)))!;
    expect(found.calls).toBeGreaterThan(300);
    expect(found).toMatchObject({ right: found.calls, wrong: 0, unknown: 0 });
    expect(found.claimed / found.calls).toBeGreaterThan(0.99);
  });

  it('tells of calls that nothing but their ids can link', () => {
    const found = audit(traced(anyThread(threadPool(16, 600, 4), 12, 5)))!;
    expect(found.right + found.wrong + found.unknown).toBe(found.calls);
    expect(found.right).toBeLessThan(found.calls);
    expect(found.wrong / found.calls).toBeLessThan(0.05);
  });

  it('says nothing where no id tells anything', () => {
    expect(audit(threadPool(32, 300, 1))).toBeUndefined();
  });
});
