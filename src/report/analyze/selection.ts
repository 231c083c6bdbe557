import type { TraceReason } from '../contract.js';
import type { Sides } from './red.js';
import type { Requests } from './requests.js';
import type { SpanIndex } from './span-index.js';
import { isIn } from './windows.js';

export interface Selected {
  /** Index of the request. */
  readonly request: number;
  readonly reason: TraceReason;
}

/** How many typical traces of the baseline a reader gets to compare with. */
const TYPICAL_SHARE = 0.15;

/**
 * Takes from each route in turn, so that one noisy route does not crowd out the others.
 *
 * @param ordered requests, worst first
 */
function takeInTurn(requests: Requests, ordered: readonly number[], count: number): number[] {
  const queues = new Map<number, number[]>();
  for (const i of ordered) {
    const queue = queues.get(requests.route[i]!);
    if (queue === undefined) queues.set(requests.route[i]!, [i]);
    else queue.push(i);
  }
  const taken: number[] = [];
  for (let turn = 0; taken.length < Math.min(count, ordered.length); turn++) {
    for (const queue of queues.values()) {
      if (turn < queue.length && taken.length < count) taken.push(queue[turn]!);
    }
  }
  return taken;
}

/** Requests nearest to the middle of their route's latency, the middle ones first. */
function typical(requests: Requests, candidates: readonly number[]): number[] {
  const sorted = [...candidates].sort(
    (a, b) => requests.duration[a]! - requests.duration[b]! || a - b,
  );
  const byRoute = new Map<number, number[]>();
  for (const i of sorted) {
    const known = byRoute.get(requests.route[i]!);
    if (known === undefined) byRoute.set(requests.route[i]!, [i]);
    else known.push(i);
  }
  return [...byRoute.values()].flatMap((list) => {
    const middle = (list.length - 1) / 2;
    const distance = new Map(list.map((i, at) => [i, Math.abs(at - middle)]));
    return list.sort((a, b) => distance.get(a)! - distance.get(b)! || a - b);
  });
}

/**
 * Chooses the traces that the page shows: the worst of the incident, failed and slow in
 * turn, then typical ones of the baseline to compare with.
 *
 * @param maxSpans spans of all of them together at most
 */
export function selectTraces(
  index: SpanIndex,
  requests: Requests,
  sides: Sides,
  maxTraces: number,
  maxSpans: number,
): Selected[] {
  const failed: number[] = [];
  const slow: number[] = [];
  const usual: number[] = [];
  for (let i = 0; i < requests.rows; i++) {
    const isDuring = isIn(sides.during, requests.start[i]!);
    if (isDuring && requests.failed[i] === 1) failed.push(i);
    else if (isDuring && requests.slow[i] === 1) slow.push(i);
    else if (requests.failed[i] === 0 && requests.slow[i] === 0) {
      const isUsual =
        sides.baseline.length === 0 ? isDuring : isIn(sides.baseline, requests.start[i]!);
      if (isUsual && !Number.isNaN(requests.duration[i]!)) usual.push(i);
    }
  }
  const longest = (a: number, b: number) =>
    (requests.duration[b] || 0) - (requests.duration[a] || 0) || a - b;
  const forTypical = Math.max(1, Math.round(maxTraces * TYPICAL_SHARE));
  const forEach = Math.max(1, Math.floor((maxTraces - forTypical) / 2));
  const label = (list: number[], reason: TraceReason) =>
    list.map((request) => ({ request, reason }));
  const wanted: Selected[] = [
    ...label(
      takeInTurn(
        requests,
        failed.sort(longest),
        maxTraces - forTypical - Math.min(forEach, slow.length),
      ),
      'failed',
    ),
    ...label(
      takeInTurn(
        requests,
        slow.sort(longest),
        maxTraces - forTypical - Math.min(forEach, failed.length),
      ),
      'slow',
    ),
  ];
  wanted.push(
    ...label(takeInTurn(requests, typical(requests, usual), maxTraces - wanted.length), 'typical'),
  );
  return withinBudget(index, requests, wanted, maxSpans);
}

/** Drops what would exceed the budget, and traces that are there already. */
function withinBudget(
  index: SpanIndex,
  requests: Requests,
  wanted: readonly Selected[],
  maxSpans: number,
): Selected[] {
  const seen = new Set<number>();
  let spans = 0;
  return wanted.filter(({ request }) => {
    const trace = requests.trace[request]!;
    const size = index.traceStarts[trace + 1]! - index.traceStarts[trace]!;
    if (seen.has(trace) || spans + size > maxSpans) return false;
    seen.add(trace);
    spans += size;
    return true;
  });
}
