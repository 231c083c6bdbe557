import { describe, expect, it } from 'vitest';
import { NO_ROW } from '../../../src/reconstruct/causality/cause-table.js';
import { VerdictCode } from '../../../src/reconstruct/causality/decide.js';
import { useTemporaryDirectories } from '../../store/temporary.js';
import { threadPool } from './simulate.js';
import { causesOf } from './task-causes.js';

const temporaryDirectory = useTemporaryDirectories();

describe('evidence of the causality task', () => {
  it('says in words what speaks for the parent, and that it speaks against each rival', async () => {
    const { causes, texts } = await causesOf(threadPool(8, 200, 1), temporaryDirectory());
    const first = causes.candidates.findIndex((count) => count > 2);
    expect([...causes.rank.subarray(first, first + 2)]).toEqual([0, 1]);
    expect(causes.verdict[first]).toBe(VerdictCode.certain);
    expect(texts.method(first)).toBe('owner');
    const items = JSON.parse(texts.json(first));
    const owner = items.find(({ rule }: { rule: string }) => rule === 'owner');
    expect(owner.text).toMatch(/^the calling thread read this request and wrote its response/);
    expect(owner.weight).toBeGreaterThan(5);
    const rival = JSON.parse(texts.json(first + 1));
    const against = {
      rule: 'owner',
      weight: -owner.weight,
      text: 'this rule names another candidate',
    };
    expect(rival).toContainEqual(against);
  });

  it('says how long before the call each thing was', async () => {
    const { causes, texts } = await causesOf(threadPool(8, 200, 1), temporaryDirectory());
    const told = [...causes.client_row.keys()].filter((row) => causes.parent_row[row] !== NO_ROW);
    const gaps = told.flatMap((row) => {
      const [, value, unit] =
        /received, ([\d.]+) (ms|µs) before the call/.exec(texts.json(row)) ?? [];
      return value === undefined
        ? []
        : [[Number(value) * (unit === 'ms' ? 1e6 : 1e3), causes.gap[row]!]];
    });
    expect(gaps.length).toBeGreaterThan(50);
    for (const [said, is] of gaps) expect(said! / is!).toBeCloseTo(1, 2);
  });

  it('quotes the id that both carry, whatever characters it has', async () => {
    const rows = threadPool(8, 200, 1).map((row) => ({
      ...row,
      traceContext: `w3c:"${row.truth}\ue000\\:00f067aa0ba902b7`,
    }));
    const { causes, texts } = await causesOf(rows, temporaryDirectory());
    const at = causes.identity.findIndex((id) => id !== '');
    const items = JSON.parse(texts.json(at));
    expect(texts.method(at)).toBe('identity');
    expect(items[0].text).toBe(`both carry ${causes.identity[at]}`);
    expect(causes.identity[at]).toContain('\ue000\\');
  });
});
