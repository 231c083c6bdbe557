import type { BackwardLabels } from './backward-labels.js';
import type { Candidates } from './candidates.js';
import { ClassNumbers } from './class-numbers.js';
import type { GoroutineContext } from './goroutines.js';
import type { Kinds } from './kinds.js';
import type { ProcessIndex } from './process-index.js';
import type { SliceContext } from './slices.js';

/**
 * Goroutines, and async functions, that wait for calls, and their relatives: Go numbers goroutines as they are started
 * (in blocks of 16 for each P: runtime/proc.go, newproc1), so that those which one request starts
 * together have numbers in a row; and what a goroutine waits for next is mostly for the same request.
 */
export const RELATIONS = ['lower', 'higher', 'earlier', 'later'] as const;

export interface Relatives {
  /**
   * Per client and relation (client x 4 + relation): a call of the goroutine numbered one lower or one
   * higher, or the call before or after of the same goroutine; -1 none.
   */
  readonly of: Int32Array;
  /** The same places: class, the same for both ends; -1 none. */
  readonly classes: Int32Array;
  /** Per class: 1 where the goroutine is the same. */
  readonly isSame: Uint8Array;
}

const WIDTH = RELATIONS.length;

/** Where {@link Relatives} tell of the call before of the same goroutine or async function. */
export function placeOfEarlier(client: number): number {
  return client * WIDTH + RELATIONS.indexOf('earlier');
}

export function findRelatives(
  { exchanges: x, clients }: ProcessIndex,
  goroutines: GoroutineContext,
  calls: Kinds,
): Relatives {
  const of = new Int32Array(clients.length * WIDTH).fill(-1);
  const classes = new Int32Array(clients.length * WIDTH).fill(-1);
  const numbers = new ClassNumbers();
  const isSame: number[] = [];
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  const isFunction = goroutines.unit === 'async-root';
  const waits = isFunction ? x.request_goroutine : x.caller;
  const relate = (before: number, after: number, same: number) => {
    const pair = calls.of[before]! * calls.count + calls.of[after]!;
    const known = numbers.of(pair * 2 + same);
    isSame[known] = same;
    const places = [before * WIDTH + (same === 1 ? 3 : 1), after * WIDTH + (same === 1 ? 2 : 0)];
    for (const [i, other] of [after, before].entries()) {
      of[places[i]!] = other;
      classes[places[i]!] = known;
    }
  };
  for (let client = 0; client < clients.length; client++) {
    const waiting = waits[clients[client]!]!;
    // Who reads requests itself needs no relatives; of tasks, the caller is no number of who waits.
    const isAlone = goroutines.unit === 'task' || goroutines.server[client]! >= 0;
    if (waiting === 0 || isAlone || goroutines.shared.has(waiting)) continue;
    const before = last.get(waiting);
    last.set(waiting, client);
    if (before !== undefined) relate(before, client, 1);
    else first.set(waiting, client);
  }
  // Numbers of async functions have no order.
  if (isFunction) first.clear();
  for (const [number, client] of first) {
    const next = first.get(number + 1);
    if (next !== undefined) relate(client, next, 0);
  }
  return { of, classes, isSame: Uint8Array.from(isSame) };
}

/** Weight of what holds for all pairs of a kind of relation, in observations, and its mean at first. */
const PRIOR_COUNT = 6;
const PRIOR_MEAN = { neighbour: 0.5, same: 0.95 } as const;
const CEILING = 0.9995;
/** Labels from this trust on are taken for known. */
const LEAST_LABEL = 0.95;

/**
 * How often both of a pair, knowing their requests without each other, name the same.
 *
 * @returns per class: trust, 0..1
 */
export function learnRelatives(
  relatives: Relatives,
  { forward }: SliceContext,
  candidates: Candidates,
  labels: BackwardLabels,
): Float64Array {
  const classes = relatives.isSame.length;
  const right = new Float64Array(classes);
  const total = new Float64Array(classes);
  const serverOf = (client: number) => {
    if (forward[client]! >= 0) return forward[client]!;
    return labels.reliability[client]! >= LEAST_LABEL ? labels.server[client]! : -1;
  };
  for (let client = 0; client < forward.length; client++) {
    if (candidates.open[client]! < 2) continue;
    for (const relation of [0, 2]) {
      const other = relatives.of[client * WIDTH + relation]!;
      if (other < 0) continue;
      const [own, theirs] = [serverOf(client), serverOf(other)];
      if (own < 0 || theirs < 0) continue;
      const at = relatives.classes[client * WIDTH + relation]!;
      total[at]!++;
      if (own === theirs) right[at]!++;
    }
  }
  return right.map((agreed, at) => {
    const prior = relatives.isSame[at] === 1 ? PRIOR_MEAN.same : PRIOR_MEAN.neighbour;
    return Math.min(CEILING, (agreed + PRIOR_COUNT * prior) / (total[at]! + PRIOR_COUNT));
  });
}
