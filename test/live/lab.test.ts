/** The laboratory on a scenario of five runtimes, so that none of its programs can rot unseen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeCgroup, openCgroup } from '../../bench/lab/cgroup.js';
import { judge } from '../../bench/lab/judge.js';
import { recordLoad } from '../../bench/lab/record.js';
import type { Scenario, Steps } from '../../bench/lab/scenario.js';
import { startTopology } from '../../bench/lab/topology.js';
import { describeLive, hasTool } from '../bpf/live.js';

const one: Steps = [{ call: 'stock/get/{id}' }];
const SMOKE: Scenario = {
  name: 'smoke',
  what: 'nginx before Node, which calls Python threads, Java and Go',
  workload: 'loop',
  entry: 'edge',
  mix: { '/pair/{id}': 2, '/retry/{id}': 1, '/skip': 1 },
  seed: 1,
  services: [
    { name: 'stock', runtime: 'go', routes: { '/get': [{ waitMs: [1, 2] }] } },
    { name: 'threads', runtime: 'python-threads', routes: { '/get': one } },
    { name: 'pool', runtime: 'java', mode: 'pool', routes: { '/get': one } },
    {
      name: 'front',
      runtime: 'node',
      routes: {
        '/pair': [{ all: [[{ call: 'threads/get/{id}' }], [{ call: 'pool/get/{id}' }]] }],
        '/retry': [{ call: 'stock/nothing', attempts: 2 }, ...one],
        '/skip': [{ cache: 'skip', ttlMs: 20, steps: one }],
      },
      background: [{ everyMs: 50, steps: one }],
    },
    { name: 'edge', runtime: 'nginx', routes: {}, upstreams: { '/': 'front' } },
  ],
};

/** Most of it is starting five runtimes, compiling two of them the first time. */
const TIMEOUT_MS = 240_000;

const tools = ['nginx', 'javac', 'go'].map(hasTool);

describeLive('the laboratory', () => {
  test.skipIf(tools.includes(false))(
    'starts, records and scores five runtimes',
    async () => {
      const directory = mkdtempSync(join(tmpdir(), 'aftertrace-lab-test-'));
      const cgroup = openCgroup();
      const topology = await startTopology(SMOKE, directory, cgroup);
      try {
        await topology.drive(4, 20, 2);
        const target = join(directory, 'recording');
        const load = { users: 4, requests: 200, seed: 3 };
        const { driven } = await recordLoad(topology, target, load, cgroup);
        expect(driven.failed).toBe(0);
        const { own, baselines, lost } = await judge(target);
        expect(lost).toBe(0);
        expect(own.traces.of).toBe(200);
        expect(own.foundExchanges).toBe(own.expectedExchanges);
        expect(own.joinedHops).toBe(own.expectedHops);
        // How right it is, is for the laboratory to say; here nothing may be mixed up on the way.
        const { right, wrong, unknown } = own.total;
        expect(right + wrong + unknown).toBeGreaterThan(700);
        expect(right / (right + wrong + unknown)).toBeGreaterThan(0.6);
        expect(wrong / (right + wrong + unknown)).toBeLessThan(0.05);
        expect(own.background.calls).toBeGreaterThan(3);
        // The rules that are fooled by a pair on one thread must not look as good.
        const single = baselines.find(({ name }) => name.includes('single token'))!.score;
        expect(single.total.right).toBeLessThan(own.total.right);
      } finally {
        await topology.stop();
        rmSync(directory, { recursive: true, force: true });
        if (cgroup !== undefined) closeCgroup(cgroup);
      }
    },
    TIMEOUT_MS,
  );
});
