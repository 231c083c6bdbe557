import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CLI = join(import.meta.dirname, '../../dist/cli/main.js');

export interface Recorder {
  readonly child: ChildProcess;
  /** What it wrote to stderr so far. */
  said(): string;
  /** Waits until it says this. @throws Error if it ends before, or takes more than a minute */
  says(text: string): Promise<void>;
  /** Sends a signal and waits for the end. @returns all that it said */
  end(signal: NodeJS.Signals): Promise<string>;
}

/** The program itself, as an operator runs it; not waited for. */
export function spawnRecorder(tape: string, args: readonly string[] = []): Recorder {
  const child = spawn(process.execPath, [CLI, 'record', '-o', tape, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exit = once(child, 'exit');
  let said = '';
  child.stderr!.on('data', (text) => {
    said += text;
  });
  return {
    child,
    said: () => said,
    says: async (text) => {
      const end = performance.now() + 60_000;
      while (!said.includes(text)) {
        if (child.exitCode !== null) throw new Error(`the recorder ended: ${said}`);
        if (performance.now() > end) throw new Error(`no "${text}" from the recorder: ${said}`);
        await sleep(20);
      }
    },
    end: async (signal) => {
      child.kill(signal);
      await exit;
      return said;
    },
  };
}

/** A recorder that records. */
export async function startRecorder(tape: string, args: readonly string[] = []): Promise<Recorder> {
  const recorder = spawnRecorder(tape, args);
  await recorder.says('recording to');
  return recorder;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs another command of the program. */
export function runCommand(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 1 << 28 };
    const child = execFile(process.execPath, [CLI, ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
