import { readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { SegmentLog, type SegmentLogOptions } from '../../src/recorder/segment-log.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { sampleBatch } from '../store/sample-events.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { startFakeRecording } from './fake-source.js';
import { readAllRows, readRows, segmentPaths } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();

function openLog(changes: Partial<SegmentLogOptions> = {}) {
  const closed: string[] = [];
  const notes: string[] = [];
  const log = new SegmentLog({
    directory: temporaryDirectory(),
    header: {
      host: 'shop-1',
      bootId: '0f8c2b1e-9a64-4d7e-8a43-2f6b5c1d7e90',
      kernel: '6.1',
      recordingId: 'r',
      capture: 'socket',
      snaplen: 1024,
      redaction: '',
      filters: '',
    },
    monotonicOffsetNs: 1_790_000_000_000_000_000n,
    rotateBytes: 1 << 30,
    rotateMs: 3_600_000,
    clockRow: () => ({ timeNs: 1_790_000_000_000_000_001n, kind: EventKind.clock, count: 1n }),
    describe: () => [],
    onClosed: (path) => closed.push(path),
    onNote: (text) => notes.push(text),
    ...changes,
  });
  return { log, closed, notes };
}

test('a segment that has grown to the size limit is closed, and the next event opens another', () => {
  const { log, closed, notes } = openLog({ rotateBytes: 200_000 });
  let batches = 0;
  while (closed.length === 0 && batches < 100) log.write(sampleBatch(100, ++batches));
  expect(statSync(closed[0]!).size).toBeGreaterThanOrEqual(200_000);
  // One batch at most lies beyond the limit.
  expect(statSync(closed[0]!).size).toBeLessThan(200_000 * (1 + 2 / batches));
  expect(log.path).toBe('');
  log.write(sampleBatch(1));
  expect(log.path).not.toBe(closed[0]);
  expect(notes).toEqual([]);
});

test('a segment that has reached the age limit is closed at the next tick, not before', async () => {
  const { log, closed } = openLog({ rotateMs: 80 });
  log.write(sampleBatch(5));
  log.tick();
  expect(closed).toEqual([]);
  await sleep(100);
  log.tick();
  expect(closed).toHaveLength(1);
});

test('a segment begins and ends with a clock pair, and describes what was there before it', async () => {
  const { log, closed } = openLog({
    describe: (timeNs) => [{ timeNs, kind: EventKind.process, pid: 77, name: 'known' }],
  });
  log.write(sampleBatch(3));
  log.rotate();
  const rows = await readRows(closed[0]!);
  expect(rows[0]?.kind).toBe(EventKind.clock);
  expect(rows[1]).toMatchObject({ kind: EventKind.process, pid: 77, name: 'known' });
  expect(rows.at(-1)?.kind).toBe(EventKind.clock);
  expect(rows).toHaveLength(6);
});

test('segments are numbered without a hole and carry the number in header and name', async () => {
  const { log, closed } = openLog();
  for (let i = 0; i < 3; i++) {
    log.write(sampleBatch(1));
    log.rotate();
  }
  for (const [i, path] of closed.entries()) {
    const segment = await openSegment(path);
    expect(segment.header.sequence).toBe(i + 1);
    segment.close();
    expect(path).toMatch(/\/shop-1-0f8c2b1e-\d{8}T\d{9}Z-00000\d\.part$/);
  }
});

test('rotating without an open segment, and writing nothing, leave no file behind', () => {
  const directory = temporaryDirectory();
  const { log, closed } = openLog({ directory });
  log.write(sampleBatch(0));
  log.rotate();
  expect(closed).toEqual([]);
  expect(readdirSync(directory)).toEqual([]);
});

test('a recording of many segments keeps every event once, in files only the owner can read', async () => {
  const directory = join(temporaryDirectory(), 'new');
  const { source, stop } = await startFakeRecording(directory, { rotateBytes: 100_000 });
  for (let seed = 0; seed < 10; seed++) source.deliverSample(200, seed);
  await stop();
  const paths = segmentPaths(directory);
  expect(paths.length).toBeGreaterThan(3);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const path of paths) {
    expect(path).toMatch(/-[0-9a-f]{8}-\d{8}T\d{9}Z-\d{6}\.parquet$/);
    expect(path.startsWith(join(directory, hostname()))).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }
  const rows = await readAllRows(directory);
  const io = rows.filter(({ kind }) => kind === EventKind.send || kind === EventKind.receive);
  // Two of 200 sample events describe connections; those are repeated in every segment.
  expect(io).toHaveLength(2000 - 10 * 2);
  // Nothing but segments is left: no lock, no temporary file.
  expect(readdirSync(directory)).toHaveLength(['.aftertrace.head', ...paths].length);
});
