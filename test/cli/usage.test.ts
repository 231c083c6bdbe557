import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useTemporaryDirectories } from '../store/temporary.js';
import { expectOneError, runCli } from './run-cli.js';

const temporaryDirectory = useTemporaryDirectories();

// Wrong usage ends with 2 and one line before anything is read, captured or written.
// Processes of these tests run side by side: each is mostly the start of Node.
describe.concurrent('wrong usage is answered with one line and exit code 2', () => {
  const RECORD = ['record', '--out', 'never-made'];
  const RECONSTRUCT = ['reconstruct', '.', '--out', 'never-made'];
  test.each<[string[], string]>([
    [[], 'a command is missing. See `aftertrace --help`.'],
    [['frobnicate'], 'Unknown argument: frobnicate. See `aftertrace --help`.'],
    [['inspekt'], 'Did you mean inspect? See `aftertrace --help`.'],
    [[...RECORD, '--bogus'], 'Unknown argument: bogus.'],
    [['record'], 'Missing required argument: out.'],
    [['export', '.', '--out', 'never-made'], 'Missing required argument: compat.'],
    [
      ['export', '.', '--no-compat', '--out', 'never-made'],
      '--no-compat: there is no other form yet.',
    ],
    [['record', '--out'], '--out: needs a value.'],
    [[...RECORD, '--out', 'other'], '--out: was given more than once. Give it once.'],
    [[...RECORD, '--port'], 'Not enough arguments following: port.'],
    [[...RECORD, '--port', 'abc'], '--port: must be a whole number from 1 to 65535.'],
    [[...RECORD, '--snaplen', '9999'], '--snaplen: must be a whole number from 0 to 4096.'],
    [[...RECORD, '--rotate-size', '5x'], '--rotate-size: "5x" is not a size such as 64MiB.'],
    [[...RECORD, '--duration', '5'], '--duration: "5" is not a duration such as 90s'],
    [[...RECORD, '--cgroup', 'nope'], '--cgroup nope: no such cgroup.'],
    [[...RECONSTRUCT, '--from', '25:00'], '--from: "25:00" is not a time. Use 2026-'],
    [[...RECONSTRUCT, '--from', '12:00', '--to', '11:00'], '--to: is not after --from.'],
    [[...RECONSTRUCT, '--min-confidence', '0.2'], '--min-confidence: must be from 0.5 to 1.'],
  ])('%j', async (args, text) => {
    expectOneError(await runCli(args), 2, text);
    expect(existsSync('never-made')).toBe(false);
  });
});

test('-v adds the stack of a cause, never of a plain usage error', async () => {
  expectOneError(await runCli(['inspect', '/nowhere']), 1, '/nowhere: cannot read');
  const { stderr } = await runCli(['inspect', '/nowhere', '-v']);
  expect(stderr).toMatch(/no such file or directory. Check the path.\n.*ENOENT.*\n\s+at /);
  expectOneError(await runCli(['frobnicate', '-v']), 2, 'Unknown argument');
});

test('control bytes of an argument do not reach the terminal', async () => {
  const { stderr } = await runCli(['inspect', join(temporaryDirectory(), 'a\x1b[31mb')]);
  expect(stderr).toContain('a\\u{1b}[31mb');
  expect(stderr).not.toContain('\x1b');
});
