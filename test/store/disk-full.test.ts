import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CodedError } from '../../src/model/errors.js';
import { convertSegment } from '../../src/store/convert.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { sampleBatch, sampleHeader } from './sample-events.js';
import { useTemporaryDirectories } from './temporary.js';

const temporaryDirectory = useTemporaryDirectories();
const mounted: string[] = [];

function mountSmallDisk(): string {
  const directory = temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'pipe' });
  mounted.push(directory);
  return directory;
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('umount', [mountSmallDisk()], { stdio: 'pipe' });
    mounted.pop();
    return true;
  } catch {
    return false;
  }
}

const possible = canMount();
beforeAll(() => {
  if (!possible) console.warn('SKIPPED: the full-disk tests need root and mount.');
});
// Runs before the directories are removed: hooks run in reverse order.
afterEach(() => {
  for (const directory of mounted.splice(0)) execFileSync('umount', [directory], { stdio: 'pipe' });
});

/** Appends until the disk refuses; returns how many batches were taken. */
function fill(writer: SegmentWriter): number {
  for (let count = 0; count < 1000; count++) {
    try {
      writer.append(sampleBatch(300, count));
    } catch (error) {
      expect(error).toBeInstanceOf(CodedError);
      expect(error).toMatchObject({ code: 'OUTPUT', place: writer.path });
      expect((error as CodedError).message).toContain('disk is full');
      return count;
    }
  }
  throw new Error('the disk did not fill up');
}

describe.runIf(possible)('a full disk', () => {
  test('loses the batch that did not fit and nothing else; later ones land', async () => {
    const directory = mountSmallDisk();
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(200_000));
    const writer = SegmentWriter.open(directory, sampleHeader());
    const count = fill(writer);
    const before = await openSegment(writer.path);
    expect(before).toMatchObject({ rows: count * 300, tornBytes: 0 });
    before.close();
    rmSync(ballast);
    writer.append(sampleBatch(300, 5000));
    writer.close();
    const after = await openSegment(writer.path);
    expect(after).toMatchObject({ rows: (count + 1) * 300, tornBytes: 0 });
    let rows = 0;
    for await (const batch of after.read()) rows += batch.rows;
    expect(rows).toBe(after.rows);
    after.close();
  });

  test('refuses a new segment, and leaves neither a file nor a descriptor of it', () => {
    const directory = mountSmallDisk();
    const writer = SegmentWriter.open(directory, sampleHeader());
    fill(writer);
    // What a page of the disk has left over goes too.
    const rest = join(directory, 'rest');
    for (let size = 65_536; size > 0; size = size === 1 ? 0 : size >> 1) {
      try {
        appendFileSync(rest, Buffer.alloc(size));
      } catch {}
    }
    const files = readdirSync(directory);
    const descriptors = readdirSync('/proc/self/fd').length;
    for (let sequence = 2; sequence < 22; sequence++) {
      const open = () => SegmentWriter.open(directory, sampleHeader({ sequence }));
      expect(open).toThrow(CodedError);
    }
    expect(readdirSync(directory)).toEqual(files);
    expect(readdirSync('/proc/self/fd').length).toBe(descriptors);
    try {
      writer.close();
    } catch {
      // The end mark may not fit: what counts is that the file is closed.
    }
  });

  test('stops a conversion, which leaves the open segment as it was', async () => {
    const directory = mountSmallDisk();
    const writer = SegmentWriter.open(directory, sampleHeader());
    const count = fill(writer);
    try {
      writer.close();
    } catch {
      // The end mark may not fit either; the stream is whole without it.
    }
    await expect(convertSegment(writer.path)).rejects.toMatchObject({ code: 'OUTPUT' });
    expect(readdirSync(directory)).toHaveLength(1);
    const segment = await openSegment(writer.path);
    expect(segment.rows).toBe(count * 300);
    segment.close();
  });
});
