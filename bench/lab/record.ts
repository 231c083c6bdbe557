import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRecorder } from '../../fixtures/record-shop.mjs';
import type { Cgroup } from './cgroup.js';
import type { Driven, Topology } from './topology.js';

/** What was recorded at one load: segments/ and truth/ below `directory`. */
export interface Recording {
  readonly directory: string;
  readonly driven: Driven;
}

/** Services write their logs in blocks, at least this often, ms. */
const FLUSH_MS = 600;
/** Calls that outlive their requests end in this time, ms. */
const SETTLE_MS = 400;

/** Copies the lines logged in [from, to] epoch ms. */
function sliceTruth(source: string, target: string, from: number, to: number): void {
  mkdirSync(target, { recursive: true });
  for (const file of readdirSync(source).filter((name) => name.endsWith('.jsonl'))) {
    const lines = readFileSync(join(source, file), 'utf8')
      .split('\n')
      .filter((line) => {
        if (line === '') return false;
        const { t } = JSON.parse(line) as { t: number };
        return t >= from && t <= to;
      });
    writeFileSync(join(target, file), lines.map((line) => `${line}\n`).join(''));
  }
}

/**
 * Records a running scenario under one load, with what users did wholly inside the recording.
 *
 * @param options more flags of `aftertrace record`
 */
export async function recordLoad(
  topology: Topology,
  directory: string,
  load: { readonly users: number; readonly requests: number; readonly seed: number },
  cgroup: Cgroup | undefined,
  options: readonly string[] = [],
): Promise<Recording> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const filter = cgroup === undefined ? [] : ['--cgroup', cgroup.id];
  const recorder = startRecorder(join(directory, 'segments'), [...filter, ...options]);
  try {
    await recorder.ready;
    const driven = await topology.drive(load.users, load.requests, load.seed);
    await sleep(SETTLE_MS);
    const to = Date.now();
    await sleep(100);
    const { code, log } = await recorder.stop();
    if (code !== 0 && code !== 130) {
      throw new Error(`the recorder ended with ${code}: ${log.trim()}`);
    }
    await sleep(FLUSH_MS);
    sliceTruth(topology.truth, join(directory, 'truth'), driven.startMs, to);
    writeFileSync(join(directory, 'driven.json'), `${JSON.stringify(driven)}\n`);
    return { directory, driven };
  } finally {
    recorder.child.kill('SIGKILL');
  }
}
