import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { useTemporaryDirectories } from '../store/temporary.js';
import { CLI_ARGUMENTS, expectOneError, runCli } from './run-cli.js';
import { writeCopies, writeSegment } from './segments.js';

const temporaryDirectory = useTemporaryDirectories();

test('inspect --json is JSON alone, with the same facts as the text', async () => {
  const directory = temporaryDirectory();
  const segment = await writeSegment(directory, 500);
  const [json, plain] = await Promise.all([
    runCli(['inspect', directory, '--json']),
    runCli(['inspect', directory]),
  ]);
  expect(json).toMatchObject({ code: 0, stderr: '' });
  const result = JSON.parse(json.stdout);
  expect(result).toMatchObject({ rows: 500, losses: {}, unreadable: [], warnings: [] });
  expect(result.segments).toMatchObject([{ path: segment, rows: 500, partial: false }]);
  expect(plain).toMatchObject({ code: 0, stderr: '' });
  expect(plain.stdout).toContain(`${segment}\n`);
  expect(plain.stdout).toContain(' · 500 rows · ');
  expect(plain.stdout).toMatch(/^host shop-1, boot 0f8c2b1e: 1 segments, 500 rows/m);
  expect(plain.stdout).toMatch(/^lost: nothing$/m);
});

test('a reader that closes early, as head does, is no error', async () => {
  const directory = temporaryDirectory();
  // More than a pipe holds, so that the command still writes when the reader is gone.
  await writeCopies(directory, 8, 300);
  const words = [process.execPath, ...CLI_ARGUMENTS, 'inspect', directory, '--json'];
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `${quoted} | head -1; exit \${PIPESTATUS[0]}`;
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = await once(child, 'close');
  expect({ code, stdout: await stdout, stderr: await stderr }).toEqual({
    code: 0,
    stdout: '{\n',
    stderr: '',
  });
});

test('export writes a file per segment for its owner alone, and prints their names', async () => {
  const directory = temporaryDirectory();
  const segment = await writeSegment(directory);
  const out = join(temporaryDirectory(), 'old');
  const target = join(out, basename(segment).replace('.parquet', '.compat.parquet'));
  const result = await runCli(['export', directory, '--compat', '--out', out]);
  expect(result).toEqual({ code: 0, stdout: `${target}\n`, stderr: '' });
  expect(statSync(out).mode & 0o777).toBe(0o700);
  expect(statSync(target).mode & 0o777).toBe(0o600);
});

test('export overwrites nothing', async () => {
  const directory = temporaryDirectory();
  const segment = await writeSegment(directory);
  const out = temporaryDirectory();
  const target = join(out, basename(segment).replace('.parquet', '.compat.parquet'));
  writeFileSync(target, 'precious');
  const result = await runCli(['export', directory, '--compat', '--out', out]);
  expectOneError(result, 1, `${target}: exists already. Remove it or name another file.`);
  expect(statSync(target).size).toBe('precious'.length);
});

test('export to a place that is a file says so', async () => {
  const directory = temporaryDirectory();
  const segment = await writeSegment(directory);
  const result = await runCli(['export', directory, '--compat', '--out', segment]);
  expectOneError(result, 1, `${segment}: cannot create the directory: exists already.`);
});

test('reconstruct does not replace a result unless told to', async () => {
  const directory = temporaryDirectory();
  await writeSegment(directory);
  const out = join(temporaryDirectory(), 'result');
  const args = ['reconstruct', directory, '--out', out, '--workers', '1'];
  expect(await runCli(args)).toMatchObject({ code: 0 });
  expect(existsSync(join(out, 'spans.parquet'))).toBe(true);
  expectOneError(await runCli(args), 1, `${out}: already holds a reconstruction.`);
  expect(await runCli([...args, '--force', '--quiet'])).toMatchObject({ code: 0, stderr: '' });
  expect(readdirSync(out).filter((name) => name.startsWith('.'))).toEqual([]);
});
