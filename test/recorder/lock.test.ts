import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CodedError, describeError } from '../../src/model/errors.js';
import { lockDirectory } from '../../src/recorder/lock.js';
import { startTicksOf } from '../../src/recorder/proc.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { startFakeRecording } from './fake-source.js';
import { segmentPaths } from './read-rows.js';

const temporaryDirectory = useTemporaryDirectories();
const LOCK = '.aftertrace.lock';

function refusal(action: () => unknown): CodedError {
  try {
    action();
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('a directory is created for its owner alone, locked, and free again after the release', () => {
  const directory = join(temporaryDirectory(), 'a', 'b');
  const { release } = lockDirectory(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, LOCK)).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(directory, LOCK), 'utf8')).toBe(
    `${process.pid} ${startTicksOf(process.pid)}\n`,
  );
  release();
  expect(existsSync(join(directory, LOCK))).toBe(false);
  lockDirectory(directory).release();
});

test('a second lock is refused with the directory, the pid of the holder and what to do', () => {
  const directory = temporaryDirectory();
  const { release } = lockDirectory(directory);
  const error = refusal(() => lockDirectory(directory));
  expect(error).toMatchObject({ code: 'OUTPUT', place: directory });
  expect(describeError(error)).toBe(
    `${directory}: is in use by the recorder with pid ${process.pid}. Stop that one or record to another directory.`,
  );
  // The refused one left the lock of the first in place.
  expect(existsSync(join(directory, LOCK))).toBe(true);
  release();
});

describe('the lock of a recorder that is gone is taken over', () => {
  // Init has pid 1 in any pid namespace, and did not start at tick 999999999999.
  const dead = spawnSync('true').pid;
  test.each([
    ['its process ended', `${dead} 12345\n`],
    ['its pid belongs to another process now', '1 999999999999\n'],
    ['it was killed before it could write its pid', ''],
    ['it is not ours to understand', 'hello\n'],
  ])('%s', (_, content) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, LOCK), content);
    const { release } = lockDirectory(directory);
    expect(readFileSync(join(directory, LOCK), 'utf8')).toContain(`${process.pid} `);
    release();
  });
});

test('a directory that cannot be is refused with its name and what to do', () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  // /proc is there, and says of everything below that it is not.
  for (const place of [file, join(file, 'below'), '/proc/nothing/below']) {
    const error = refusal(() => lockDirectory(place));
    expect(error.code).toBe('OUTPUT');
    expect(place).toContain(error.place);
    expect(error.remedy).toBe('Choose a writable directory.');
  }
});

test('a second recorder on the directory of a first is refused; the first one goes on', async () => {
  const directory = temporaryDirectory();
  const first = await startFakeRecording(directory);
  await expect(startFakeRecording(directory)).rejects.toMatchObject({
    code: 'OUTPUT',
    message: `is in use by the recorder with pid ${process.pid}.`,
  });
  first.source.deliverSample(10);
  await first.stop();
  expect(segmentPaths(directory)).toHaveLength(1);
  // Stopped, it leaves the directory to the next one.
  await (await startFakeRecording(directory)).stop();
});
