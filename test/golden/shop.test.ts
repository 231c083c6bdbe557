/**
 * The recorded shop of fixtures/segments, all the way to the report, against results that a
 * person has read. After a wanted change: UPDATE_GOLDEN=1 npx vitest run test/golden, and
 * read the difference.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { score } from '../../bench/accuracy/score.js';
import { readTruth } from '../../bench/accuracy/truth.js';
import { reconstruct } from '../../src/reconstruct/reconstruct.js';
import { analyze } from '../../src/report/analyze/analyze.js';
import { renderMarkdown } from '../../src/report/render/markdown.js';
import { readReconstruction, type StoredReconstruction } from '../../src/store/span-store.js';

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const GOLDEN = pathOf('../../fixtures/golden');
const SHOP = pathOf('../../fixtures/segments/shop');
const directory = mkdtempSync(join(tmpdir(), 'aftertrace-golden-'));

let stored: StoredReconstruction;
beforeAll(async () => {
  const inputs = [join(SHOP, 'segments')];
  await reconstruct({ inputs, output: directory });
  stored = await readReconstruction(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function expectGolden(name: string, text: string): void {
  const path = join(GOLDEN, name);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

describe('the recorded shop', () => {
  test('has the same summary as ever', () => {
    const { segments, ...summary } = stored.reconstruction;
    // Where the checkout lies is no part of the result.
    const named = segments.map((segment) => ({
      ...segment,
      file: segment.file.replace(SHOP, 'shop'),
    }));
    expectGolden(
      'shop.summary.json',
      `${JSON.stringify({ ...summary, segments: named }, null, 2)}\n`,
    );
  });

  test('has the same Markdown report as ever', () => {
    const options = { input: 'out', maxTraces: 50, maxSpans: 10_000 };
    expectGolden('shop.report.md', renderMarkdown(analyze(stored, options).report));
  });

  test('is right against the truth that the services logged', () => {
    const toMs = (ns: string) => Number(BigInt(ns) / 1_000_000n);
    const { fromNs, toNs } = stored.reconstruction;
    const truth = readTruth(join(SHOP, 'truth'), { from: toMs(fromNs), to: toMs(toNs) });
    const found = score(stored.spans, truth);
    expect(found.expectedExchanges).toBeGreaterThan(5000);
    expect(found.foundExchanges).toBe(found.expectedExchanges);
    expect(found.joinedHops).toBe(found.expectedHops);
    expect(found.wrongHops).toBe(0);
    const { right, wrong, unknown } = found.total;
    const all = right + wrong + unknown;
    expect(right / all).toBeGreaterThan(0.99);
    expect(wrong / all).toBeLessThan(0.001);
    expect(found.certain.wrong).toBe(0);
    expect(found.background.attached).toBe(0);
  });
});
