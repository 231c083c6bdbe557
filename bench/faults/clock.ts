import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LossCause } from '../../src/model/event.js';
import type { StoredReconstruction } from '../../src/store/span-store.js';
import { readReconstruction } from '../../src/store/span-store.js';
import { runCommand, startRecorder } from './recorder.js';
import { startService } from './service.js';
import { checkAccount, checkFiles, readTape } from './tape.js';
import type { Verdicts } from './verdicts.js';

const AHEAD_S = 20;
const HOLD_S = 4;
/** How exactly a step must be told, ns. */
const STEP_TOLERANCE_NS = 20_000_000;
/** Clocks are looked at once a second: what happens so near to a step may be placed before or after it, ms. */
const NEAR_MS = 1500;
/** From the client's look at the clock to the server's receive, on a busy host, ms. */
const PLACED_MS = 250;

interface Asked {
  readonly wallMs: number;
  /** Monotonic. */
  readonly atMs: number;
}

/** How many requests stand where the wall clock stood when they were sent, and how many do not. */
function placed(
  { spans }: StoredReconstruction,
  asked: ReadonlyMap<string, Asked>,
  stepsMs: readonly number[],
): { right: number; wrong: number } {
  let right = 0;
  let wrong = 0;
  for (let row = 0; row < spans.rows; row++) {
    const known = asked.get(spans.target[row]!);
    if (known === undefined) continue;
    if (stepsMs.some((stepMs) => Math.abs(known.atMs - stepMs) < NEAR_MS)) continue;
    const startMs = Number(spans.start_ns[row]! / 1000n) / 1000;
    if (Math.abs(startMs - known.wallMs) < PLACED_MS) right++;
    else wrong++;
  }
  return { right, wrong };
}

/**
 * The wall clock of this host is set ahead and right again while recording: every program of the
 * host sees it.
 */
export async function clockStep(verdicts: Verdicts, directory: string): Promise<void> {
  const what = 'clock step';
  const tape = join(directory, 'clock');
  const asked = new Map<string, Asked>();
  const service = await startService((path) => {
    asked.set(path, { wallMs: Date.now(), atMs: performance.now() });
  });
  const recorder = await startRecorder(tape);
  await sleep(4000);
  const beginMs = performance.now();
  await promisify(execFile)('python3', [
    join(import.meta.dirname, 'step-clock.py'),
    String(AHEAD_S),
    String(HOLD_S),
  ]);
  const endMs = performance.now();
  await sleep(4000);
  await recorder.end('SIGTERM');
  await service.stop(verdicts, what);
  const read = await readTape(tape);
  checkAccount(verdicts, what, read);
  await checkFiles(verdicts, what, tape, read);

  const out = join(directory, 'clock-out');
  await runCommand(['reconstruct', tape, '--out', out]);
  const result = await readReconstruction(out);
  const steps = result.reconstruction.losses.filter(({ cause }) => cause === LossCause.clockStep);
  const sizes = steps.map(({ stepNs }) => Number(stepNs));
  verdicts.check(
    `${what}: ledger names both jumps`,
    sizes.length === 2 &&
      sizes.every((ns) => Math.abs(Math.abs(ns) - AHEAD_S * 1e9) < STEP_TOLERANCE_NS) &&
      sizes[0]! > 0 &&
      sizes[1]! < 0,
    sizes.map((ns) => `${(ns / 1e9).toFixed(3)} s`).join(', '),
  );
  const { right, wrong } = placed(result, asked, [beginMs, endMs]);
  verdicts.check(
    `${what}: requests stand where the wall clock stood`,
    right > 0 && wrong === 0,
    `${right} right, ${wrong} wrong`,
  );
  const longest = Number(
    result.spans.end_ns.reduce(
      (most, end, row) =>
        end - result.spans.start_ns[row]! > most ? end - result.spans.start_ns[row]! : most,
      0n,
    ),
  );
  verdicts.check(
    `${what}: durations hold`,
    longest < HOLD_S * 1e9,
    `the longest ${(longest / 1e6).toFixed(1)} ms`,
  );
  const { stdout } = await runCommand(['report', out, '--markdown', '-']);
  const said = stdout.split('\n').find((line) => line.includes('the wall clock was set')) ?? '';
  verdicts.check(`${what}: report says so`, said !== '', said.trim().slice(0, 120));
}
