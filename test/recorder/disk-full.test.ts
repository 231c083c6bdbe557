import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { type FakeSource, startFakeRecording } from './fake-source.js';
import { ofKind, readAllRows, type StoredRow } from './read-rows.js';

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
  if (!possible) console.warn('SKIPPED: recording to a full disk: it needs root and mount.');
});
// Runs before the directories are removed: hooks run in reverse order.
afterEach(() => {
  for (const directory of mounted.splice(0)) execFileSync('umount', [directory], { stdio: 'pipe' });
});

/** Sends more than the disk takes, second after second, as a busy host does. */
async function flood(source: FakeSource, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (let i = 0; i < 5; i++) source.deliverSample(1000, second * 5 + i);
    await sleep(1050);
  }
}

function countIo(rows: readonly StoredRow[]): number {
  return rows.filter(({ kind }) => kind < EventKind.process).length;
}

describe.runIf(possible)('a recording whose disk is full', () => {
  test('says so once, goes on, counts what is lost, and keeps what was written readable', async () => {
    const directory = mountSmallDisk();
    const { source, notes, stop } = await startFakeRecording(directory);
    await flood(source, 3);
    const { dropped, segment } = await stop();
    expect(segment).toBe('');
    const refusals = notes.filter((note) => note.includes('Recording goes on'));
    expect(refusals).toEqual([
      expect.stringMatching(
        /^\/tmp\/\S+\.part: cannot write: the disk is full\. Free space, or lower/,
      ),
    ]);
    expect(notes).not.toContain('the disk takes data again');
    // The copies of connections that segments begin with are not events of the source.
    const stored = (await readAllRows(directory)).filter(
      ({ flags }) => !(flags & EventFlag.snapshot),
    );
    expect(countIo(stored)).toBeGreaterThan(3000);
    expect(countIo(stored) + dropped.disk).toBe(15_000);
  });

  test('notes when there is room again, and stores what waited in memory', async () => {
    const directory = mountSmallDisk();
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(900_000));
    const { source, notes, stop } = await startFakeRecording(directory);
    for (let i = 0; i < 2; i++) source.deliverSample(1000, i);
    expect(notes.filter((note) => note.includes('disk is full'))).toHaveLength(1);
    rmSync(ballast);
    await sleep(3200);
    expect(notes.at(-1)).toBe('the disk takes data again');
    source.deliverSample(1000, 3);
    const { dropped } = await stop();
    // What came meanwhile waited in memory: nothing is lost.
    const rows = await readAllRows(directory);
    expect(dropped.disk).toBe(0);
    expect(ofKind(rows, EventKind.loss)).toEqual([]);
    expect(countIo(rows.filter(({ flags }) => !(flags & EventFlag.snapshot)))).toBe(3000);
  });
});
