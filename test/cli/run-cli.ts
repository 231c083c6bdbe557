// The command line as its users meet it: a child process, its exit code and its two streams.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CLI_ARGUMENTS = [`${ROOT}dist/cli/main.js`] as const;

export interface CliResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Resolves when stderr holds `text`; rejects when the command ends before. */
  says(text: string): Promise<void>;
}

/** Environment without the variables that the command line reads, and without colours. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('AFTERTRACE'));
  return { ...Object.fromEntries(entries), NO_COLOR: '1', FORCE_COLOR: undefined };
}

/** Starts a command; `wrapper` runs the node that runs it, as `setpriv ...` does. */
export function startCli(args: readonly string[], wrapper: readonly string[] = []): RunningCli {
  const [command, ...rest] = [...wrapper, process.execPath, ...CLI_ARGUMENTS, ...args];
  const child = spawn(command!, rest, {
    cwd: ROOT,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const result = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  const says = async (text: string) => {
    while (!stderr.includes(text)) {
      const ended = await Promise.race([result, once(child.stderr, 'data')]);
      if ('code' in ended && !stderr.includes(text)) {
        throw new Error(`ended with ${ended.code} before it said "${text}": ${stderr}`);
      }
    }
  };
  return { child, result, says };
}

export function runCli(args: readonly string[], wrapper?: readonly string[]): Promise<CliResult> {
  return startCli(args, wrapper).result;
}

/** One line for people on stderr, nothing on stdout, no stack, not called a defect. */
export function expectOneError(result: CliResult, code: number, text: string): void {
  expect(result.stderr).toContain(text);
  expect(result).toMatchObject({ code, stdout: '' });
  expect(result.stderr).toMatch(/^aftertrace: [^\n]+\n$/);
  expect(result.stderr).not.toMatch(/\n\s+at |node:internal|defect of aftertrace/);
}
