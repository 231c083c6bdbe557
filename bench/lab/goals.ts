import type { LinkScore } from '../accuracy/score.js';
import type { Result } from './run.js';
import { LOADS, type Load, type Workload } from './scenario.js';

/** How right the reconstruction should be on a kind of workload. */
export interface Goal {
  readonly what: string;
  /** Least share of users' traces that are whole. */
  readonly whole: number;
  /** Greatest share of calls with a wrong parent. */
  readonly wrong: number;
  readonly loads: Readonly<Partial<Record<Workload, readonly Load[]>>>;
}

const UP_TO_128: readonly Load[] = ['1', '8', '32', '128'];

export const GOALS: readonly Goal[] = [
  {
    what: 'thread per request, thread pools, process pools, proxies; up to concurrency 128',
    whole: 0.995,
    wrong: 0.0005,
    loads: { threads: UP_TO_128 },
  },
  {
    what: 'event loops without timers or helper threads; concurrency 128',
    whole: 0.995,
    wrong: 0.001,
    loads: { loop: ['128'] },
  },
  {
    what: 'event loops with timers, file I/O, DNS, worker threads; executor queues, saturated too; async Java; Go',
    whole: 0.98,
    wrong: 0.003,
    loads: { 'hand-off': LOADS, open: ['1', '8', '32'] },
  },
  {
    what: 'open problems: aiohttp with a full connector, `thenCompose` chains, at 128 and above',
    whole: 0.85,
    wrong: 0.01,
    loads: { open: ['128', 'saturation'] },
  },
];

/** Results of several recordings together. */
export interface Total {
  readonly links: LinkScore;
  readonly traces: { readonly whole: number; readonly of: number };
}

export function callsOf({ right, wrong, unknown }: LinkScore): number {
  return right + wrong + unknown;
}

/** @returns part / whole; 1 where there is nothing to be part of */
export function share(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}

export function totalOf(results: readonly Result[]): Total {
  const links: LinkScore = { right: 0, wrong: 0, unknown: 0 };
  const traces = { whole: 0, of: 0 };
  for (const { judgement } of results) {
    for (const kind of ['right', 'wrong', 'unknown'] as const) {
      links[kind] += judgement.own.total[kind];
    }
    traces.whole += judgement.own.traces.whole;
    traces.of += judgement.own.traces.of;
  }
  return { links, traces };
}

export function resultsFor(goal: Goal, results: readonly Result[]): Result[] {
  return results.filter(({ scenario, load }) => goal.loads[scenario.workload]?.includes(load));
}

export function meets({ whole, wrong }: Goal, { links, traces }: Total): boolean {
  return (
    share(traces.whole, traces.of) >= whole &&
    callsOf(links) > 0 &&
    links.wrong / callsOf(links) <= wrong
  );
}
