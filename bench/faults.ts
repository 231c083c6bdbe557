/**
 * What can go wrong on a host, done to a real recorder while a real service works, and whether
 * every file stays readable, every gap is in the ledger and the service is unharmed.
 *
 *   npm run bench:faults -- [--kills 100] [--seconds 10] [--connections 10000] [--seed 1]
 *
 * Needs root and eBPF. Exit code 1 if anything does not hold. Faults of the disk and of the clocks are
 * in test/recorder, where they can be injected.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EventKind, type HeartbeatDetail } from '../src/model/event.js';
import { readCatalog } from '../src/store/catalog.js';
import { openSegment } from '../src/store/segment-reader.js';
import { startService } from './faults/service.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const CLI = join(import.meta.dirname, '../dist/cli/main.js');
const directory = mkdtempSync(join(tmpdir(), 'aftertrace-faults-'));
let failed = false;

/** Numerical Recipes' linear congruential generator: moments that a seed repeats. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function check(what: string, holds: boolean, figures: string): void {
  if (!holds) failed = true;
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}: ${figures}`);
}

async function startRecorder(tape: string, args: readonly string[] = []) {
  const child = spawn(process.execPath, [CLI, 'record', '-o', tape, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  while (!said.includes('recording to')) {
    if (child.exitCode !== null) throw new Error(`the recorder ended: ${said}`);
    await sleep(20);
  }
  const end = async (signal: NodeJS.Signals) => {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
    return said;
  };
  return { end };
}

interface Tape {
  readonly segments: number;
  readonly unreadable: number;
  /** Events stored, and what the last heartbeat of the last recording says. */
  readonly events: number;
  readonly exits: number;
  readonly last: HeartbeatDetail | undefined;
}

/** Reads everything that a directory holds. */
async function readTape(tape: string): Promise<Tape> {
  const { segments, unreadable } = await readCatalog([tape]);
  let events = 0;
  let exits = 0;
  let last: HeartbeatDetail | undefined;
  for (const { path } of segments) {
    const segment = await openSegment(path);
    for await (const { rows, kind, detail } of segment.read({ columns: ['kind', 'detail'] })) {
      for (let row = 0; row < rows; row++) {
        if (kind[row]! < EventKind.process) events++;
        if (kind[row] === EventKind.exit) exits++;
        if (kind[row] !== EventKind.heartbeat) continue;
        const { offsets, data } = detail;
        const text = Buffer.from(data.subarray(offsets[row], offsets[row + 1])).toString('utf8');
        last = JSON.parse(text) as HeartbeatDetail;
      }
    }
    segment.close();
  }
  return { segments: segments.length, unreadable: unreadable.length, events, exits, last };
}

/** What a recorder that ended well wrote, against what its kernel programs made. */
function checkAccount(what: string, { events, last }: Tape): void {
  if (last === undefined) return check(what, false, 'no heartbeat');
  const lost = Object.values(last.lost).reduce((sum, count) => sum + count, 0);
  const stored = events - last.repeated;
  check(
    `${what}: produced = stored + accounted`,
    stored + lost === last.produced,
    `${last.produced} = ${stored} + ${lost}`,
  );
}

async function kills(): Promise<void> {
  const tape = join(directory, 'kills');
  const random = randomOf(Number(values.seed));
  const service = await startService();
  for (let i = 0; i < Number(values.kills); i++) {
    const recorder = await startRecorder(tape, ['--rotate-size', '128KiB']);
    await sleep(random() * 1500);
    await recorder.end('SIGKILL');
  }
  const recorder = await startRecorder(tape);
  const said = await recorder.end('SIGTERM');
  const { answered, wrong } = await service.stop();
  const read = await readTape(tape);
  check(
    `${values.kills} kills at random moments`,
    read.unreadable === 0 && read.events > 0,
    `${read.segments} segments, ${read.unreadable} unreadable, ${read.events} events, recovered ${said.split('recovered').length - 1} at the last start`,
  );
  check('service under test', wrong === 0 && answered > 0, `${answered} answered, ${wrong} wrong`);
}

/** Runs a program of bench/faults while recording, and a service beside it. */
async function under(what: string, program: string, args: readonly string[]): Promise<void> {
  const tape = join(directory, program);
  const service = await startService();
  const recorder = await startRecorder(tape);
  const path = join(import.meta.dirname, 'faults', program);
  const child = spawn('python3', [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'exit');
  await sleep(1000);
  const said = await recorder.end('SIGTERM');
  const { answered, wrong } = await service.stop();
  const read = await readTape(tape);
  const line = said.trim().split('\n').at(-1) ?? '';
  check(what, code === 0 && read.unreadable === 0, `${output.trim()}; ${line}`);
  checkAccount(what, read);
  check(`${what}: service`, wrong === 0 && answered > 0, `${answered} answered, ${wrong} wrong`);
}

try {
  await kills();
  await under('1,000 short processes a second', 'processes.py', ['1000', values.seconds]);
  await under(`${values.connections} connections`, 'connections.py', [values.connections]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
