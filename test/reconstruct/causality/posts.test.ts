// Messages between the threads of a process: what led to the calls that workers make.
import { describe, expect, it } from 'vitest';
import { VerdictCode } from '../../../src/reconstruct/causality/decide.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import type { ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';
import { useTemporaryDirectories } from '../../store/temporary.js';
import { type Row, tableOf } from './simulate.js';
import { type WorkersProgram, workersService } from './simulate-workers.js';
import { causesOf } from './task-causes.js';

const temporaryDirectory = useTemporaryDirectories();

const SERVICE = { users: 32, requests: 250, workers: 3, seed: 5 };
const some = (random: () => number) => (1 + 5 * random()) * 1e6;

/** Shares of the calls whose link is right, and wrong. */
function score(rows: readonly Row[], hints: ProcessHints) {
  const table = tableOf(rows);
  const { index, decisions } = inferCauses(table.exchanges, table.rows, 0.95, hints);
  let right = 0;
  let wrong = 0;
  for (let client = 0; client < index.clients.length; client++) {
    const verdict = decisions.verdict[client];
    if (verdict !== VerdictCode.certain && verdict !== VerdictCode.probable) continue;
    if (index.servers[decisions.best(client)] === rows[index.clients[client]!]!.truth) right++;
    else wrong++;
  }
  const calls = index.clients.length;
  return { calls, right: right / calls, wrong: wrong / calls };
}

function scoreOf(program: Partial<WorkersProgram>) {
  const { rows, hints } = workersService({ ...SERVICE, ...program });
  return score(rows, hints);
}

describe('calls of worker threads', () => {
  it('belong to the request whose work posted the task', () => {
    expect(scoreOf({})).toMatchObject({ right: 1, wrong: 0 });
  });

  it('also where tasks and results go through another thread', () => {
    expect(scoreOf({ relayed: true })).toMatchObject({ right: 1, wrong: 0 });
  });

  it('by the results, where timers sit before the task is posted, or before the first call', () => {
    for (const program of [{ beforePost: some }, { beforeCall: some }]) {
      const { right, wrong } = scoreOf(program);
      expect(right).toBeGreaterThan(0.99);
      expect(wrong).toBe(0);
    }
  });

  it('by the tasks, where timers sit before the result', () => {
    const { right, wrong } = scoreOf({ afterReply: some });
    expect(right).toBeGreaterThan(0.99);
    expect(wrong).toBe(0);
  });

  it('to none that messages name, where timers sit on both sides', () => {
    for (const program of [{ beforePost: some }, { beforeCall: some }]) {
      const { wrong } = scoreOf({ ...program, afterReply: some });
      expect(wrong).toBeLessThan(0.01);
    }
  });

  it('a message that was posted before anything was read is nobody’s', () => {
    const { rows, hints } = workersService({ ...SERVICE, requests: 100 });
    const started = { ...hints, time: hints.time.slice(), age: hints.age.slice() };
    started.age[0] = started.time[0]! + 1e9;
    const { right, wrong } = score(rows, started);
    expect(right).toBeGreaterThan(0.9);
    expect(wrong).toBeLessThan(0.02);
  });

  it('are explained in words', async () => {
    const { rows, hints } = workersService(SERVICE);
    const { causes, texts } = await causesOf(rows, temporaryDirectory(), hints);
    const told = Array.from({ length: causes.rows }, (_, row) => texts.json(row)).join('');
    expect(told).toMatch(
      /a message that was posted by work for this request was the last thing the thread had taken up, [\d.]+ µs before the call/,
    );
    expect(told).toContain('the thread that read its reply then posted a message');
  });
});
