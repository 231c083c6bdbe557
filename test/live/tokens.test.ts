/** Cookies that are passed on tell the request of a call, though only their marks are stored. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { score } from '../../bench/accuracy/score.js';
import { readTruth } from '../../bench/accuracy/truth.js';
import { openCgroup } from '../../bench/lab/cgroup.js';
import { recordLoad } from '../../bench/lab/record.js';
import type { Scenario } from '../../bench/lab/scenario.js';
import { startTopology } from '../../bench/lab/topology.js';
import { reconstruct } from '../../src/reconstruct/reconstruct.js';
import { explain } from '../../src/report/explain.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { readReconstruction } from '../../src/store/span-store.js';
import { describeLive } from '../bpf/live.js';

const SCENARIO: Scenario = {
  name: 'cookies',
  what: 'Node with timers before and after its call, which passes the cookie of the user on',
  workload: 'hand-off',
  entry: 'front',
  identity: 'cookie',
  mix: { '/page/{id}': 1 },
  seed: 1,
  services: [
    { name: 'stock', runtime: 'node', routes: { '/get': [{ waitMs: [1, 4] }] } },
    {
      name: 'front',
      runtime: 'node',
      propagate: 'cookie',
      routes: { '/page': [{ waitMs: [1, 9] }, { call: 'stock/get/{id}' }, { waitMs: [1, 9] }] },
    },
  ],
};

describeLive('cookies that are passed on', () => {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-cookies-'));
  const recording = join(directory, 'recording');
  beforeAll(async () => {
    const cgroup = openCgroup();
    const topology = await startTopology(SCENARIO, directory, cgroup?.directory);
    try {
      await topology.drive(4, 20, 2);
      // Async roots would tell most of it without a cookie.
      const load = { users: 16, requests: 300, seed: 3 };
      await recordLoad(topology, recording, load, cgroup, ['--hints', 'none']);
    } finally {
      await topology.stop();
      cgroup?.close();
    }
  }, 120_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function linksOf(tokens: boolean) {
    const output = join(directory, `tokens-${tokens}`);
    await reconstruct({ inputs: [join(recording, 'segments')], output, tokens, workers: 1 });
    const { spans, links } = await readReconstruction(output);
    return { output, links, ...score(spans, readTruth(join(recording, 'truth'))).total };
  }

  test('are not in the recording', async () => {
    const segments = join(recording, 'segments');
    let heads = 0;
    for (const file of readdirSync(segments).filter((name) => name.endsWith('.parquet'))) {
      const path = join(segments, file);
      expect(readFileSync(path).includes('theme=dark')).toBe(false);
      const segment = await openSegment(path);
      for await (const { payload } of segment.read()) {
        const text = Buffer.from(payload.data).toString('latin1');
        expect(text).not.toMatch(/session=|[0-9a-f]{32}/);
        heads += text.match(/^cookie: [*\w-]+ [*\w-]+\r$/gim)?.length ?? 0;
      }
      segment.close();
    }
    expect(heads).toBeGreaterThan(1000);
  });

  test('link nearly every call, which cannot be done without them', async () => {
    const own = await linksOf(true);
    const calls = own.right + own.wrong + own.unknown;
    expect(own.right / calls).toBeGreaterThan(0.98);
    expect(own.wrong / calls).toBeLessThan(0.01);
    const without = await linksOf(false);
    expect(without.right).toBeLessThan(own.right);
    expect(without.links.evidence.join('')).not.toContain('"token"');

    const row = own.links.evidence.findIndex((json) => json.includes('"token"'));
    const lines = await explain(own.output, own.links.span_id[row]!);
    expect(lines.join('\n')).toMatch(
      /for: both carry the secret with the mark [\w-]{8} \(the call in the header cookie\), and \d+ other requests do; .* \(token: /,
    );
  });
});
