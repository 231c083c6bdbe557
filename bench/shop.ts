/**
 * How right the reconstruction of a recorded shop is: takes a directory that holds segments/ and
 * truth/, as the demo leaves it, and prints the score as JSON.
 *
 *   node --import tsx bench/shop.ts DIR
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reconstruct } from '../src/reconstruct/reconstruct.js';
import { readReconstruction } from '../src/store/span-store.js';
import { score } from './accuracy/score.js';
import { readTruth } from './accuracy/truth.js';

const directory = process.argv[2];
if (directory === undefined) {
  console.error('usage: node --import tsx bench/shop.ts DIR');
  process.exit(2);
}
const output = mkdtempSync(join(tmpdir(), 'aftertrace-shop-'));
try {
  await reconstruct({ inputs: [join(directory, 'segments')], output });
  const { spans, reconstruction } = await readReconstruction(output);
  const toMs = (ns: string) => Number(BigInt(ns) / 1_000_000n);
  const truth = readTruth(join(directory, 'truth'), {
    from: toMs(reconstruction.fromNs),
    to: toMs(reconstruction.toNs),
  });
  const { services, ...rest } = score(spans, truth);
  console.log(JSON.stringify({ ...rest, services: Object.fromEntries(services) }, undefined, 2));
} finally {
  rmSync(output, { recursive: true, force: true });
}
