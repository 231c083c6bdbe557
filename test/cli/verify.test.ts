import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { useTemporaryDirectories } from '../store/temporary.js';
import { runCli } from './run-cli.js';
import { writeSegment } from './segments.js';

const temporaryDirectory = useTemporaryDirectories();
let directory: string;
let first: string;
beforeEach(async () => {
  directory = temporaryDirectory();
  first = await writeSegment(directory, 20, 1);
  await writeSegment(directory, 20, 2);
});

test('inspect --verify exits with 0 for a whole chain, and names the newest SHA-256', async () => {
  const { code, stdout } = await runCli(['inspect', '--verify', directory]);
  expect(code).toBe(0);
  expect(stdout).toContain('2 closed segments, 2 of them vouched for');
  expect(stdout).toMatch(/newest: [0-9a-f]{64} {2}.*000002\.parquet/);
});

test('inspect --verify exits with 1 and names what was altered, in words and as JSON', async () => {
  const bytes = readFileSync(first);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(first, bytes);
  const text = await runCli(['inspect', '--verify', directory]);
  expect(text.code).toBe(1);
  expect(text.stdout).toContain(`ALTERED ${first}`);
  expect(text.stdout).toContain('THE CHAIN IS BROKEN');
  const json = await runCli(['inspect', '--verify', '--json', directory]);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout).problems).toMatchObject([{ file: first, breach: 'altered' }]);
});

test('--head demands a SHA-256 that was kept elsewhere, and is checked', async () => {
  const absent = await runCli(['inspect', '--verify', '--head', '0'.repeat(64), directory]);
  expect(absent.code).toBe(1);
  expect(absent.stdout).toContain(`MISSING ${basename(directory)}`);
  const bad = await runCli(['inspect', '--verify', '--head', 'abc', directory]);
  expect(bad).toMatchObject({ code: 2 });
  expect(bad.stderr).toContain('--head abc');
  expect((await runCli(['inspect', '--head', '0'.repeat(64), directory])).code).toBe(2);
});

test('a key that is none is refused by name, to read with as to encrypt to', async () => {
  const read = await runCli(['inspect', '--identity', 'nonsense', directory]);
  expect(read).toMatchObject({ code: 2 });
  expect(read.stderr).toContain('nonsense');
  const write = await runCli(['record', '--out', directory, '--encrypt-to', 'nonsense']);
  expect(write).toMatchObject({ code: 2 });
  expect(write.stderr).toContain('nonsense');
});
