import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reconstruct } from '../../src/reconstruct/reconstruct.js';
import { readReconstruction } from '../../src/store/span-store.js';
import { BASELINES } from '../accuracy/baselines.js';
import { type Score, score } from '../accuracy/score.js';
import { readTruth } from '../accuracy/truth.js';

/** What the reconstruction and the baselines make of one recording. */
export interface Judgement {
  readonly own: Score;
  readonly baselines: readonly { readonly name: string; readonly score: Score }[];
  /** Events that the recorder lost. */
  readonly lost: number;
  /** CPU of the reconstruction, s. */
  readonly cpuSeconds: number;
}

/** @param directory holds segments/ and truth/ */
export async function judge(directory: string): Promise<Judgement> {
  const output = mkdtempSync(join(tmpdir(), 'aftertrace-lab-out-'));
  try {
    const before = process.cpuUsage();
    await reconstruct({ inputs: [join(directory, 'segments')], output });
    const { user, system } = process.cpuUsage(before);
    const { spans, reconstruction } = await readReconstruction(output);
    const truth = readTruth(join(directory, 'truth'));
    return {
      own: score(spans, truth),
      baselines: BASELINES.map((baseline) => {
        const { name, parentOf } = baseline(spans);
        return { name, score: score(spans, truth, parentOf) };
      }),
      lost: reconstruction.losses.reduce((sum, { count }) => sum + count, 0),
      cpuSeconds: (user + system) / 1e6,
    };
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}
