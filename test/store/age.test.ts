import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Batch } from '../../src/model/batch.js';
import { type Envelope, Recipients, readIdentities } from '../../src/store/age.js';
import { readCatalog } from '../../src/store/catalog.js';
import { SegmentConverter } from '../../src/store/convert.js';
import { recoverDirectory } from '../../src/store/recover.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { verifyPaths } from '../../src/store/verify.js';
import { inTimeOrder, sampleBatch, sampleHeader } from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();
const hasAge = spawnSync('age', ['--version']).status === 0;
/** A key of the age tool. */
const SECRET = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';
const PUBLIC = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
let recipients: Recipients;
beforeAll(() => {
  recipients = new Recipients([PUBLIC]);
});

async function openEncrypted(directory: string, sequence = 1): Promise<SegmentWriter> {
  return SegmentWriter.open(directory, sampleHeader({ sequence }), await recipients.seal());
}

async function batchesOf(path: string): Promise<Batch[]> {
  const segment = await openSegment(path, [SECRET]);
  const batches: Batch[] = [];
  for await (const batch of segment.read()) batches.push(batch);
  segment.close();
  return batches;
}

const contains = (path: string, text: string) => readFileSync(path).includes(text);

describe('an encrypted segment', () => {
  test('tells nothing on the disk, open or closed, and everything to its identity', async () => {
    const directory = temporaryDirectory();
    const writer = await openEncrypted(directory);
    const batch = sampleBatch(300);
    writer.append(batch);
    expect(basename(writer.path)).toMatch(/\.part\.age$/);
    expect(contains(writer.path, 'HTTP/1.1') || contains(writer.path, 'shop-1')).toBe(false);
    // Whole batches are on the disk at once, though chunks are 64 KiB.
    expect(inTimeOrder((await batchesOf(writer.path))[0]!)).toEqual(inTimeOrder(batch));
    const converter = new SegmentConverter(recipients);
    const { path, rows } = await converter.convert(writer.close(), writer.envelope);
    expect(basename(path)).toMatch(/\.parquet\.age$/);
    expect(rows).toBe(300);
    expect(contains(path, 'HTTP/1.1') || contains(path, 'shop-1')).toBe(false);
    expect(inTimeOrder((await batchesOf(path))[0]!)).toEqual(inTimeOrder(batch));
    expect(readdirSync(directory).sort()).toEqual(['.aftertrace.head', basename(path)]);
  });

  test('is refused by name without the identity, with another one, and when it was altered', async () => {
    const directory = temporaryDirectory();
    const writer = await openEncrypted(directory);
    writer.append(sampleBatch(10));
    const path = writer.close();
    await expect(openSegment(path)).rejects.toMatchObject({
      code: 'INPUT',
      place: path,
      message: 'is encrypted.',
      remedy: expect.stringContaining('--identity'),
    });
    const other = `AGE-SECRET-KEY-1${'Q'.repeat(52)}YJ3X0A`;
    await expect(openSegment(path, [other])).rejects.toMatchObject({ code: 'INPUT', place: path });
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    await expect(batchesOf(path)).rejects.toMatchObject({ code: 'INPUT', place: path });
    const { unreadable } = await readCatalog([directory]);
    expect(unreadable).toMatchObject([{ file: path }]);
  });

  test('left by a killed recorder stays readable, in the chain, to its last whole batch', async () => {
    const directory = temporaryDirectory();
    const first = await openEncrypted(directory, 1);
    first.append(sampleBatch(10));
    const converter = new SegmentConverter(recipients);
    await converter.convert(first.close(), first.envelope);
    const killed = await openEncrypted(directory, 2);
    killed.append(sampleBatch(20));
    killed.append(sampleBatch(20, 2));
    const whole = killed.bytes;
    killed.append(sampleBatch(20, 3));
    killed.close();
    // As it was when the process died in the middle of the third write.
    truncateSync(killed.path, whole + 1000);
    const { recovered } = await recoverDirectory(directory);
    expect(recovered).toMatchObject([{ rows: undefined }]);
    const left = recovered[0]!.path;
    expect(basename(left)).toMatch(/\.arrow\.age$/);
    expect((await batchesOf(left)).map(({ rows }) => rows)).toEqual([20, 20]);
    const next = await openEncrypted(directory, 3);
    next.append(sampleBatch(5));
    await converter.convert(next.close(), next.envelope);
    const verified = await verifyPaths([directory], [SECRET]);
    expect(verified).toMatchObject({ problems: [], limits: [], unreadable: [] });
    expect(verified.segments.every(({ vouchedBy }) => vouchedBy !== '')).toBe(true);
    appendFileSync(left, 'x');
    expect((await verifyPaths([directory], [SECRET])).problems).toMatchObject([
      { file: left, breach: 'altered' },
    ]);
  });

  test('cannot be verified without the identity, and that is no breach', async () => {
    const directory = temporaryDirectory();
    const converter = new SegmentConverter(recipients);
    for (const sequence of [1, 2]) {
      const writer = await openEncrypted(directory, sequence);
      writer.append(sampleBatch(5));
      await converter.convert(writer.close(), writer.envelope);
    }
    const { problems, unreadable } = await verifyPaths([directory]);
    expect(problems).toEqual([]);
    expect(unreadable).toHaveLength(2);
  });
});

describe.runIf(hasAge)('the age tool', () => {
  const identityFile = () => {
    const path = join(temporaryDirectory(), 'key.txt');
    writeFileSync(path, `# a key\n${SECRET}\n`);
    return path;
  };

  test('decrypts a closed segment to the bytes that would lie there in the clear', async () => {
    const directory = temporaryDirectory();
    const writer = await openEncrypted(directory);
    // More than one chunk, and not a multiple.
    writer.append(sampleBatch(3000));
    const { path } = await new SegmentConverter(recipients).convert(
      writer.close(),
      writer.envelope as Envelope,
    );
    const plain = path.replace(/\.age$/, '');
    execFileSync('age', ['--decrypt', '-i', identityFile(), '-o', plain, path]);
    expect(statSync(plain).size).toBeGreaterThan(65_536);
    const [open, closed] = [(await batchesOf(path))[0]!, (await batchesOf(plain))[0]!];
    expect(closed.rows).toBe(3000);
    for (const column of ['time_ns', 'sequence', 'connection'] as const) {
      expect(closed[column]).toEqual(open[column]);
    }
    expect(Buffer.compare(closed.payload.data, open.payload.data)).toBe(0);
  });

  test('decrypts what a killed recorder left, chunk by chunk', async () => {
    const writer = await openEncrypted(temporaryDirectory());
    writer.append(sampleBatch(50));
    const { status, stdout } = spawnSync('age', ['--decrypt', '-i', identityFile(), writer.path], {
      maxBuffer: 1 << 26,
    });
    writer.close();
    // It says that the end is missing, and gives what there is.
    expect(status).not.toBe(0);
    expect(stdout.includes('GET /cart/')).toBe(true);
  });

  test('encrypts a segment that is read here', async () => {
    const directory = temporaryDirectory();
    const writer = SegmentWriter.open(directory, sampleHeader());
    const batch = sampleBatch(100);
    writer.append(batch);
    const { path } = await new SegmentConverter().convert(writer.close());
    const saved = join(directory, 'saved');
    renameSync(path, saved);
    execFileSync('age', ['-r', PUBLIC, '-o', `${path}.age`, saved]);
    expect(inTimeOrder((await batchesOf(`${path}.age`))[0]!)).toEqual(inTimeOrder(batch));
  });
});

test('keys come as they are or in files; what is none is refused by name', () => {
  const file = join(temporaryDirectory(), 'keys');
  writeFileSync(file, `# mine\n\n${SECRET}\n`);
  expect(readIdentities([file])).toEqual([SECRET]);
  expect(() => new Recipients(['nonsense'])).toThrowError(
    expect.objectContaining({ code: 'USAGE', place: 'nonsense' }),
  );
  expect(() => readIdentities([PUBLIC])).toThrowError(expect.objectContaining({ code: 'USAGE' }));
});
