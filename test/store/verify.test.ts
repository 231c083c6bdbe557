import { createHash } from 'node:crypto';
import {
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { convertSegment } from '../../src/store/convert.js';
import { recoverDirectory } from '../../src/store/recover.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { verifyPaths } from '../../src/store/verify.js';
import { SAMPLE_START_NS, sampleBatch, sampleHeader } from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();
let directory: string;
/** Paths of four closed segments, the oldest first. */
let chain: string[];

function writePart(sequence: number): string {
  const startNs = SAMPLE_START_NS + BigInt(sequence) * 1_000_000_000n;
  const header = sampleHeader({ sequence, startNs: startNs.toString() });
  const writer = SegmentWriter.open(directory, header);
  writer.append(sampleBatch(20, sequence, startNs));
  return writer.close();
}

beforeEach(async () => {
  directory = temporaryDirectory();
  chain = [];
  for (let sequence = 1; sequence <= 4; sequence++) {
    chain.push((await convertSegment(writePart(sequence))).path);
  }
});

const breaches = async (newest?: string) => {
  const { problems } = await verifyPaths([directory], [], newest);
  return problems.map(({ file, breach }) => [basename(file), breach]);
};
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const name = (index: number) => basename(chain[index]!);

test('a whole chain is vouched for by the next segment, the newest by the head', async () => {
  const { segments, problems, limits, unreadable } = await verifyPaths([directory]);
  expect(segments).toEqual(
    chain.map((path, i) => ({
      path,
      sha256: sha256(path),
      vouchedBy: i === 3 ? 'head' : name(i + 1),
    })),
  );
  expect({ problems, limits, unreadable }).toEqual({ problems: [], limits: [], unreadable: [] });
});

describe('a broken chain names the segment', () => {
  test.each([0, 1, 3])('when a byte of number %i is altered, wherever it is', async (index) => {
    const path = chain[index]!;
    const good = readFileSync(path);
    for (const at of [0, 100, good.length >> 1, good.length - 30]) {
      const bad = Buffer.from(good);
      bad[at]! ^= 1;
      writeFileSync(path, bad);
      expect(await breaches()).toContainEqual([name(index), 'altered']);
    }
    writeFileSync(path, good);
    expect(await breaches()).toEqual([]);
  });

  test('when it is truncated', async () => {
    truncateSync(chain[1]!, 500);
    const { problems } = await verifyPaths([directory]);
    expect(problems).toContainEqual({
      file: chain[1],
      breach: 'altered',
      text: expect.stringContaining('is truncated'),
    });
  });

  test('when one in the middle, or the newest, is removed', async () => {
    unlinkSync(chain[2]!);
    expect(await breaches()).toContainEqual([name(2), 'missing']);
    unlinkSync(chain[3]!);
    expect(await breaches()).toContainEqual([name(3), 'missing']);
  });

  test('when two are swapped', async () => {
    const spare = join(directory, 'spare');
    renameSync(chain[1]!, spare);
    renameSync(chain[2]!, chain[1]!);
    renameSync(spare, chain[2]!);
    const found = await breaches();
    expect(found).toContainEqual([name(1), 'renamed']);
    expect(found).toContainEqual([name(2), 'renamed']);
  });

  test('when one is put in that is no part of it', async () => {
    const other = temporaryDirectory();
    const writer = SegmentWriter.open(other, sampleHeader({ sequence: 9 }));
    writer.append(sampleBatch(5));
    const { path } = await convertSegment(writer.close());
    copyFileSync(path, join(directory, basename(path)));
    expect(await breaches()).toEqual([[basename(path), 'outside']]);
  });
});

test('what retention deleted is no breach: the chain begins later, and that is said', async () => {
  unlinkSync(chain[0]!);
  unlinkSync(chain[1]!);
  const { problems, limits } = await verifyPaths([directory]);
  expect(problems).toEqual([]);
  expect(limits).toEqual([expect.stringMatching(/the chain begins here\. .*000002\.parquet/)]);
});

test('without the head nothing vouches for the newest; a SHA-256 kept elsewhere does', async () => {
  const kept = sha256(chain[3]!);
  rmSync(join(directory, '.aftertrace.head'));
  const { problems, limits } = await verifyPaths([directory]);
  expect(problems).toEqual([]);
  expect(limits).toEqual([expect.stringContaining('vouches for the newest segment')]);
  expect(await breaches(kept)).toEqual([]);
  unlinkSync(chain[3]!);
  expect(await breaches()).toEqual([]);
  expect(await breaches(kept)).toEqual([[basename(directory), 'missing']]);
});

test('a recovered segment goes on with the chain, after a crash at any step', async () => {
  const part = writePart(5);
  copyFileSync(part, `${part}.saved`);
  copyFileSync(join(directory, '.aftertrace.head'), join(directory, 'head.saved'));
  const { recovered } = await recoverDirectory(directory);
  expect(await breaches()).toEqual([]);
  // Named, and in the chain, but the .part was not removed yet.
  renameSync(`${part}.saved`, part);
  copyFileSync(part, `${part}.saved`);
  expect((await recoverDirectory(directory)).recovered).toMatchObject([
    { path: recovered[0]!.path, sha256: recovered[0]!.sha256 },
  ]);
  expect(await breaches()).toEqual([]);
  // Named, and not in the chain.
  renameSync(`${part}.saved`, part);
  renameSync(join(directory, 'head.saved'), join(directory, '.aftertrace.head'));
  await recoverDirectory(directory);
  expect(await breaches()).toEqual([]);
  expect((await verifyPaths([directory])).segments).toHaveLength(5);
});

test('a later recording goes on with the chain of the directory', async () => {
  const header = sampleHeader({ recordingId: 'another', startNs: '1799999999000000000' });
  const writer = SegmentWriter.open(directory, header);
  writer.append(sampleBatch(5));
  const { path } = await convertSegment(writer.close());
  unlinkSync(chain[3]!);
  const { problems } = await verifyPaths([directory]);
  // The one that is gone was who vouched for the one before it.
  expect(problems).toEqual([
    { file: chain[3], breach: 'missing', text: expect.stringContaining(basename(path)) },
    { file: chain[2], breach: 'outside', text: expect.any(String) },
  ]);
});
