import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCli } from './run-cli.js';

const COMMANDS = [
  'record',
  'reconstruct',
  'report',
  'explain',
  'import',
  'inspect',
  'export',
  'doctor',
];

describe.concurrent('help', () => {
  test.each(COMMANDS)('%s --help goes to stdout with options and exit codes', async (command) => {
    const { code, stdout, stderr } = await runCli([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^aftertrace ${command}`));
    expect(stdout).toMatch(/^Options:$/m);
    expect(stdout.replace(/\s+/g, ' ')).toContain('Exit codes: 0 ok · 1 failure · 2 wrong usage');
  });

  test('aftertrace --help and -h name every command', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`aftertrace ${command} `));
    expect((await runCli(['-h'])).stdout).toBe(stdout);
  });

  test('--version is the version of the package, alone', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
