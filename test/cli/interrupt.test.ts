import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useTemporaryDirectories } from '../store/temporary.js';
import { startCli } from './run-cli.js';
import { writeCopies } from './segments.js';

const temporaryDirectory = useTemporaryDirectories();

describe('Ctrl-C in the middle of reconstruct', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with %d soon, and leaves no half result', async (signal, code) => {
    const directory = temporaryDirectory();
    // Reading all of this takes many seconds.
    await writeCopies(directory, 10_000, 300);
    const out = join(temporaryDirectory(), 'result');
    const running = startCli(['reconstruct', directory, '--out', out, '--workers', '1']);
    await running.says('reading segments');
    expect(existsSync(out)).toBe(true);
    const stoppedMs = Date.now();
    running.child.kill(signal);
    const { stdout, stderr, ...ended } = await running.result;
    expect(Date.now() - stoppedMs).toBeLessThan(3000);
    expect(ended.code).toBe(code);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/aftertrace: interrupted; nothing was written\.\n$/);
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  });
});
