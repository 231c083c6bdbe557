import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCgroup } from './cgroup.js';
import { type Judgement, judge } from './judge.js';
import { recordLoad } from './record.js';
import { type Load, type Scenario, sizeOf } from './scenario.js';
import { startTopology, type Topology } from './topology.js';

export interface Result {
  readonly scenario: Scenario;
  readonly load: Load;
  readonly judgement: Judgement;
}

export interface RunOptions {
  readonly scenarios: readonly Scenario[];
  readonly loads: readonly Load[];
  /** Share of the usual number of requests. */
  readonly scale: number;
  /** Where recordings stay, as <scenario>/<load>/{segments,truth}; undefined: nowhere. */
  readonly keep?: string;
  /** Takes recordings from here instead of making them. */
  readonly from?: string;
  /** Records, and judges nothing. */
  readonly recordOnly?: boolean;
  readonly onNote: (text: string) => void;
}

/** Unrecorded, so that compilers and connection pools are warm. */
const WARM_UP = { users: 16, requests: 300 };

/** @throws Error where the services answer, but do not work */
async function warmUp(topology: Topology, { name, seed }: Scenario): Promise<void> {
  const { failed } = await topology.drive(WARM_UP.users, WARM_UP.requests, seed + 1000);
  if (failed > WARM_UP.requests / 2) {
    throw new Error(`${name}: ${failed} of the first ${WARM_UP.requests} requests failed`);
  }
}

async function* judgeKept(scenario: Scenario, { from, loads }: RunOptions): AsyncGenerator<Result> {
  for (const load of loads) {
    const directory = join(from!, scenario.name, load);
    if (!existsSync(directory)) continue;
    yield { scenario, load, judgement: await judge(directory) };
  }
}

async function* recordAndJudge(
  scenario: Scenario,
  { loads, scale, keep, recordOnly = false, onNote }: RunOptions,
): AsyncGenerator<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-lab-'));
  // PostgreSQL runs as another user, below this directory.
  chmodSync(directory, 0o711);
  const cgroup = openCgroup();
  try {
    const topology = await startTopology(scenario, directory, cgroup?.directory);
    try {
      await warmUp(topology, scenario);
      for (const load of loads) {
        const size = sizeOf(load, (scenario.scale ?? 1) * scale);
        const target = join(keep ?? directory, scenario.name, load);
        const { driven } = await recordLoad(
          topology,
          target,
          { ...size, seed: scenario.seed },
          cgroup,
        );
        onNote(
          `${scenario.name} at ${load}: ${size.requests} requests in ${driven.seconds.toFixed(1)} s, p50 ${driven.p50Ms.toFixed(1)} ms, ${driven.failed} failed`,
        );
        if (!recordOnly) yield { scenario, load, judgement: await judge(target) };
      }
    } finally {
      await topology.stop();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
    cgroup?.close();
  }
}

/** Records (or takes) each scenario at each load, and judges what the engine makes of it. */
export async function* runLab(options: RunOptions): AsyncGenerator<Result> {
  for (const scenario of options.scenarios) {
    yield* options.from === undefined
      ? recordAndJudge(scenario, options)
      : judgeKept(scenario, options);
  }
}
