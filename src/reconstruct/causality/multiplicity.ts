import { type Decisions, VerdictCode } from './decide.js';
import type { Kinds } from './kinds.js';
import type { ProcessIndex } from './process-index.js';

/** A route has habits from this many requests on. */
const LEAST_REQUESTS = 20;
/** The number of calls of a kind that all but one in twenty of a route's requests do not exceed. */
const QUANTILE = 0.95;
/** What no longer passes for a habit: more than this many times that number. */
const FACTOR = 1.5;
/** What is left of the confidence in each of too many links. */
const LEFT = 0.5;

/**
 * Takes back links that give one request far more calls of a kind than its route makes. Rules judge
 * every call by itself: where timers of many requests fire in one turn of a loop, each of their calls
 * follows the same last request, and all of them would be its. Links that are certain stay.
 * Changes `decisions`.
 */
export function limitMultiplicity(
  { clients }: ProcessIndex,
  decisions: Decisions,
  calls: Kinds,
  requests: Kinds,
): void {
  const isLinked = (client: number) => {
    const verdict = decisions.verdict[client];
    return verdict === VerdictCode.certain || verdict === VerdictCode.probable;
  };
  /** By server and kind of call: how many. */
  const counts = new Map<number, number>();
  const keyOf = (client: number) => decisions.best(client) * calls.count + calls.of[client]!;
  for (let client = 0; client < clients.length; client++) {
    if (isLinked(client)) counts.set(keyOf(client), (counts.get(keyOf(client)) ?? 0) + 1);
  }
  /** By route and kind of call: the counts. */
  const habits = new Map<number, number[]>();
  const habitOf = (key: number) =>
    requests.of[Math.floor(key / calls.count)]! * calls.count + (key % calls.count);
  for (const [key, count] of counts) {
    const list = habits.get(habitOf(key));
    if (list === undefined) habits.set(habitOf(key), [count]);
    else list.push(count);
  }
  const perRoute = new Uint32Array(requests.count);
  for (const route of requests.of) perRoute[route]!++;
  const most = new Map<number, number>();
  for (const [habit, list] of habits) {
    const all = perRoute[Math.floor(habit / calls.count)]!;
    if (all < LEAST_REQUESTS) continue;
    // Most first: those that make none are not in the list.
    list.sort((a, b) => b - a);
    const usual = Math.max(1, list[Math.floor((1 - QUANTILE) * all)] ?? 0);
    most.set(habit, Math.ceil(FACTOR * usual));
  }
  for (let client = 0; client < clients.length; client++) {
    if (decisions.verdict[client] !== VerdictCode.probable) continue;
    const key = keyOf(client);
    if (counts.get(key)! <= (most.get(habitOf(key)) ?? Number.POSITIVE_INFINITY)) continue;
    decisions.scale(client, LEFT);
    decisions.verdict[client] = VerdictCode.unknown;
  }
}
