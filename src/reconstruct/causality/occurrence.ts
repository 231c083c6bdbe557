import type { Kinds } from './kinds.js';
import type { ProcessIndex } from './process-index.js';

/**
 * How often a request makes 0, 1, 2, or 3 and more calls of a kind before any is seen, and the weight of that in
 * requests. It is small: of one route nearly all make the same number.
 */
const EXPECTED = [0.5, 0.25, 0.125, 0.125];
const MOST_COUNTED = EXPECTED.length - 1;
const PRIOR_COUNT = 0.5;

/** Per server: 1 where no other request was open while it was. */
function aloneServers({ serverStart, serverEnd }: ProcessIndex): Uint8Array {
  const alone = new Uint8Array(serverStart.length);
  let until = Number.NEGATIVE_INFINITY;
  for (let server = 0; server < alone.length; server++) {
    const [start, end] = [serverStart[server]!, serverEnd[server]!];
    const next = serverStart[server + 1] ?? Number.POSITIVE_INFINITY;
    if (start >= until && next >= end && end > start && Number.isFinite(end)) alone[server] = 1;
    until = Math.max(until, end);
  }
  return alone;
}

/** Time between the first request and the last answer in which none was open, in the unit of the index. */
function idleTime({ serverStart, serverEnd }: ProcessIndex): number {
  let idle = 0;
  let until = serverStart[0] ?? 0;
  for (let server = 0; server < serverStart.length; server++) {
    idle += Math.max(0, serverStart[server]! - until);
    until = Math.max(until, serverEnd[server]!);
  }
  return idle;
}

/** How many calls of a kind requests of one route make, learned from one after the other (a Dirichlet prior). */
class Counts {
  private readonly seen = new Float64Array(EXPECTED.length);
  private total = 0;

  /** Log probability of the next count, by those before. */
  add(count: number): number {
    const at = Math.min(count, MOST_COUNTED);
    const chance = (this.seen[at]! + PRIOR_COUNT * EXPECTED[at]!) / (this.total + PRIOR_COUNT);
    this.seen[at]!++;
    this.total++;
    // Larger counts share the last case.
    return Math.log(chance) - Math.max(0, count - MOST_COUNTED) * Math.LN2;
  }
}

/**
 * Per kind of call: how much more probable the times of its calls are if requests make them than if they come
 * at any time, nats (log Bayes factor; 0 where nothing can be said). Seen in the stretches in which at most one
 * request was open: requests of a route make each kind of call as often as the others of that route; calls that
 * belong to none are a Poisson process over all of the time.
 */
export function requestEvidence(index: ProcessIndex, calls: Kinds, requests: Kinds): Float64Array {
  const { serverStart, serverEnd, clientStart } = index;
  const alone = aloneServers(index);
  let time = idleTime(index);
  for (let server = 0; server < alone.length; server++) {
    if (alone[server] === 1) time += serverEnd[server]! - serverStart[server]!;
  }
  const evidence = new Float64Array(calls.count);
  const total = new Float64Array(calls.count);
  const counts = new Map<number, Counts>();
  const own = new Float64Array(calls.count);
  let client = 0;
  for (let server = 0; server < alone.length; server++) {
    if (alone[server] === 0) continue;
    own.fill(0);
    while (client < clientStart.length && clientStart[client]! < serverStart[server]!) client++;
    for (; client < clientStart.length && clientStart[client]! <= serverEnd[server]!; client++) {
      own[calls.of[client]!]!++;
    }
    const duration = serverEnd[server]! - serverStart[server]!;
    for (let kind = 0; kind < calls.count; kind++) {
      const key = requests.of[server]! * calls.count + kind;
      const known = counts.get(key) ?? new Counts();
      counts.set(key, known);
      const count = own[kind]!;
      total[kind]! += count;
      evidence[kind]! += known.add(count);
      // So many calls at any times of the request, in their order.
      for (let i = 1; i <= count; i++) evidence[kind]! += Math.log(i / duration);
    }
  }
  return evidence.map((nats, kind) => {
    const count = total[kind]!;
    return count === 0 ? 0 : nats - count * Math.log(count / time) + count;
  });
}
