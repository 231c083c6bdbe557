import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SHOP = join(ROOT, 'fixtures/segments/shop/segments');
const directory = mkdtempSync(join(tmpdir(), 'aftertrace-package-'));
const run = (...args: string[]) =>
  spawnSync('npx', ['--no-install', 'aftertrace', ...args], { cwd: directory, encoding: 'utf8' });

/** A package that was packed here and installed elsewhere, as a user would. */
describe('the packed package', () => {
  let files: string[] = [];
  beforeAll(() => {
    const packed = execFileSync(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
      {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const [{ filename, files: listed }] = JSON.parse(packed);
    files = listed.map(({ path }: { path: string }) => path);
    writeFileSync(join(directory, 'package.json'), '{"private":true}');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `./${filename}`], {
      cwd: directory,
      stdio: 'ignore',
    });
  }, 300_000);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('runs', () => {
    const { status, stdout } = run('--help');
    expect(status).toBe(0);
    for (const command of ['record', 'reconstruct', 'report', 'inspect', 'export', 'doctor']) {
      expect(stdout).toContain(`aftertrace ${command}`);
    }
  });

  test('reconstructs and reports without the repository', () => {
    const reconstructed = run('reconstruct', SHOP, '--out', 'out');
    expect(reconstructed.stderr).not.toMatch(/error/i);
    expect(reconstructed.status).toBe(0);
    const reported = run('report', 'out');
    expect(reported.stdout).toContain('The candidate is payment');
    expect(reported.status).toBe(0);
  });

  test('holds what it needs and nothing that was built for this machine alone', () => {
    expect(files).toContain('dist/report/viewer.js');
    expect(files).toContain('bpf/events.h');
    expect(files).toContain('LICENSE');
    expect(files.filter((path) => /^(test|bench|fixtures|src)\//.test(path))).toEqual([]);
    expect(files.filter((path) => /^(bpf|native)\/build\//.test(path))).toEqual([]);
  });
});
