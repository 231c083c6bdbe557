import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildTraffic } from '../recorder/tight-loop.js';
import { startRecorder } from './recorder.js';
import { startService } from './service.js';
import { checkAccount, checkFiles, readTape, type Tape } from './tape.js';
import type { Verdicts } from './verdicts.js';

async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout?.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'exit');
  return code === 0 ? output.trim() : `exit code ${code}`;
}

/** Records while something goes on, and a service beside it. @returns what it printed, and what was recorded */
async function recordUnder(
  verdicts: Verdicts,
  what: string,
  tape: string,
  args: readonly string[],
  load: () => Promise<string>,
): Promise<{ output: string; read: Tape }> {
  const service = await startService();
  const recorder = await startRecorder(tape, args);
  const output = await load();
  await sleep(1000);
  const said = await recorder.end('SIGTERM');
  await service.stop(verdicts, what);
  const read = await readTape(tape);
  console.log(`     ${said.trim().split('\n').at(-1)}`);
  checkAccount(verdicts, what, read);
  await checkFiles(verdicts, what, tape, read);
  return { output, read };
}

const FLOOD_ROUNDS = 50_000;

/** Far more than the smallest ring holds. */
export async function ringOverflow(verdicts: Verdicts, directory: string): Promise<void> {
  const what = 'ring overflow';
  const traffic = buildTraffic();
  try {
    const flood = async () => {
      const { length } = await Promise.all(
        [0, 1].map(() => traffic.start('big-head', FLOOD_ROUNDS)),
      );
      return `${length} programs that talk to themselves without a pause`;
    };
    const tape = join(directory, 'ring');
    const { output, read } = await recordUnder(
      verdicts,
      what,
      tape,
      ['--ring-size', '64KiB'],
      flood,
    );
    verdicts.check(what, (read.losses['ring-full'] ?? 0) > 0, output);
  } finally {
    traffic.remove();
  }
}

/** Of the rate that is asked for, at least this share must be reached for the run to count. */
const REACHED = 0.9;

/** Processes that live for a moment, and each sends and receives once. */
export async function shortProcesses(
  verdicts: Verdicts,
  directory: string,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<void> {
  const what = `${rate} short processes a second`;
  const program = join(directory, 'processes.run');
  execFileSync('clang', ['-O2', '-o', program, join(import.meta.dirname, 'processes.c')]);
  const tape = join(directory, 'processes');
  const { output } = await recordUnder(verdicts, what, tape, [], () =>
    outputOf(
      spawn(program, [String(rate), String(seconds)], { stdio: ['ignore', 'pipe', 'inherit'] }),
    ),
  );
  verdicts.check(what, Number(output) >= REACHED * rate * seconds, `${output} in ${seconds} s`);
}

/** Connections that are open at once. */
export async function manyConnections(
  verdicts: Verdicts,
  directory: string,
  count: number,
): Promise<void> {
  const what = `${count} connections`;
  const program = join(import.meta.dirname, 'connections.py');
  const tape = join(directory, 'connections');
  const { output } = await recordUnder(verdicts, what, tape, [], () =>
    outputOf(spawn('python3', [program, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] })),
  );
  verdicts.check(what, Number(output) === count, `${output} open at once, answered on each`);
}
