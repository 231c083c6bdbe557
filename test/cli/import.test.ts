import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { jaegerTrace, lines, SHOP } from '../import/spans.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { expectOneError, runCli } from './run-cli.js';

const temporaryDirectory = useTemporaryDirectories();
const TRACES = Array.from({ length: 3 }, (_, i) => jaegerTrace(`t${i}`, SHOP));

function write(bytes: string | Buffer) {
  const directory = temporaryDirectory();
  const file = join(directory, 'spans.jsonl');
  writeFileSync(file, bytes);
  return { directory, file, out: join(directory, 'imported') };
}

test('import, inspect, reconstruct and report, one after the other', async () => {
  const { directory, file, out } = write(gzipSync(lines(TRACES)));
  const imported = await runCli(['import', '--from', 'jaeger', file, '--out', out]);
  expect(imported).toMatchObject({ code: 0, stderr: '' });
  expect(imported.stdout).toContain('3 traces · 15 spans · 2 services');
  expect(imported.stdout).toContain('6 stated by the file');
  const shown = await runCli(['inspect', out]);
  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toContain('imported from jaeger, parents kept; services cart, front');
  const result = join(directory, 'out');
  const rebuilt = await runCli(['reconstruct', out, '--out', result, '-q']);
  expect(rebuilt).toMatchObject({ code: 0, stderr: '' });
  expect(rebuilt.stdout).toContain('links of calls: 6 certain');
  const report = await runCli(['report', result, '--markdown', '-', '-q']);
  expect(report).toMatchObject({ code: 0 });
  expect(report.stdout).toContain('front');
});

test('--json prints what was imported; --forget-parents says so', async () => {
  const { file, out } = write(lines(TRACES));
  const args = ['import', '--from', 'jaeger', file, '-o', out, '--forget-parents'];
  const { code, stdout } = await runCli([...args, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ spans: 15, parentsKept: false, statedLinks: 6 });
  expect((await runCli([...args, '--force'])).stdout).toContain('all forgotten');
  expectOneError(await runCli(args), 1, 'already holds an import. Choose another directory');
});

test('bad lines are warned of by file and line, and exit with 3', async () => {
  const { file, out } = write(`${lines(TRACES)}rubbish\n`);
  const { code, stdout, stderr } = await runCli(['import', '--from', 'jaeger', file, '-o', out]);
  expect(code).toBe(3);
  expect(stdout).toContain('3 traces');
  expect(stderr).toBe(`warning: ${file}:4: is not JSON.\n`);
});

test('many bad lines are told as a number', async () => {
  const { file, out } = write(`${lines(TRACES)}${'rubbish\n'.repeat(50)}`);
  const { stderr } = await runCli(['import', '--from', 'jaeger', file, '-o', out]);
  expect(stderr).toContain('warning: 30 more lines or spans could not be used\n');
});

test('nothing usable exits with 1, a wrong format with 2, and nothing is written', async () => {
  const { directory, file, out } = write('rubbish\n');
  const run = (from: string) => runCli(['import', '--from', from, file, '-o', out]);
  expectOneError(await run('otlp'), 1, `${file}:1: is not JSON, nor JSON lines.`);
  expectOneError(await run('skywalking'), 2, 'Argument: from');
  expectOneError(await runCli(['import', file, '-o', out]), 2, 'from');
  const missing = join(directory, 'missing');
  const gone = await runCli(['import', '--from', 'otlp', missing, '-o', out]);
  expectOneError(gone, 1, `${missing}: cannot read: no such file or directory.`);
  expect(readdirSync(directory)).toEqual(['spans.jsonl']);
});

test('an import has no raw events to export', async () => {
  const { file, out } = write(lines(TRACES));
  await runCli(['import', '--from', 'jaeger', file, '-o', out]);
  const exported = await runCli(['export', out, '--compat', '-o', join(out, 'old')]);
  expectOneError(exported, 1, 'holds imported spans, not segments.');
});
