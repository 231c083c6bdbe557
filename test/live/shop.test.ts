/** The whole way on traffic of this moment: record, reconstruct, report, from the command line. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { score } from '../../bench/accuracy/score.js';
import { readTruth } from '../../bench/accuracy/truth.js';
import { CLI, recordShop } from '../../fixtures/record-shop.mjs';
import { readReconstruction } from '../../src/store/span-store.js';
import { describeLive } from '../bpf/live.js';

describeLive('the shop, end to end', () => {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-live-'));
  const out = join(directory, 'out');
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const aftertrace = (...args: string[]) =>
    spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });

  beforeAll(async () => {
    await recordShop({ directory, seconds: 12, rate: 120 });
    const result = aftertrace('reconstruct', join(directory, 'segments'), '--out', out);
    expect(result.stderr).not.toMatch(/error/i);
    expect(result.status).toBe(0);
  });

  test('finds every exchange, joins every hop, and links almost no call wrongly', async () => {
    const { spans, reconstruction } = await readReconstruction(out);
    const toMs = (ns: string) => Number(BigInt(ns) / 1_000_000n);
    const truth = readTruth(join(directory, 'truth'), {
      from: toMs(reconstruction.fromNs),
      to: toMs(reconstruction.toNs),
    });
    const found = score(spans, truth);
    expect(found.expectedExchanges).toBeGreaterThan(5000);
    expect(found.foundExchanges / found.expectedExchanges).toBeGreaterThanOrEqual(0.999);
    expect(found.joinedHops / found.expectedHops).toBeGreaterThanOrEqual(0.999);
    const { right, wrong, unknown } = found.total;
    expect(right / (right + wrong + unknown)).toBeGreaterThan(0.98);
    expect(wrong / (right + wrong + unknown)).toBeLessThan(0.005);
    // The shop speaks no TLS: what other programs of the host do with it is theirs.
    expect(reconstruction.losses.filter(({ cause }) => cause !== 'tls-unjoined')).toEqual([]);
  });

  test('names the faulty service in both reports', () => {
    const result = aftertrace('report', out, '--fail-on', 'incident');
    expect(result.stdout).toContain('The candidate is payment');
    expect(result.status).toBe(4);
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('The candidate is payment');
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('The candidate is payment');
  });
});
