// What a disk can do to a recording besides being full: vanish, turn read-only, be slow, be nearly full.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { EventFlag, EventKind, LossCause, type LossDetail } from '../../src/model/event.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { startFakeRecording } from './fake-source.js';
import { ofKind, readAllRows, type StoredRow } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();
const mounted: string[] = [];

function mount(options: string, directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'pipe' });
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const directory = temporaryDirectory();
  try {
    mount('size=1m', directory);
    execFileSync('umount', [directory], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

const possible = canMount();
beforeAll(() => {
  if (!possible) console.warn('SKIPPED: recording to a read-only disk: it needs root and mount.');
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const directory of mounted.splice(0)) execFileSync('umount', [directory], { stdio: 'pipe' });
});

/** Events of the source among rows: not what the recorder repeats at the start of segments. */
function eventsOf(rows: readonly StoredRow[]): StoredRow[] {
  return rows.filter(
    ({ kind, flags }) => kind < EventKind.process && !(flags & EventFlag.snapshot),
  );
}

function lossesOf(rows: readonly StoredRow[], cause: LossCause) {
  return ofKind(rows, EventKind.loss)
    .filter(({ name }) => name === cause)
    .map(({ count, timeNs, detail }) => ({
      count: Number(count),
      timeNs,
      ...(JSON.parse(detail) as LossDetail),
    }));
}

test('a directory that is removed comes back, and what went with it is in the ledger', async () => {
  const directory = temporaryDirectory();
  const { source, notes, stop } = await startFakeRecording(directory);
  source.deliverSample(500);
  await sleep(1500);
  rmSync(directory, { recursive: true });
  source.deliverSample(300, 2);
  await vi.waitFor(() => expect(notes.at(-1)).toBe('the disk takes data again'), 15_000);
  source.deliverSample(200, 3);
  const { dropped } = await stop();
  expect(notes.filter((note) => note.includes('Recording goes on'))).toEqual([
    expect.stringContaining('was deleted while it was written'),
  ]);
  const rows = await readAllRows(directory);
  expect(eventsOf(rows).length + dropped.disk).toBe(1000);
  expect(dropped.disk).toBeGreaterThanOrEqual(500);
  const losses = lossesOf(rows, LossCause.disk);
  expect(losses.map(({ count }) => count)).toEqual([dropped.disk]);
  expect(losses[0]?.scope).toBe('events in a segment that was deleted while it was written');
  expect(BigInt(losses[0]?.fromNs ?? 0)).toBeLessThan(losses[0]!.timeNs);
});

test('a slow disk is told, and nothing is lost by it', async () => {
  const directory = temporaryDirectory();
  const sync = SegmentWriter.prototype.sync;
  let slow = 1;
  vi.spyOn(SegmentWriter.prototype, 'sync').mockImplementation(function (this: SegmentWriter) {
    // Blocks the thread, as a disk does.
    if (slow-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5200);
    sync.call(this);
  });
  const { source, notes, stop } = await startFakeRecording(directory);
  source.deliverSample(100);
  await sleep(2500);
  source.deliverSample(100, 2);
  const { dropped } = await stop();
  expect(notes).toEqual([expect.stringMatching(/the disk is slow, a write took 5\.\d s/)]);
  const rows = await readAllRows(directory);
  expect(eventsOf(rows)).toHaveLength(200);
  expect(dropped.disk).toBe(0);
});

test('less free space than asked for holds the recording in memory until there is more', async () => {
  const directory = temporaryDirectory();
  const { source, notes, stop } = await startFakeRecording(directory, {
    retention: { minFreeShare: 1 },
  });
  source.deliverSample(700);
  await sleep(1500);
  expect(readdirSync(directory).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect(notes).toEqual([expect.stringContaining('--min-free')]);
  const final = await stop();
  expect(final.dropped.disk).toBe(700);
  expect(final.segment).toBe('');
});

describe.runIf(possible)('a disk that turns read-only', () => {
  test('is noticed; recording goes on in memory and all of it is stored when it can be written again', async () => {
    const directory = temporaryDirectory();
    mount('size=64m', directory);
    mounted.push(directory);
    const { source, notes, stop } = await startFakeRecording(directory, { rotateMs: 500 });
    source.deliverSample(400);
    await sleep(2500);
    // A segment that is open keeps a disk from being remounted: for a moment none is.
    await vi.waitFor(
      () => execFileSync('mount', ['-o', 'remount,ro', directory], { stdio: 'pipe' }),
      { timeout: 20_000, interval: 20 },
    );
    source.deliverSample(300, 2);
    await vi.waitFor(() => expect(notes.some((note) => /read-only/.test(note))).toBe(true), 10_000);
    execFileSync('mount', ['-o', 'remount,rw', directory], { stdio: 'pipe' });
    await vi.waitFor(() => expect(notes.at(-1)).toBe('the disk takes data again'), 10_000);
    const { dropped } = await stop();
    expect(dropped.disk).toBe(0);
    expect(existsSync(directory)).toBe(true);
    expect(eventsOf(await readAllRows(directory))).toHaveLength(700);
  });
});
