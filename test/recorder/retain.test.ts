import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseExpired, retain, type StoredSegment } from '../../src/recorder/retain.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { sampleBatch, sampleHeader } from '../store/sample-events.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { startFakeRecording } from './fake-source.js';
import { segmentPaths } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 24, 12);

function segmentName(sequence: number): string {
  return `shop-1-0f8c2b1e-20261124T090000000Z-${String(sequence).padStart(6, '0')}.parquet`;
}

function writeAged(directory: string, name: string, bytes: number, hoursOld: number): string {
  const path = join(directory, name);
  writeFileSync(path, Buffer.alloc(bytes));
  const seconds = (NOW - hoursOld * HOUR) / 1000;
  utimesSync(path, seconds, seconds);
  return path;
}

function stored(path: string, bytes: number, hoursOld: number): StoredSegment {
  return { path, bytes, modifiedMs: NOW - hoursOld * HOUR };
}

describe('which segments have to go', () => {
  const three = [stored('new', 100, 1), stored('old', 100, 3), stored('middle', 100, 2)];
  const choose = (limits: Parameters<typeof chooseExpired>[1], free = Infinity) =>
    chooseExpired(three, limits, NOW, free, 1000).map(({ path }) => path);

  test('none without limits, and none that is exactly at a limit', () => {
    expect(choose({})).toEqual([]);
    expect(choose({ maxTotalBytes: 300, maxAgeMs: 3 * HOUR })).toEqual([]);
  });

  test('by total size the oldest, as many as needed and no more', () => {
    expect(choose({ maxTotalBytes: 299 })).toEqual(['old']);
    expect(choose({ maxTotalBytes: 100 })).toEqual(['old', 'middle']);
  });

  test('by age all that are older', () => {
    expect(choose({ maxAgeMs: 1.5 * HOUR })).toEqual(['old', 'middle']);
  });

  test('by free space the oldest until enough is free', () => {
    expect(choose({ minFreeShare: 0.1 }, 100)).toEqual([]);
    expect(choose({ minFreeShare: 0.1 }, 50)).toEqual(['old']);
    expect(choose({ minFreeShare: 0.3 }, 50)).toEqual(['old', 'middle', 'new']);
  });

  test('of two equally old ones the first by name', () => {
    const twins = [stored('b', 100, 1), stored('a', 100, 1)];
    const expired = chooseExpired(twins, { maxTotalBytes: 100 }, NOW, Infinity, 1000);
    expect(expired.map(({ path }) => path)).toEqual(['a']);
  });
});

test('only closed segments of a recorder are deleted, whatever else lies in the directory', () => {
  const directory = temporaryDirectory();
  const segment = writeAged(directory, segmentName(1), 10, 50);
  const open = SegmentWriter.open(directory, sampleHeader());
  open.append(sampleBatch(10));
  writeAged(directory, 'spans.parquet', 10, 50);
  writeAged(directory, 'notes.txt', 10, 50);
  writeAged(directory, `${segmentName(2)}.tmp`, 10, 50);
  writeAged(directory, '.aftertrace.head', 10, 50);
  writeAged(directory, segmentName(5).replace('.parquet', '.part.age'), 10, 50);
  writeAged(directory, segmentName(6).replace('.parquet', '.arrow'), 10, 50);
  writeAged(directory, segmentName(3).replace('.parquet', '.compat.parquet'), 10, 50);
  mkdirSync(join(directory, segmentName(4)));
  const before = readdirSync(directory).length;
  const { expired } = retain(directory, { maxAgeMs: HOUR, maxTotalBytes: 0 }, NOW);
  expect(expired.map(({ path }) => path)).toEqual([segment]);
  expect(existsSync(segment)).toBe(false);
  expect(existsSync(open.path)).toBe(true);
  expect(readdirSync(directory)).toHaveLength(before - 1);
  open.close();
});

test('encrypted segments are deleted as others are, those that a killed recorder left too', () => {
  const directory = temporaryDirectory();
  const closed = writeAged(directory, `${segmentName(1)}.age`, 10, 50);
  const left = writeAged(directory, segmentName(2).replace('.parquet', '.arrow.age'), 10, 40);
  const young = writeAged(directory, `${segmentName(3)}.age`, 10, 0.5);
  const { expired } = retain(directory, { maxAgeMs: HOUR }, NOW);
  expect(expired.map(({ path }) => path)).toEqual([closed, left]);
  expect(readdirSync(directory)).toEqual([basename(young)]);
});

test('a recording applies the total size: the oldest segments are gone, the newest is kept', async () => {
  const directory = temporaryDirectory();
  const old = writeAged(directory, segmentName(1), 5_000_000, 1);
  const anHourAgo = (Date.now() - HOUR) / 1000;
  utimesSync(old, anHourAgo, anHourAgo);
  const limits = { maxTotalBytes: 4_000_000 };
  const { source, notes, stop } = await startFakeRecording(directory, { retention: limits });
  source.deliverSample(100);
  await stop();
  expect(existsSync(old)).toBe(false);
  expect(segmentPaths(directory)).toHaveLength(1);
  expect(notes.filter((note) => note.includes('deleted by the retention limits'))).toHaveLength(1);
});
