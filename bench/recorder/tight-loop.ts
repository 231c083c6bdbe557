import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What is sent back and forth, see traffic.c. */
export const TRAFFIC = ['small-head', 'big-head', 'body', 'opaque'] as const;
export type Traffic = (typeof TRAFFIC)[number];

/** System calls that do not concern the recorder: one with a descriptor, one without. */
export const UNRELATED = ['getpid', 'null-write'] as const;
type UnrelatedCall = (typeof UNRELATED)[number];

const ROUNDS = 20_000;
const SYSTEM_CALLS = 2_000_000;

/** A program that makes traffic, compiled for the occasion. */
export interface TrafficProgram {
  /** Runs one kind to its end. @returns CPU time of a round of four socket events, ns */
  run(kind: Traffic): number;
  /** CPU time of one system call that is none of a socket, ns. */
  callNs(kind: UnrelatedCall): number;
  /**
   * Runs one kind beside what else this process does.
   *
   * @param rate socket events per second at most; 0: no limit
   */
  start(kind: Traffic, rounds: number, rate?: number): Promise<void>;
  remove(): void;
}

/** @throws Error where there is no C compiler */
export function buildTraffic(): TrafficProgram {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-traffic-'));
  const program = join(directory, 'traffic');
  execFileSync('clang', ['-O2', '-o', program, join(import.meta.dirname, 'traffic.c')]);
  const run = (kind: string, rounds: number) =>
    Number(execFileSync(program, [kind, String(rounds)], { encoding: 'utf8' }));
  return {
    run: (kind) => run(kind, ROUNDS),
    callNs: (kind) => run(kind, SYSTEM_CALLS),
    start: async (kind, rounds, rate = 0) => {
      await promisify(execFile)(program, [kind, String(rounds), String(rate)]);
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
