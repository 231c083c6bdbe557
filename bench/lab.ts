/**
 * The laboratory: real programs on loopback, recorded live, reconstructed, and scored against the
 * truth that they log themselves.
 *
 *   npm run lab -- [--set tune|report] [--scenario NAME ...] [--concurrency 1,8,32,128,saturation]
 *                  [--keep DIR] [--in DIR] [--seed-offset N]
 *
 * --keep leaves every recording in DIR/<scenario>/<concurrency>/{segments,truth}; --in scores
 * recordings that were kept, and records nothing.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openCgroup } from './lab/cgroup.js';
import { judge } from './lab/judge.js';
import { recordLoad } from './lab/record.js';
import { LOADS, type Load, type Scenario, sizeOf } from './lab/scenario.js';
import { SETS } from './lab/sets.js';
import { startTopology } from './lab/topology.js';

const { values } = parseArgs({
  options: {
    set: { type: 'string', default: 'tune' },
    scenario: { type: 'string', multiple: true },
    concurrency: { type: 'string' },
    keep: { type: 'string' },
    in: { type: 'string' },
    'record-only': { type: 'boolean', default: false },
  },
});

const scenarios = SETS[values.set as 'tune'].filter(
  ({ name }) => values.scenario?.includes(name) ?? true,
);
const loads = LOADS.filter((load) => values.concurrency?.split(',').includes(load) ?? true);
const percent = (part: number, whole: number) =>
  whole === 0 ? '-' : ((part / whole) * 100).toFixed(2);

async function show(scenario: Scenario, load: Load, directory: string) {
  const { own, baselines, lost, cpuSeconds } = await judge(directory);
  const { right, wrong, unknown } = own.total;
  const all = right + wrong + unknown;
  const best = [...baselines].sort((a, b) => b.score.total.right - a.score.total.right)[0]!;
  console.log(
    [
      scenario.name.padEnd(18),
      load.padStart(10),
      `calls ${all}`,
      `right ${percent(right, all)} wrong ${percent(wrong, all)} unknown ${percent(unknown, all)}`,
      `whole ${percent(own.traces.whole, own.traces.of)}`,
      `found ${own.foundExchanges}/${own.expectedExchanges} hops ${own.joinedHops}/${own.expectedHops} bad ${own.wrongHops}`,
      `bg ${own.background.attached}/${own.background.calls}`,
      `certain ${own.certain.links} wrong ${own.certain.wrong}`,
      `ece ${percent(own.calibrationError, 1)}`,
      `best ${best.name} ${percent(best.score.total.right, all)}`,
      `lost ${lost}`,
      `${cpuSeconds.toFixed(1)} s`,
    ].join(' | '),
  );
}

for (const scenario of scenarios) {
  if (values.in !== undefined) {
    for (const load of loads) {
      const directory = join(values.in, scenario.name, load);
      if (existsSync(directory)) await show(scenario, load, directory);
    }
    continue;
  }
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-lab-'));
  chmodSync(directory, 0o711);
  const cgroup = openCgroup();
  const topology = await startTopology(scenario, directory, cgroup);
  try {
    await topology.drive(16, 300, scenario.seed + 1000);
    for (const load of loads) {
      const { users, requests } = sizeOf(load, scenario.scale);
      const target = join(values.keep ?? directory, scenario.name, load);
      const { driven } = await recordLoad(
        topology,
        target,
        { users, requests, seed: scenario.seed },
        cgroup,
      );
      process.stderr.write(
        `${scenario.name} ${load}: ${driven.seconds.toFixed(1)} s, p50 ${driven.p50Ms.toFixed(1)} ms, failed ${driven.failed}\n`,
      );
      if (!values['record-only']) await show(scenario, load, target);
    }
  } finally {
    await topology.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
