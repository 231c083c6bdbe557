import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LossCause } from '../../src/model/event.js';
import type { Reconstruction } from '../../src/model/reconstruction.js';
import type { InspectResult } from '../../src/store/inspect.js';
import { runCommand, spawnRecorder, startRecorder } from './recorder.js';
import { startService } from './service.js';
import { checkFiles, readTape } from './tape.js';
import type { Verdicts } from './verdicts.js';

/** A recorder that records lives on for so long at most, ms. */
const LONGEST_LIFE_MS = 1500;

/** Numerical Recipes' linear congruential generator: moments that a seed repeats. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const mendedIn = (said: string) => said.split('recovered ').length - 1;

/**
 * kill -9 again and again, on one directory: every other time before the recorder records, while it
 * loads its programs or mends what the last one left.
 */
export async function kills(
  verdicts: Verdicts,
  directory: string,
  options: { readonly kills: number; readonly seed: number },
): Promise<void> {
  const what = `${options.kills} kills at random moments`;
  const tape = join(directory, 'kills');
  const random = randomOf(options.seed);
  const service = await startService();
  let startMs = 0;
  let recorded = 0;
  let mended = 0;
  for (let i = 0; i < options.kills; i++) {
    const beginMs = performance.now();
    const recorder = spawnRecorder(tape, ['--rotate-size', '128KiB']);
    if (i % 2 === 1) await sleep(random() * startMs);
    else {
      await recorder.says('recording to');
      startMs = performance.now() - beginMs;
      await sleep(random() * LONGEST_LIFE_MS);
    }
    const said = await recorder.end('SIGKILL');
    if (said.includes('recording to')) recorded++;
    mended += mendedIn(said);
  }
  const recorder = await startRecorder(tape);
  mended += mendedIn(await recorder.end('SIGTERM'));
  await service.stop(verdicts, what);
  const read = await readTape(tape);
  verdicts.check(
    what,
    read.events > 0 && read.open === 0 && recorded > 0,
    `${recorded} while recording, ${options.kills - recorded} before; ${mended} segments mended, ${read.open} left open`,
  );
  await checkFiles(verdicts, what, tape, read);
  const inspected = await runCommand(['inspect', tape, '--json']);
  const { recordings } = JSON.parse(inspected.stdout) as InspectResult;
  const out = join(directory, 'kills-out');
  const reconstructed = await runCommand(['reconstruct', tape, '--out', out, '--json']);
  const { losses } = JSON.parse(reconstructed.stdout) as Reconstruction;
  const told = losses
    .filter(({ cause }) => cause === LossCause.unrecorded)
    .reduce((sum, { count }) => sum + count, 0);
  verdicts.check(
    `${what}: every gap is told`,
    told === recordings.length - 1,
    `${recordings.length} recordings, ${told} stretches in which none ran`,
  );
}
