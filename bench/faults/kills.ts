import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnRecorder, startRecorder } from './recorder.js';
import { startService } from './service.js';
import { checkFiles, readTape } from './tape.js';
import type { Verdicts } from './verdicts.js';

/** From the start of a recorder: before it records, while it mends what the last one left, and after, ms. */
const LONGEST_LIFE_MS = 2500;

/** Numerical Recipes' linear congruential generator: moments that a seed repeats. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** kill -9 again and again, on one directory. */
export async function kills(
  verdicts: Verdicts,
  directory: string,
  options: { readonly kills: number; readonly seed: number },
): Promise<void> {
  const what = `${options.kills} kills at random moments`;
  const tape = join(directory, 'kills');
  const random = randomOf(options.seed);
  const service = await startService();
  let recorded = 0;
  let mended = 0;
  const mendedIn = (said: string) => said.split('recovered ').length - 1;
  for (let i = 0; i < options.kills; i++) {
    const recorder = spawnRecorder(tape, ['--rotate-size', '128KiB', '--stats-interval', '1s']);
    await sleep(random() * LONGEST_LIFE_MS);
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
}
