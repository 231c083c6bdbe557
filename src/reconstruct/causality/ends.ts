import type { Candidates } from './candidates.js';
import { ClassNumbers } from './class-numbers.js';
import type { Kinds } from './kinds.js';
import type { ProcessIndex } from './process-index.js';
import { EndKind, type ThreadContext } from './thread-context.js';

/** Of calls given to the wrong worker, at least this share is not answered by the time it ends. */
const CAUGHT = 0.2;
/** Observations that a class needs before it is trusted, and those that its kind of end lends it. */
const PRIOR_COUNT = 10;
const CEILING = 0.999;

/**
 * Trust in "what a thread did before it answered a request, or woke the thread that answers
 * it, was for that request", per client (0 where nothing ended so). By kind of call, kind of
 * request and kind of end: where it does not hold, many calls have no reply by then.
 */
export function endTrust(
  index: ProcessIndex,
  context: ThreadContext,
  candidates: Candidates,
  calls: Kinds,
  requests: Kinds,
): Float64Array {
  const numbers = new ClassNumbers();
  const of = new Int32Array(context.end.length).fill(-1);
  for (let client = 0; client < of.length; client++) {
    const server = context.end[client]!;
    if (server < 0 || !candidates.isOpen(client, server)) continue;
    const pair = calls.of[client]! * requests.count + requests.of[server]!;
    of[client] = numbers.of(pair * 3 + context.endKind[client]!);
  }
  const seen = new Float64Array(numbers.count);
  const late = new Float64Array(numbers.count);
  for (let client = 0; client < of.length; client++) {
    const at = of[client]!;
    if (at < 0 || candidates.open[client]! < 2) continue;
    seen[at]!++;
    if (index.clientEnd[client]! > index.serverEnd[context.end[client]!]!) late[at]!++;
  }
  return Float64Array.from(of, (at, client) => {
    if (at < 0 || context.endKind[client] === EndKind.none) return 0;
    const share = (late[at]! + 0.02 * PRIOR_COUNT) / (seen[at]! + PRIOR_COUNT);
    return Math.min(CEILING, Math.max(0, 1 - share / CAUGHT));
  });
}
