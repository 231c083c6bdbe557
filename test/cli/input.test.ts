import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useTemporaryDirectories } from '../store/temporary.js';
import { expectOneError, runCli } from './run-cli.js';
import { writeSegment } from './segments.js';

const temporaryDirectory = useTemporaryDirectories();

/** Commands that read segments, with what they need besides. */
const READERS: [string, (out: string) => string[]][] = [
  ['inspect', () => []],
  ['export', (out) => ['--compat', '--out', join(out, 'x')]],
  ['reconstruct', (out) => ['--out', join(out, 'x')]],
];

test.each(READERS)(
  '%s of input that is no recording ends with 1 and names it',
  async (name, more) => {
    const empty = temporaryDirectory();
    const gone = join(empty, 'gone');
    const args = more(temporaryDirectory());
    const [ofGone, ofEmpty] = await Promise.all([
      runCli([name, gone, ...args]),
      runCli([name, empty, ...args]),
    ]);
    expectOneError(ofGone, 1, `${gone}: cannot read: no such file or directory. Check the path.`);
    expectOneError(
      ofEmpty,
      1,
      `${empty}: holds no segments. Name a directory that aftertrace record`,
    );
  },
);

test.each(READERS.slice(0, 2))(
  '%s of a foreign file alone ends with 1 and names it once',
  async (name, more) => {
    const path = join(temporaryDirectory(), 'notes.txt');
    writeFileSync(path, 'not a segment, but longer than a footer is');
    const result = await runCli([name, path, ...more(temporaryDirectory())]);
    expectOneError(result, 1, `${path}: is not a Parquet file. Name segments of aftertrace.`);
  },
);

test.each(READERS)(
  '%s uses what is readable, names the rest once, and ends with 3',
  async (name, more) => {
    const directory = temporaryDirectory();
    await writeSegment(directory);
    const damaged = await writeSegment(directory, 500, 2);
    truncateSync(damaged, 1000);
    const result = await runCli([name, directory, ...more(temporaryDirectory())]);
    expect(result.code).toBe(3);
    expect(result.stdout).not.toBe('');
    const warnings = result.stderr.split('\n').filter((line) => line.startsWith('warning:'));
    expect(warnings).toEqual([expect.stringContaining(damaged)]);
  },
);

test('record of a place that cannot be a directory names it, and does not say it records', async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  const result = await runCli(['record', '--out', join(file, 'below'), '--duration', '1s']);
  expect(result).toMatchObject({ code: 1, stdout: '' });
  // Without the privilege to record, that is said first.
  expect(result.stderr).toMatch(/below: cannot be created|CAP_BPF|addon/);
  expect(result.stderr).not.toContain('recording to');
});
